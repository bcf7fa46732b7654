/** Every write of every party, once with a death just before it and once just after it. */
import { compareEnds, type EndState } from './judge.ts'
import { type CrashPoint, runScenario } from './run-scenario.ts'
import { type Scenario, scenarioOf } from './scenarios.ts'
import { PARTIES, type WorldImages } from './world-image.ts'

export interface Reference {
  readonly scenario: Scenario
  readonly seed: number
  readonly images: WorldImages
  readonly state: EndState
  readonly points: readonly CrashPoint[]
}

/** The undisturbed run, and all moments in which somebody may die. Throws when even that run has faults. */
export async function undisturbed(name: string, seed: number, images: WorldImages): Promise<Reference> {
  const scenario = scenarioOf(name)
  const { state, failures, writes } = await runScenario(scenario, { seed, images })
  const { phase, residue } = state
  // Nobody disturbed it: what is left, even when it is named, is a fault.
  const left = residue.map(what => `it names residue: ${what}`)
  const end = phase === scenario.phase ? [] : [`it is ${phase} instead of ${scenario.phase}`]
  const faults = [...failures, ...left, ...end]
  if (faults.length > 0) throw new Error(`${name} fails without any crash:\n${faults.join('\n')}`)
  const points = PARTIES.flatMap(party =>
    Array.from({ length: writes[party] }, (_, index) =>
      (['before', 'after'] as const).map(when => ({ party, write: index + 1, when })),
    ).flat(),
  )
  return { scenario, seed, images, state, points }
}

/** @returns what is wrong with the end of a run with this death, and its log */
export async function crashAt(
  { scenario, seed, images, state }: Reference,
  point: CrashPoint,
): Promise<{ readonly failures: readonly string[]; readonly log: readonly string[]; readonly crashes: number }> {
  const run = await runScenario(scenario, { seed, images }, point)
  const differing = scenario.hasOneEnd ? compareEnds(state, run.state) : []
  return { failures: [...run.failures, ...differing], log: run.log, crashes: run.crashes }
}

export const commandOf = ({ scenario, seed }: Pick<Reference, 'scenario' | 'seed'>, point: CrashPoint) =>
  `npm run torture -- hubs --scenario ${scenario.name} --party ${point.party} --write ${point.write} --when ${point.when} --seed ${seed}`
