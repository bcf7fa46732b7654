/** One run of a scenario, undisturbed or with one death of the operator, from an empty world to its judgement. */
import type { CrashTime } from '@godwit/simulation'
import { type EndState, endOf, unsettled } from './judge.ts'
import type { Scenario } from './scenarios.ts'
import { NodesWorld } from './world.ts'
import type { WorldImage } from './world-image.ts'

export interface CrashPoint {
  /** The how-manyeth write of the operator, counted from 1: to the API or to the registry. */
  readonly write: number
  readonly when: CrashTime
}

export interface ScenarioRun {
  readonly end: EndState
  readonly failures: readonly string[]
  readonly writes: number
  readonly crashes: number
  /** Virtual time. */
  readonly tookMs: number
  readonly log: readonly string[]
}

/** After the last edit: deadlines pass, debts are paid or postponed, nobody is restless. */
const AFTERMATH_MS = 10 * 60_000
const QUIET_MS = 5 * 60_000
/** Debts that cannot be paid are tried again now and then. */
const MAX_LATE_WRITES = 40

export interface ScenarioRunOptions {
  readonly image: WorldImage
  readonly seed: number
  readonly crash?: CrashPoint
}

export async function runScenario(scenario: Scenario, options: ScenarioRunOptions): Promise<ScenarioRun> {
  const { image, seed, crash } = options
  const log: string[] = []
  const world = await NodesWorld.start({ ...scenario.options, image, seed, onLog: line => log.push(line) })
  try {
    if (crash) world.operator.crashAt(crash.write, crash.when)
    world.operator.start()
    await scenario.play(world)
    const tookMs = world.sinceBirthMs
    await world.pass(AFTERMATH_MS)
    const { writes } = world.operator
    await world.pass(QUIET_MS)
    const failures = await judge(world, writes)
    return { end: endOf(world), failures, writes, crashes: world.operator.crashes, tookMs, log }
  } finally {
    await world.stop()
  }
}

async function judge(world: NodesWorld, writes: number): Promise<readonly string[]> {
  world.watch.lookForStrays(await world.tagOwners())
  const late = world.operator.writes - writes
  return [
    ...world.watch.violations,
    ...world.sets().flatMap(set => unsettled(world, set) ?? []),
    ...(late > MAX_LATE_WRITES
      ? [`the operator goes on writing: ${late} writes in ${QUIET_MS / 60_000} quiet minutes`]
      : []),
  ]
}
