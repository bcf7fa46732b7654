/** One cluster, one look: from what both sides report to the wishes for both. Pure; the wishes are the record. */
import { type Decision, decide } from '@godwit/core'
import { rfc3339 } from '@godwit/ports'
import { type Failure, type ItemCursor, type ItemWish, type StageName, stageIndex } from '../api/index.ts'
import type { Hold } from './admission.ts'
import { CANCELLED, type GiveUp } from './give-up.ts'
import { controllerItemTable, type ItemEffect, type ItemFacts } from './item-table.ts'

export interface StepContext {
  /** Wall time of the controller in milliseconds. */
  readonly nowMs: number
  readonly deadlineMs: (stage: StageName | 'Rollbacking') => number
  /** The last stage that the item may enter now; one that it is in already comes to its end in any case. */
  readonly limit: StageName
  /** Why the item does not go beyond the limit. */
  readonly hold?: Hold
  /** Why the item goes back, unless it has arrived, although nothing is wrong with it. */
  readonly giveUp?: GiveUp
  /** How often a person has asked to roll back again. */
  readonly attempt: number
}

export interface ItemStep {
  readonly source: ItemWish
  readonly target: ItemWish | undefined
  readonly bundleToDeliver?: string
  /** What the item waits for, and who can bring it about. */
  readonly waitsFor?: ItemWait
}

/** A held item waits for nothing of its own: the deadline of its stage does not count. */
export interface ItemWait extends Hold {
  readonly isHeld?: boolean
}

interface Draft {
  source: ItemWish
  target: ItemWish | undefined
  bundleToDeliver?: string
}

export function firstCursor({ nowMs, deadlineMs }: StepContext): ItemCursor {
  const stage = 'Validating'
  return {
    stage,
    direction: 'Forward',
    entered: false,
    since: rfc3339(nowMs),
    deadline: rfc3339(nowMs + deadlineMs(stage)),
  }
}

/** More rounds than a table has rows and directions cannot be needed. */
const MAX_ROUNDS = 24

export function stepItem(facts: ItemFacts, context: StepContext): ItemStep {
  const known = facts.source.wish
  const draft: Draft = {
    source: known?.cursor ? known : { stage: 'Validating', direction: 'Forward', cursor: firstCursor(context) },
    target: facts.target.wish,
  }
  reopen(draft, context)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const decision = cancellation(facts, draft, context) ?? decideItem(facts, draft, context)
    if (!decision) return draft
    const goesOn = turn(facts, decision, draft, context) || apply(decision, draft, context)
    if (!goesOn) return { ...draft, ...waiting(decision, context) }
  }
  throw new Error(`cluster ${facts.name} did not settle in ${MAX_ROUNDS} rounds: the stage table has a cycle`)
}

/** A cluster that got stuck is undone from where it stands, with a new deadline, each time a person asks for it. */
function reopen(draft: Draft, { attempt, nowMs, deadlineMs }: StepContext): void {
  const { outcome, residue: _, cursor, ...kept } = draft.source
  if (outcome !== 'Stuck' || !cursor || (kept.attempt ?? 0) >= attempt) return
  const deadline = rfc3339(nowMs + deadlineMs('Rollbacking'))
  draft.source = { ...kept, attempt, cursor: { ...cursor, since: rfc3339(nowMs), deadline } }
  if (draft.target) draft.target = { ...draft.target, attempt }
}

type ItemDecision = Decision<ItemEffect, StageName>

function waiting(decision: ItemDecision, { hold }: StepContext): Pick<ItemStep, 'waitsFor'> {
  if (decision.kind === 'wait') return { waitsFor: { what: decision.waitsFor, who: decision.who } }
  return decision.kind === 'advance' && hold ? { waitsFor: { ...hold, isHeld: true } } : {}
}

/** The klusterlet knows the target hub alone: taken back, the cluster would belong to nobody. */
const isTakenOver = ({ target }: ItemFacts, { stage }: ItemCursor) =>
  SWITCHING.includes(stage) && target.progress?.evidence?.['takenOver'] !== undefined

/** A klusterlet that knows both hubs may go to the target before it is told to. */
const SWITCHING: readonly StageName[] = ['Deploying', 'Registering']

/** A cluster that belongs to the target hub is not torn back, but cleaned up to the end. */
function cancellation(
  facts: ItemFacts,
  { source: { cursor, outcome } }: Draft,
  { giveUp }: StepContext,
): ItemDecision | undefined {
  if (!giveUp || !cursor || outcome || cursor.direction === 'Undo' || cursor.stage === 'Cleaning') return undefined
  if (isTakenOver(facts, cursor)) return undefined
  return { kind: 'compensate', stage: cursor.stage, ...giveUp }
}

