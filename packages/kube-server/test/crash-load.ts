/**
 * The load under which a durable server is killed. It says what it is going to do before it asks, and what it was told
 * after the answer; `crash-ledger.ts` holds the server to it. The target is pluggable: a store, or a server over HTTP.
 */
import type { Random } from '@godwit/ports'

export interface CrashTarget {
  /** Creates or replaces; resolves with the version once the write is durable. */
  put(name: string, value: string): Promise<number>
  /** Resolves with the version of the removal once it is durable. Only asked for what exists. */
  remove(name: string): Promise<number>
  /** Adds one to a count that all writers share, creating it with 1. */
  increment(name: string): Promise<number>
}

export interface LoadOptions {
  readonly random: Random
  readonly writers: number
  /** Gets one line at a time; must have left the process when it returns. */
  readonly report: (line: string) => void
  /** Makes values of different runs different. */
  readonly run: string
}

/** The object all writers increment. */
export const sharedCount = 'shared-count'
const NAMES_PER_WRITER = 5
const MAX_PADDING = 2000

/** Writes until the process dies. Each writer owns its names and waits for each answer before the next write. */
export async function runLoad(target: CrashTarget, options: LoadOptions): Promise<void> {
  const { random, writers } = options
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(target, options, writer, random)))
}

async function write(target: CrashTarget, options: LoadOptions, writer: number, random: Random): Promise<never> {
  const { report, run } = options
  const existing = new Set<string>()
  for (let step = 0; ; step++) {
    const name = `writer-${writer}-${Math.floor(random.next() * NAMES_PER_WRITER)}`
    const chance = random.next()
    let version: number
    if (chance < 0.15) {
      report(`try ${writer} increment ${sharedCount}`)
      version = await target.increment(sharedCount)
    } else if (chance < 0.35 && existing.delete(name)) {
      report(`try ${writer} remove ${name}`)
      version = await target.remove(name)
    } else {
      existing.add(name)
      const value = `${run}-${writer}-${step}-${'x'.repeat(Math.floor(random.next() * MAX_PADDING))}`
      report(`try ${writer} put ${name} ${value}`)
      version = await target.put(name, value)
    }
    report(`done ${writer} ${version}`)
  }
}
