/** Splits a torture over processes: one for each core, each with its share of the same list. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** `index` of `count` equal shares of a list. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** From `2/4`: the second of four. Throws for anything else. */
export function parseShard(text: string): Shard {
  const [, index = '0', count = '0'] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const shard = { index: Number(index) - 1, count: Number(count) }
  if (shard.index >= 0 && shard.index < shard.count) return shard
  throw new Error(`--shard ${text}: K/N with K from 1 to N is needed`)
}

/** Every `count`-th member, so that neighbours, which are much alike, are shared fairly. */
export const shareOf = <T>(list: readonly T[], { index, count }: Shard): T[] =>
  list.filter((_, place) => place % count === index)

export interface Tally {
  readonly passed: number
  readonly failed: number
}

const LAST_LINE = /^(\d+) passed, (\d+) failed$/

/** Runs the program once for each shard, prints what each prints, and adds up their last lines. */
export async function inShards(
  program: readonly string[],
  count: number,
  print: (line: string) => void,
): Promise<Tally> {
  const tallies = await Promise.all(
    Array.from({ length: count }, (_, index) => runShard([...program, '--shard', `${index + 1}/${count}`], print)),
  )
  return tallies.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
    passed: 0,
    failed: 0,
  })
}

/** Thousands of errors are thrown on purpose: nobody reads their stacks, except in a run by itself. */
const NODE_OPTIONS = ['--stack-trace-limit=0', '--max-semi-space-size=64']

async function runShard(args: readonly string[], print: (line: string) => void): Promise<Tally> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Everything is compiled once, not once for each process.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'godwit-compiled') },
  })
  let tally: Tally | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const [, passed, failed] = LAST_LINE.exec(line) ?? []
    if (passed === undefined) print(line)
    else tally = { passed: Number(passed), failed: Number(failed) }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  if (!tally) throw new Error(`a process of the torture ended with ${child.exitCode ?? child.signalCode} and no result`)
  return tally
}
