import type { Verdict } from './verdict.ts'

/** A named question about facts. Pure: no clock, no randomness, no I/O. */
export interface Guard<Facts> {
  /** What must be true, as a sentence; printed in plans, waits and the generated docs. */
  readonly what: string
  check(facts: Facts): Verdict
}

/** One idempotent piece of work of a stage: which effects are still missing, and what permits them. */
export interface Step<Facts, Effect> {
  /** What the step does, as an imperative; printed in plans, runbooks and the generated docs. */
  readonly what: string
  /** Must hold before the first missing effect. Steps run in order: a later one waits until none is missing here. */
  readonly permit?: Guard<Facts>
  /** What is still missing, computed from facts alone; empty means the step is done. */
  missing(facts: Facts): readonly Effect[]
}

/** A row of a stage table. It has no control flow of its own: `decide` walks it. */
export interface Stage<Facts, Effect, Name extends string = string> {
  readonly name: Name
  /** Default in milliseconds; a migration may override it. */
  readonly deadlineMs: number
  /** All must hold before the first effect of the stage. */
  readonly guards: readonly Guard<Facts>[]
  readonly steps: readonly Step<Facts, Effect>[]
  /** The evidence that the stage is done. */
  readonly proof: Guard<Facts>
  /** How to take the stage back, in order, computed from facts and journal. */
  readonly undo: readonly Step<Facts, Effect>[]
  /** The evidence that nothing of the stage is left. */
  readonly undone: Guard<Facts>
}

export interface StageTable<Facts, Effect, Name extends string = string> {
  /** Who walks the table: `controller`, `source` or `target`. */
  readonly party: string
  /** `shared` rows run once a migration and side, `item` rows for each item. */
  readonly scope: 'shared' | 'item'
  readonly stages: readonly Stage<Facts, Effect, Name>[]
}

/** A proof of a stage that has nothing to show. */
export const nothingToProve = { what: 'nothing to prove', check: () => ({ kind: 'holds' }) as const }

/** The row of that name; throws for a name the table does not have: a record nobody could have written. */
export function stageNamed<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  name: string,
): Stage<Facts, Effect, Name> {
  const stage = table.stages.find(candidate => candidate.name === name)
  if (!stage) throw new Error(`${table.party} ${table.scope} table has no stage ${name}`)
  return stage
}

/** The row after `name`, or undefined behind the last; the first row for undefined. */
export function stageAfter<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  name: string | undefined,
): Stage<Facts, Effect, Name> | undefined {
  const index = name === undefined ? -1 : table.stages.findIndex(candidate => candidate.name === name)
  return table.stages[index + 1]
}

/** The row before `name`, or undefined before the first. */
export function stageBefore<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  name: string,
): Stage<Facts, Effect, Name> | undefined {
  return table.stages[table.stages.findIndex(candidate => candidate.name === name) - 1]
}
