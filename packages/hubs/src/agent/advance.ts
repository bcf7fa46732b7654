/**
 * One item, one look: from what the controller wants, how far this side is and the facts, to the next progress and
 * the effects it permits. Pure; the caller persists the progress before it starts the effects (laws 1 and 3).
 */
import { type Decision, type Direction, decide, type StageTable, stageAfter, stageBefore } from '@godwit/core'
import type { Outcome } from '@godwit/engine'
import { type MigrationTask, type Progress, type StageName, stageIndex, type Wish } from '../api/index.ts'
import type { Evidence, Journal } from './facts.ts'

export interface Remembered {
  readonly journal: Journal
  readonly evidence: Evidence
}

/** One item whose effects are performed: the progress is the one that was persisted before them. */
export interface ItemJob {
  readonly task: MigrationTask
  readonly name: string
  readonly progress: Progress
}

export interface Role<Facts extends Remembered, Effect> {
  readonly table: StageTable<Facts, Effect, StageName>
  /** The undo of this stage has something to look for even when this side never came so far. */
  readonly undoesAtLeast?: StageName
  /** That stage must be undone again: what was taken back has come back. */
  hasRelapsed?(facts: Facts): boolean
  /** Values to remember before the first effect of a stage. */
  journal(facts: Facts, stage: StageName, direction: Direction): Journal
  /** Facts that the world will stop showing. */
  receipts(facts: Facts, stage: StageName, direction: Direction): Evidence
}

export interface Look<Facts> {
  readonly wish: Wish
  readonly progress: Progress | undefined
  /** The world as it is, seen together with what is remembered. */
  facts(remembered: Remembered): Facts
  /** How the last effects ended, when that is not in the record yet. */
  readonly outcome: Outcome<Evidence> | undefined
  /** Wall time in RFC 3339; only ever shown to people. */
  readonly now: string
}

export interface Advance<Effect> {
  readonly progress: Progress | undefined
  readonly effects: readonly Effect[]
}

type AnyRole = Pick<Role<never, never>, 'table' | 'undoesAtLeast'>

const later = (one: StageName, other: StageName) => (stageIndex(one) > stageIndex(other) ? one : other)

interface Position {
  readonly stage: StageName
  readonly direction: Direction
  readonly entered: boolean
}

/** Where this side goes on, or undefined when the wish is fulfilled or only a person or the controller can go on. */
export function position(
  { table, undoesAtLeast }: AnyRole,
  wish: Wish,
  progress: Progress | undefined,
): Position | undefined {
  if (wish.direction === 'Forward') return forwardPosition(table, wish, progress)
  if (!progress) return undefined
  if (progress.direction === 'Forward') {
    const stage = undoesAtLeast ? later(undoesAtLeast, progress.stage) : progress.stage
    return stageIndex(stage) < stageIndex(wish.stage) ? undefined : undo(stage)
  }
  if (progress.state === 'Failed') return isAskedAgain(wish, progress) ? undo(progress.stage) : undefined
  if (progress.state === 'Acting') return undo(progress.stage)
  const next = stageBefore(table, progress.stage)?.name
  return next && stageIndex(next) >= stageIndex(wish.stage) ? undo(next) : undefined
}

const isAskedAgain = (wish: Wish, progress: Progress) => (wish.attempt ?? 0) > (progress.attempt ?? 0)

const undo = (stage: StageName): Position => ({ stage, direction: 'Undo', entered: true })
const enter = (stage: StageName): Position => ({ stage, direction: 'Forward', entered: false })

function forwardPosition(table: AnyRole['table'], wish: Wish, progress: Progress | undefined) {
  if (!progress) return enter('Validating')
  // The other side could not let go of the cluster: what was taken back of this stage is done again.
  if (isTurning(progress)) return enter(progress.stage)
  if (progress.direction === 'Undo' || progress.state === 'Failed') return undefined
  if (progress.state === 'Acting')
    return { stage: progress.stage, direction: 'Forward', entered: progress.entered } as const
  const next = stageAfter(table, progress.stage)?.name
  return next && stageIndex(next) <= stageIndex(wish.stage) ? enter(next) : undefined
}

/** The controller wishes an undo forward only when the other side could not make the klusterlet leave. */
const isTurning = ({ stage, direction }: Progress) =>
  direction === 'Undo' && (stage === 'Registering' || stage === 'Deploying')

/** A wish to undo what this side never did is fulfilled at once. */
function answerIdle(look: Look<unknown>): Progress | undefined {
  const { wish, progress, now } = look
  const isUnanswered = wish.direction === 'Undo' && (progress === undefined || progress.direction === 'Forward')
  if (!isUnanswered) return progress
  const { code, message, waitsFor, who, ...kept } = progress ?? { journal: {}, evidence: {} }
  return { ...kept, stage: wish.stage, direction: 'Undo', state: 'Done', entered: false, since: now }
}

