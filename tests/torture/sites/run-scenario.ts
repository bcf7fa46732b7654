/** One run of a scenario, undisturbed or with one death of one site, from its image to its judgement. */
import type { CrashTime } from '@godwit/simulation'
import { compareEnds, type EndState, endOf, judge } from './judge.ts'
import { type Scenario, scenarioOf } from './scenarios.ts'
import type { Image } from './set-up.ts'
import { imageOf, type SiteId, SitesWorld } from './world.ts'

export interface CrashPoint {
  readonly site: SiteId
  /** The how-manyeth write of the site, counted from 1. */
  readonly write: number
  readonly when: CrashTime
}

export interface ScenarioRun {
  readonly end: EndState
  readonly failures: readonly string[]
  readonly writes: Readonly<Record<SiteId, number>>
  readonly crashes: number
  readonly log: readonly string[]
}

export async function runScenario(
  scenario: Scenario,
  image: Image,
  seed: number,
  crash?: CrashPoint,
): Promise<ScenarioRun> {
  const log: string[] = []
  const world = await SitesWorld.begin(image, { seed, onLog: line => log.push(line) })
  try {
    if (crash) world.site(crash.site).crashAt(crash.write, crash.when)
    const failures: string[] = []
    try {
      await scenario.play(world)
    } catch (error) {
      failures.push(`the story came to no end: ${String(error)}`)
    }
    await world.untilStill()
    failures.push(...(await judge(world)))
    const { a, b } = world
    return {
      end: await endOf(world),
      failures,
      writes: { a: a.writes, b: b.writes },
      crashes: a.crashes + b.crashes,
      log,
    }
  } finally {
    await world.stop()
  }
}

export interface Reference {
  readonly scenario: Scenario
  readonly image: Image
  readonly seed: number
  readonly end: EndState
  readonly points: readonly CrashPoint[]
}

/** The undisturbed run, and all moments in which a site may die. Throws when even that run has faults. */
export async function undisturbed(name: string, seed: number): Promise<Reference> {
  const scenario = scenarioOf(name)
  const image = await imageOf(scenario.setUp)
  const { end, failures, writes, log } = await runScenario(scenario, image, seed)
  if (failures.length > 0) throw new Error(`${name} fails without any crash:\n${[...failures, ...log].join('\n')}`)
  const points = (['a', 'b'] as const).flatMap(site =>
    Array.from({ length: writes[site] }, (_, index) =>
      (['before', 'after'] as const).map(when => ({ site, write: index + 1, when })),
    ).flat(),
  )
  return { scenario, image, seed, end, points }
}

/** @returns what is wrong with the end of a run with this death */
export async function crashAt({ scenario, image, seed, end }: Reference, point: CrashPoint): Promise<ScenarioRun> {
  const run = await runScenario(scenario, image, seed, point)
  return { ...run, failures: [...run.failures, ...compareEnds(end, run.end)] }
}

export const commandOf = (
  { scenario, seed }: Pick<Reference, 'scenario' | 'seed'>,
  { site, write, when }: CrashPoint,
) =>
  `npm run torture -- sites --scenario ${scenario.name} --party ${site} --write ${write} --when ${when} --seed ${seed}`
