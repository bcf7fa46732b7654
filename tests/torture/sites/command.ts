/** What `npm run torture -- sites` does: which runs there are, one line for each that fails. */
import { parseShard, shareOf, type Tally } from '../shards.ts'
import { type CrashPoint, commandOf, crashAt, type Reference, undisturbed } from './run-scenario.ts'
import { runSeed, seedCommandOf } from './run-seed.ts'
import { SCENARIOS } from './scenarios.ts'
import { Images } from './world.ts'

/** As given on the command line. */
export interface CommandOptions {
  readonly exhaustive: boolean
  readonly scenario?: string | undefined
  readonly every: string
  readonly party?: string | undefined
  readonly write?: string | undefined
  readonly when?: string | undefined
  readonly seeds?: string | undefined
  readonly from: string
  readonly seed: string
  readonly verbose: boolean
  /** `K/N`: only this share of the runs. */
  readonly shard: string
}

type Print = (line: string) => void

interface Report {
  readonly name: string
  readonly failures: readonly string[]
  readonly log: readonly string[]
}

const MAX_LINES = 12

export async function runSites(options: CommandOptions, print: Print): Promise<Tally> {
  if (options.seeds !== undefined) return await runSeeds(options, options.seeds, print)
  const point = pointOf(options)
  if (options.exhaustive || point) return await runPoints(options, point, print)
  throw new Error('say what to do: --exhaustive, --party with --write and --when, or --seeds')
}

async function runPoints(options: CommandOptions, point: CrashPoint | undefined, print: Print): Promise<Tally> {
  const names = options.scenario === undefined ? SCENARIOS.map(({ name }) => name) : [options.scenario]
  const every = whole('--every', options.every)
  const sum = { passed: 0, failed: 0 }
  for (const name of names) {
    const reference = await undisturbed(name, whole('--seed', options.seed))
    const chosen = point ? [point] : reference.points.filter((_, index) => index % every === 0)
    const points = shareOf(chosen, parseShard(options.shard))
    print(`${name}: ${points.length} of ${reference.points.length} crash points`)
    const { passed, failed } = await tally(
      options,
      print,
      points.map(each => () => runPoint(reference, each, print)),
    )
    sum.passed += passed
    sum.failed += failed
  }
  return sum
}

async function runPoint(reference: Reference, point: CrashPoint, print: Print): Promise<Report> {
  const name = commandOf(reference, point)
  const { failures, log, crashes } = await crashAt(reference, point)
  if (crashes === 0) print(`  nobody died at ${name}`)
  return { name, failures, log }
}

async function runSeeds(options: CommandOptions, seeds: string, print: Print): Promise<Tally> {
  const first = whole('--from', options.from)
  const all = Array.from({ length: whole('--seeds', seeds) }, (_, index) => first + index)
  const images = new Images()
  let crashes = 0
  let strikes = 0
  let playbooks = 0
  const runs = shareOf(all, parseShard(options.shard)).map(seed => async () => {
    const { schedule, ...run } = await runSeed(seed, images)
    crashes += run.crashes
    strikes += run.strikes
    playbooks += run.runs
    const drawn = options.verbose ? [JSON.stringify(schedule, undefined, 1)] : []
    return { name: seedCommandOf(seed), failures: run.failures, log: [...drawn, ...run.log] }
  })
  const sum = await tally(options, print, runs)
  print(`${crashes} crashes, ${strikes} requests struck, ${playbooks} playbooks`)
  return sum
}

async function tally(
  { verbose }: CommandOptions,
  print: Print,
  runs: readonly (() => Promise<Report>)[],
): Promise<Tally> {
  let failed = 0
  for (const run of runs) {
    const { name, failures, log } = await run()
    if (failures.length === 0) continue
    failed += 1
    print(`FAILED ${name}`)
    for (const failure of failures.slice(0, MAX_LINES)) print(`  ${failure}`)
    if (verbose) for (const line of log) print(`    ${line}`)
  }
  return { passed: runs.length - failed, failed }
}

function pointOf({ party, write, when }: CommandOptions): CrashPoint | undefined {
  if (party === undefined) return undefined
  if ((party !== 'a' && party !== 'b') || (when !== 'before' && when !== 'after'))
    throw new Error('--party is a or b, --when is before or after')
  return { site: party, write: whole('--write', write ?? ''), when }
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${option} ${text}: a whole number above 0 is needed`)
}
