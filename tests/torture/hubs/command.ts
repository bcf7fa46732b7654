/** What `npm run torture -- hubs` does: which runs there are, one line for each that fails. */

import { parseShard, shareOf, type Tally } from '../shards.ts'
import { commandOf, crashAt, type Reference, undisturbed } from './exhaustive.ts'
import { runMutants } from './run-mutants.ts'
import type { CrashPoint } from './run-scenario.ts'
import { runSeed, type SeedRun, seedCommandOf } from './run-seed.ts'
import { SCENARIOS } from './scenarios.ts'
import { PARTIES, WorldImages } from './world-image.ts'

/** As given on the command line. */
export interface CommandOptions {
  readonly exhaustive: boolean
  readonly mutants: boolean
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

export async function runHubs(options: CommandOptions, print: Print): Promise<Tally> {
  if (options.mutants) return runMutants(print)
  const point = pointOf(options)
  if (options.seeds !== undefined) return runSeeds(options, options.seeds, print)
  if (options.exhaustive || point) return runPoints(options, point, print)
  throw new Error('say what to do: --exhaustive, --party with --write and --when, or --seeds')
}

async function runPoints(options: CommandOptions, point: CrashPoint | undefined, print: Print): Promise<Tally> {
  const names = options.scenario === undefined ? SCENARIOS.map(({ name }) => name) : [options.scenario]
  const images = new WorldImages()
  let passed = 0
  let failed = 0
  for (const name of names) {
    const reference = await undisturbed(name, whole('--seed', options.seed), images)
    const every = whole('--every', options.every)
    const chosen = point ? [point] : reference.points.filter((_, index) => index % every === 0)
    const points = shareOf(chosen, parseShard(options.shard))
    print(`${name}: ${points.length} of ${reference.points.length} crash points`)
    for (const each of points) {
      if (await passes(reference, each, options.verbose, print)) passed += 1
      else failed += 1
    }
  }
  return { passed, failed }
}

async function runSeeds(options: CommandOptions, seeds: string, print: Print): Promise<Tally> {
  const first = whole('--from', options.from)
  const seedCount = whole('--seeds', seeds)
  const images = new WorldImages()
  const sum = { passed: 0, failed: 0, crashes: 0, strikes: 0 }
  const all = Array.from({ length: seedCount }, (_, index) => first + index)
  for (const seed of shareOf(all, parseShard(options.shard))) {
    const run = await runSeed(seed, images)
    sum.crashes += run.crashes
    sum.strikes += run.strikes
    if (run.failures.length === 0) sum.passed += 1
    else {
      sum.failed += 1
      print(`FAILED ${seedCommandOf(seed)} (${describe(run)})`)
      for (const failure of run.failures.slice(0, MAX_LINES)) print(`  ${failure}`)
      if (options.verbose) print(JSON.stringify(run.schedule, undefined, 1))
      if (options.verbose) for (const line of run.log) print(`    ${line}`)
    }
  }
  print(`${sum.crashes} crashes, ${sum.strikes} faults of API servers struck`)
  return sum
}

function describe({ schedule, state, tookMs }: SeedRun): string {
  const kinds = schedule.incidents.map(({ atMs, incident }) => `${incident.kind} at ${atMs / 1000} s`)
  const ended = `${state.phase ?? 'gone'} after ${tookMs / 1000} s`
  return [ended, ...kinds, ...(state.residue.length > 0 ? [`names residue: ${state.residue.join('; ')}`] : [])].join(
    ', ',
  )
}

async function passes(reference: Reference, point: CrashPoint, verbose: boolean, print: Print): Promise<boolean> {
  const { failures, log, crashes } = await crashAt(reference, point)
  if (failures.length === 0 && crashes > 0) return true
  print(`FAILED ${commandOf(reference, point)}`)
  if (crashes === 0) print('  nobody died')
  for (const failure of failures.slice(0, MAX_LINES)) print(`  ${failure}`)
  if (verbose) for (const line of log) print(`    ${line}`)
  return false
}

const MAX_LINES = 12

function pointOf({ party, write, when }: CommandOptions): CrashPoint | undefined {
  if (party === undefined) return undefined
  const known = PARTIES.find(name => name === party)
  if (!known || (when !== 'before' && when !== 'after'))
    throw new Error(`--party is one of ${PARTIES.join(', ')}, --when is before or after`)
  return { party: known, write: whole('--write', write ?? ''), when }
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${option} ${text}: a whole number above 0 is needed`)
}
