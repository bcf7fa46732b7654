/**
 * The one decision procedure of Godwit. It walks a stage table over facts and says what comes next; automatic
 * rollback, plans, waits and progress all come from here, so they cannot disagree. Pure (law 3).
 */
import { type Guard, type Stage, type StageTable, type Step, stageAfter, stageBefore, stageNamed } from './stage.ts'

export type Direction = 'Forward' | 'Undo'

/** Where one item (or the shared part) of a migration stands. Durable: it is the record. */
export interface Cursor<Name extends string = string> {
  readonly stage: Name
  readonly direction: Direction
  /** Whether the stage's guards once held and its first effect was permitted. */
  readonly entered: boolean
  /** When the stage must be proven (or undone), in the clock of whoever decides; undefined: no limit here. */
  readonly deadlineMs?: number
}

export type Decision<Effect, Name extends string = string> =
  | { readonly kind: 'act'; readonly stage: Name; readonly step: string; readonly effects: readonly Effect[] }
  | { readonly kind: 'wait'; readonly stage: Name; readonly waitsFor: string; readonly who: string }
  | { readonly kind: 'advance'; readonly stage: Name; readonly to: Name }
  | { readonly kind: 'compensate'; readonly stage: Name; readonly code: string; readonly message: string }
  | { readonly kind: 'finish'; readonly stage: Name; readonly outcome: 'done' | 'undone' }
  | { readonly kind: 'ask'; readonly stage: Name; readonly code: string; readonly message: string }

/** The code of a decision that was forced by a deadline. */
export const TIMEOUT = 'Timeout'

/**
 * @param nowMs in the same clock as `cursor.deadlineMs`
 * @returns what to do next; the caller persists it before any effect
 */
export function decide<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  cursor: Cursor<Name>,
  facts: Facts,
  nowMs: number,
): Decision<Effect, Name> {
  const stage = stageNamed(table, cursor.stage)
  const decision =
    cursor.direction === 'Forward' ? forward(table, stage, cursor.entered, facts) : backward(table, stage, facts)
  const isOpen = decision.kind === 'wait' || decision.kind === 'act'
  if (!isOpen || cursor.deadlineMs === undefined || nowMs < cursor.deadlineMs) return decision
  return overdue(cursor.direction, stage.name, decision)
}

function forward<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  stage: Stage<Facts, Effect, Name>,
  entered: boolean,
  facts: Facts,
): Decision<Effect, Name> {
  const refused = entered ? undefined : firstUnmet(stage.name, stage.guards, facts)
  if (refused) return refused
  const proof = unmet(stage.name, stage.proof, facts)
  if (!proof) {
    const next = stageAfter(table, stage.name)
    return next
      ? { kind: 'advance', stage: stage.name, to: next.name }
      : { kind: 'finish', stage: stage.name, outcome: 'done' }
  }
  if (proof.kind === 'compensate') return proof
  return firstMissing(stage.name, stage.steps, facts) ?? proof
}

function backward<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  stage: Stage<Facts, Effect, Name>,
  facts: Facts,
): Decision<Effect, Name> {
  const open = firstMissing(stage.name, stage.undo, facts) ?? unmet(stage.name, stage.undone, facts)
  if (open?.kind === 'compensate') return { ...open, kind: 'ask' }
  if (open) return open
  const previous = stageBefore(table, stage.name)
  return previous
    ? { kind: 'advance', stage: stage.name, to: previous.name }
    : { kind: 'finish', stage: stage.name, outcome: 'undone' }
}

type Open<Effect, Name extends string> = Extract<Decision<Effect, Name>, { kind: 'act' | 'wait' | 'compensate' }>

function firstMissing<Facts, Effect, Name extends string>(
  stage: Name,
  steps: readonly Step<Facts, Effect>[],
  facts: Facts,
): Open<Effect, Name> | undefined {
  for (const step of steps) {
    const effects = step.missing(facts)
    if (effects.length === 0) continue
    const refused = step.permit && unmet(stage, step.permit, facts)
    return refused ?? { kind: 'act', stage, step: step.what, effects }
  }
  return undefined
}

function firstUnmet<Facts, Name extends string>(stage: Name, guards: readonly Guard<Facts>[], facts: Facts) {
  for (const guard of guards) {
    const refused = unmet(stage, guard, facts)
    if (refused) return refused
  }
  return undefined
}

function unmet<Facts, Name extends string>(stage: Name, guard: Guard<Facts>, facts: Facts) {
  const verdict = guard.check(facts)
  switch (verdict.kind) {
    case 'holds':
      return undefined
    case 'waits':
      return { kind: 'wait', stage, waitsFor: verdict.waitsFor, who: verdict.who } as const
    case 'fails':
      return { kind: 'compensate', stage, code: verdict.code, message: verdict.message } as const
  }
}

function overdue<Effect, Name extends string>(
  direction: Direction,
  stage: Name,
  open: Extract<Decision<Effect, Name>, { kind: 'act' | 'wait' }>,
): Decision<Effect, Name> {
  const last = open.kind === 'wait' ? `still waiting for ${open.waitsFor}` : `still doing: ${open.step}`
  const message = `the deadline of ${stage} passed, ${last}`
  return { kind: direction === 'Forward' ? 'compensate' : 'ask', stage, code: TIMEOUT, message }
}
