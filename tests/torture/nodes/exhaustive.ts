/** Every write of the operator, once with a death just before it and once just after it. */
import { compareEnds, type EndState } from './judge.ts'
import { type CrashPoint, runScenario, type ScenarioRun } from './run-scenario.ts'
import { type Scenario, scenarioOf } from './scenarios.ts'
import type { WorldImage } from './world-image.ts'

export interface Reference {
  readonly image: WorldImage
  readonly scenario: Scenario
  readonly seed: number
  readonly end: EndState
  readonly points: readonly CrashPoint[]
}

/** The undisturbed run, and all moments in which the operator may die. Throws when even that run has faults. */
export async function undisturbed(name: string, seed: number, image: WorldImage): Promise<Reference> {
  const scenario = scenarioOf(name)
  const { end, failures, writes } = await runScenario(scenario, { image, seed })
  if (failures.length > 0) throw new Error(`${name} fails without any crash:\n${failures.join('\n')}`)
  const points = Array.from({ length: writes }, (_, index) =>
    (['before', 'after'] as const).map(when => ({ write: index + 1, when })),
  ).flat()
  return { image, scenario, seed, end, points }
}

/** @returns what is wrong with the end of a run with this death */
export async function crashAt({ image, scenario, seed, end }: Reference, point: CrashPoint): Promise<ScenarioRun> {
  const run = await runScenario(scenario, { image, seed, crash: point })
  return { ...run, failures: [...run.failures, ...compareEnds(end, run.end)] }
}

export const commandOf = ({ scenario, seed }: Pick<Reference, 'scenario' | 'seed'>, { write, when }: CrashPoint) =>
  `npm run torture -- nodes --scenario ${scenario.name} --party operator --write ${write} --when ${when} --seed ${seed}`