function decideItem(facts: ItemFacts, draft: Draft, { nowMs }: StepContext): ItemDecision | undefined {
  const { cursor, outcome } = draft.source
  if (!cursor || outcome) return undefined
  const seen: ItemFacts = {
    ...facts,
    source: { ...facts.source, wish: draft.source },
    target: { ...facts.target, wish: draft.target },
    isBundleDelivered: bundle => bundle === draft.bundleToDeliver || facts.isBundleDelivered(bundle),
  }
  const { deadline, ...at } = cursor
  const isAtHome = cursor.stage === 'Registering' && isTakenOver(facts, cursor)
  const deadlineMs = cursor.direction === 'Forward' && isAtHome ? undefined : Date.parse(deadline)
  return decide(controllerItemTable, { ...at, ...(deadlineMs !== undefined && { deadlineMs }) }, seen, nowMs)
}

/** The code by which the target says that the klusterlet cannot be sent back any more. */
const JOINED = 'ClusterJoined'

/** A rollback that comes too late: the cluster belongs to the target hub, and goes on to its end there. */
function turn(facts: ItemFacts, decision: ItemDecision, draft: Draft, { nowMs, deadlineMs }: StepContext): boolean {
  const { cursor } = draft.source
  const isRefused = decision.kind === 'ask' && SWITCHING.includes(decision.stage) && decision.code === JOINED
  // What could not be deployed cannot be deployed by turning either.
  const { failure } = draft.source
  if (failure?.stage === 'Deploying' && failure.code !== CANCELLED) return false
  if (!isRefused || !cursor || facts.target.progress?.evidence?.['takenOver'] === undefined) return false
  const { failure: _, ...source } = draft.source
  const { stage } = cursor
  const [since, deadline] = [rfc3339(nowMs), rfc3339(nowMs + deadlineMs(stage))]
  const wish = { stage, direction: 'Forward' } as const
  draft.source = { ...source, ...wish, cursor: { ...wish, entered: true, since, deadline } }
  draft.target = { ...draft.target, ...wish }
  return true
}

/** Changes the draft; returns whether there may be more to decide right now. */
function apply(decision: ItemDecision, draft: Draft, context: StepContext): boolean {
  switch (decision.kind) {
    case 'act':
      return applyEffects(decision.effects, draft)
    case 'advance':
      return moveTo(decision.to, draft, context)
    case 'finish':
      draft.source = { ...draft.source, outcome: decision.outcome === 'done' ? 'Completed' : 'RolledBack' }
      return false
    case 'compensate':
      return compensate(decision, draft, context)
    case 'ask':
      draft.source = { ...draft.source, outcome: 'Stuck', residue: [`${decision.code}: ${decision.message}`] }
      return false
    case 'wait':
      return false
  }
}

function applyEffects(effects: readonly ItemEffect[], draft: Draft): boolean {
  for (const effect of effects) {
    if (effect.kind === 'deliverBundle') {
      draft.bundleToDeliver = effect.bundle
      return false
    }
    const { wish, side, bundle, digest } = effect
    const ticket = bundle && digest ? { bundle, digest } : {}
    if (side === 'Source') draft.source = { ...draft.source, ...wish }
    else draft.target = { ...draft.target, ...wish, ...ticket }
  }
  if (draft.source.cursor && !draft.source.cursor.entered)
    draft.source = { ...draft.source, cursor: { ...draft.source.cursor, entered: true } }
  return true
}

function moveTo(stage: StageName, draft: Draft, context: StepContext): boolean {
  const { cursor } = draft.source
  if (!cursor) return false
  if (cursor.direction === 'Forward' && !isWithin(stage, context.limit)) return false
  const { nowMs, deadlineMs } = context
  const deadline = cursor.direction === 'Undo' ? cursor.deadline : rfc3339(nowMs + deadlineMs(stage))
  draft.source = {
    ...draft.source,
    cursor: { stage, direction: cursor.direction, entered: false, since: rfc3339(nowMs), deadline },
  }
  return true
}

const isWithin = (stage: StageName, limit: StageName) => stageIndex(stage) <= stageIndex(limit)

function compensate(failed: Failure, draft: Draft, { nowMs, deadlineMs }: StepContext): boolean {
  const { stage, code, message } = failed
  // The user has the cluster on the target: what could not be cleaned is a debt, not a failure (law 9).
  if (stage === 'Cleaning') {
    draft.source = { ...draft.source, outcome: 'Completed', residue: [`${code}: ${message}`] }
    return false
  }
  const deadline = rfc3339(nowMs + deadlineMs('Rollbacking'))
  draft.source = {
    ...draft.source,
    failure: { stage, code, message },
    cursor: { stage, direction: 'Undo', entered: false, since: rfc3339(nowMs), deadline },
  }
  return true
}