export function advance<Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  look: Look<Facts>,
): Advance<Effect> {
  const first = position(role as unknown as AnyRole, look.wish, look.progress) ?? relapse(role, look)
  if (!first) return { progress: answerIdle(look), effects: [] }
  const remembered = {
    journal: look.progress?.journal ?? {},
    evidence: { ...look.progress?.evidence, ...receiptsOfOutcome(look.outcome) },
  }
  if (look.outcome?.kind === 'failed' && isSameRun(look.progress, first))
    return { progress: write(look, first, remembered, { state: 'Failed', ...failure(look.outcome) }), effects: [] }
  return walk(role, look, first, remembered)
}

/** The wish is fulfilled, or its failure told: no fact of the world would change anything. */
export const isAtRest = <Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  wish: Wish,
  progress: Progress | undefined,
): boolean => !role.hasRelapsed && position(role as unknown as AnyRole, wish, progress) === undefined

/** An undo that is over begins again when its work comes undone; for as long as its task is there. */
function relapse<Facts extends Remembered>(
  { undoesAtLeast, hasRelapsed }: Pick<Role<Facts, never>, 'undoesAtLeast' | 'hasRelapsed'>,
  { wish, progress, facts }: Look<Facts>,
): Position | undefined {
  const isOver = wish.direction === 'Undo' && progress?.direction === 'Undo' && progress.state === 'Done'
  if (!isOver || !undoesAtLeast || !hasRelapsed) return undefined
  const { journal = {}, evidence = {} } = progress
  return hasRelapsed(facts({ journal, evidence })) ? undo(undoesAtLeast) : undefined
}

/** The outcome belongs to the stage and direction that the record shows as acting. */
const isSameRun = (progress: Progress | undefined, at: Position) =>
  progress?.state === 'Acting' && progress.stage === at.stage && progress.direction === at.direction

function walk<Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  look: Look<Facts>,
  start: Position,
  from: Remembered,
): Advance<Effect> {
  let at = start
  let remembered = from
  for (;;) {
    remembered = addReceipts(role, look, at, remembered)
    const facts = look.facts(remembered)
    const decision = decide(role.table, at, facts, 0)
    if (decision.kind !== 'advance' && decision.kind !== 'finish') return settle(role, look, at, remembered, decision)
    const progress = write(look, at, remembered, { state: 'Done', entered: true })
    const next = position(role as unknown as AnyRole, look.wish, progress)
    if (!next) return { progress, effects: [] }
    at = next
  }
}

function addReceipts<Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  look: Look<Facts>,
  at: Position,
  remembered: Remembered,
): Remembered {
  const receipts = role.receipts(look.facts(remembered), at.stage, at.direction)
  const evidence = { ...remembered.evidence, ...receipts }
  const journal = at.direction === 'Undo' ? addJournal(role, look, at, { ...remembered, evidence }) : remembered.journal
  return { journal, evidence }
}

/** What is journalled already is never overwritten: by now the world shows our own values. */
function addJournal<Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  look: Look<Facts>,
  at: Position,
  remembered: Remembered,
): Journal {
  return { ...role.journal(look.facts(remembered), at.stage, at.direction), ...remembered.journal }
}

function settle<Facts extends Remembered, Effect>(
  role: Role<Facts, Effect>,
  look: Look<Facts>,
  at: Position,
  remembered: Remembered,
  decision: Extract<Decision<Effect, StageName>, { kind: 'act' | 'wait' | 'compensate' | 'ask' }>,
): Advance<Effect> {
  switch (decision.kind) {
    case 'act': {
      const journal = addJournal(role, look, at, remembered)
      const waiting = retrying(look.outcome, decision.step)
      const progress = write(look, at, { ...remembered, journal }, { state: 'Acting', entered: true, ...waiting })
      return { progress, effects: decision.effects }
    }
    case 'wait': {
      const { waitsFor, who } = decision
      return { progress: write(look, at, remembered, { state: 'Acting', waitsFor, who }), effects: [] }
    }
    case 'compensate':
    case 'ask':
      return { progress: write(look, at, remembered, { state: 'Failed', ...failure(decision) }), effects: [] }
  }
}

const failure = ({ code, message }: { readonly code: string; readonly message: string }) => ({ code, message })

const receiptsOfOutcome = (outcome: Outcome<Evidence> | undefined): Evidence =>
  outcome?.kind === 'done' ? Object.assign({}, ...outcome.receipts) : {}

const retrying = (outcome: Outcome<Evidence> | undefined, step: string) =>
  outcome?.kind === 'retry'
    ? {
        waitsFor: `another attempt to ${step} (attempt ${outcome.attempts} failed: ${outcome.message})`,
        who: 'hub API',
      }
    : {}

function write(
  look: Look<unknown>,
  at: Position,
  remembered: Remembered,
  over: Pick<Progress, 'state'> & Partial<Progress>,
): Progress {
  const before = look.progress
  const isSameStage = before?.stage === at.stage && before.direction === at.direction
  return {
    stage: at.stage,
    direction: at.direction,
    entered: at.entered,
    ...(look.wish.attempt !== undefined && { attempt: look.wish.attempt }),
    since: isSameStage ? before.since : look.now,
    ...(Object.keys(remembered.journal).length > 0 && { journal: { ...remembered.journal } }),
    ...(Object.keys(remembered.evidence).length > 0 && { evidence: { ...remembered.evidence } }),
    ...over,
  }
}
