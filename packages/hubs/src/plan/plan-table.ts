/** What a stage table would do with the present facts, for people: read only, nothing of it is ever carried out. */
import type { Guard, StageTable, Verdict } from '@godwit/core'

export interface TablePlan {
  readonly text: string
  /** Why it would be refused if it began now: the first guard that fails, up to the first stage that changes anything. */
  readonly problem?: string
}

export interface TablePlanInput<Facts, Effect> {
  readonly title: string
  readonly table: StageTable<Facts, Effect>
  readonly facts: Facts
  readonly commands: (effect: Effect) => readonly string[]
}

/** Guards of later stages are about what earlier stages will have done. */
const LAST_REFUSAL = 'Initializing'
const NOTHING = 'nothing to prove'

export function planTable<Facts, Effect>(input: TablePlanInput<Facts, Effect>): TablePlan {
  const { title, table, facts } = input
  const early = table.stages.slice(0, 1 + table.stages.findIndex(({ name }) => name === LAST_REFUSAL))
  const guards = early.flatMap(stage => stage.guards)
  const failing = guards.map(guard => guard.check(facts)).find(verdict => verdict.kind === 'fails')
  const lines = table.stages.flatMap(stage => stageLines(input, stage))
  return {
    text: [`## ${title}`, ...lines, ''].join('\n'),
    ...(failing && { problem: `${failing.code}: ${failing.message}` }),
  }
}

function stageLines<Facts, Effect>(
  { facts, commands }: TablePlanInput<Facts, Effect>,
  { name, guards, steps, proof, undo }: StageTable<Facts, Effect>['stages'][number],
): string[] {
  const demands = guards.map(guard => `  demands ${sayGuard(guard, facts)}`)
  const effects = steps.flatMap((step, index) => [
    `  ${index + 1}. ${step.what}${step.permit ? `, only when ${sayGuard(step.permit, facts)}` : ''}`,
    ...step.missing(facts).flatMap(effect => commands(effect).map(command => `       ${command}`)),
  ])
  const end = proof.what === NOTHING ? [] : [`  done when ${proof.what}`]
  const back = undo.map(({ what }) => `  taken back: ${what}`)
  const lines = [...demands, ...effects, ...end, ...back]
  return lines.length === 0 ? [] : [`${name}:`, ...lines]
}

const sayGuard = <Facts>({ what, check }: Guard<Facts>, facts: Facts) => `${what} (now: ${sayVerdict(check(facts))})`

function sayVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'holds':
      return 'yes'
    case 'waits':
      return `not yet, ${verdict.who} has to bring it about`
    case 'fails':
      return `no, ${verdict.code}: ${verdict.message}`
  }
}
