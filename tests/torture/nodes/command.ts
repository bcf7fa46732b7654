/** What `npm run torture -- nodes` does: which runs there are, one line for each that fails. */
import { parseShard, shareOf, type Tally } from '../shards.ts'
import { commandOf, crashAt, type Reference, undisturbed } from './exhaustive.ts'
import { type CrashPoint, runScenario } from './run-scenario.ts'
import { runSeed, seedCommandOf } from './run-seed.ts'
import { EDIT_NAMES, type EditName, interrupted, SCENARIOS } from './scenarios.ts'
import { runWave } from './wave.ts'
import { makeWorldImage, type WorldImage } from './world-image.ts'

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

type Options = CommandOptions & { readonly image: WorldImage }

type Print = (line: string) => void

interface Report {
  readonly name: string
  readonly failures: readonly string[]
  readonly log: readonly string[]
}

const MAX_LINES = 12
/** A move is over after so many writes of the operator; later edits come too late to disturb it. */
export const MOVE_WRITES = 24

export async function runNodes(given: CommandOptions, print: Print): Promise<Tally> {
  const options = { ...given, image: await makeWorldImage() }
  const point = pointOf(options)
  const { scenario = '' } = options
  if (options.seeds !== undefined) return runSeeds(options, options.seeds, print)
  const wave = /^wave@(\d+)$/.exec(scenario)?.[1]
  if (wave !== undefined) return tally(options, print, [() => wholeWave(whole('--scenario', wave), options, print)])
  if (/^[a-z]+@\d+$/.test(scenario)) return tally(options, print, [() => runEdit(scenario, options)])
  if (options.exhaustive || point) {
    const points = await runPoints(options, point, print)
    const edits = point || options.scenario !== undefined ? { passed: 0, failed: 0 } : await runEdits(options, print)
    const deaths = points.passed + points.failed
    print(`${deaths} crash points and ${edits.passed + edits.failed} moments of an edit in this share`)
    return { passed: points.passed + edits.passed, failed: points.failed + edits.failed }
  }
  throw new Error('say what to do: --exhaustive, --party with --write and --when, or --seeds')
}

async function runPoints(options: Options, point: CrashPoint | undefined, print: Print): Promise<Tally> {
  const names = options.scenario === undefined ? SCENARIOS.map(({ name }) => name) : [options.scenario]
  const sum = { passed: 0, failed: 0 }
  for (const name of names) {
    const reference = await undisturbed(name, whole('--seed', options.seed), options.image)
    const every = whole('--every', options.every)
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

/** Every edit of the matrix, at every write of a move. */
async function runEdits(options: Options, print: Print): Promise<Tally> {
  const every = whole('--every', options.every)
  const all = EDIT_NAMES.flatMap(edit => Array.from({ length: MOVE_WRITES }, (_, write) => `${edit}@${write}`))
  const chosen = shareOf(
    all.filter((_, index) => index % every === 0),
    parseShard(options.shard),
  )
  print(`edits: ${chosen.length} of ${all.length} moments of a move`)
  return await tally(
    options,
    print,
    chosen.map(name => () => runEdit(name, options)),
  )
}

async function runEdit(name: string, { seed, image }: Options): Promise<Report> {
  const [edit = '', write = ''] = name.split('@')
  const known = EDIT_NAMES.find((each): each is EditName => each === edit)
  if (!known) throw new Error(`there is no edit ${edit}; choose ${EDIT_NAMES.join(', ')}`)
  const { failures, log } = await runScenario(interrupted(known, Number(write)), { image, seed: whole('--seed', seed) })
  return { name: `npm run torture -- nodes --scenario ${name} --seed ${seed}`, failures, log }
}

/** Longest, median and shortest time say whether the queue kept its order. */
async function wholeWave(sets: number, { image, seed }: Options, print: Print): Promise<Report> {
  const { failures, crashes, tookMs, log } = await runWave(sets, { image, seed: whole('--seed', seed) })
  const [first, middle, last] = [0, Math.floor(tookMs.length / 2), tookMs.length - 1].map(
    at => (tookMs[at] ?? 0) / 1000,
  )
  print(
    `${tookMs.length} of ${sets} sets settled, the first after ${first} s, half after ${middle} s, all after ${last} s`,
  )
  print(`  virtual time, with two faults in a hundred of everything and ${crashes} deaths of the operator`)
  return { name: `npm run torture -- nodes --scenario wave@${sets} --seed ${seed}`, failures, log }
}

async function runSeeds(options: Options, seeds: string, print: Print): Promise<Tally> {
  const first = whole('--from', options.from)
  const all = Array.from({ length: whole('--seeds', seeds) }, (_, index) => first + index)
  let crashes = 0
  let strikes = 0
  const runs = shareOf(all, parseShard(options.shard)).map(seed => async () => {
    const { schedule, ...run } = await runSeed(seed, options.image)
    crashes += run.crashes
    strikes += run.strikes
    const drawn = options.verbose ? [JSON.stringify(schedule, undefined, 1)] : []
    return { name: seedCommandOf(seed), failures: run.failures, log: [...drawn, ...run.log] }
  })
  const sum = await tally(options, print, runs)
  print(`${crashes} crashes, ${strikes} faults of the API, the registry and agents struck`)
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
  if (party !== 'operator' || (when !== 'before' && when !== 'after'))
    throw new Error('--party is operator, --when is before or after')
  return { write: whole('--write', write ?? ''), when }
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${option} ${text}: a whole number above 0 is needed`)
}
