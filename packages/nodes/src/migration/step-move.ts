/** One VM on its way, one look: from record and facts to the next record and the effects it permits. Pure. */
import { type Decision, decide, stageNamed, TIMEOUT } from '@godwit/core'
import { rfc3339 } from '@godwit/ports'
import type { MoveOutcome, MoveRecord, MoveStage, SnapshotDebt } from '../api/index.ts'
import { isLive, vmIdOf } from '../pod/pod-view.ts'
import { type MoveEffect, type MoveFacts, newPod } from './move-facts.ts'
import { MOVE_CODES, moveTable } from './move-table.ts'

export type MoveEvent = { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }

export interface MoveStep {
  /** Undefined: the migration is over. */
  readonly record: MoveRecord | undefined
  readonly effects: readonly MoveEffect[]
  readonly outcome?: MoveOutcome
  readonly debt?: SnapshotDebt
  readonly events: readonly MoveEvent[]
}

export type MoveDeadlines = Readonly<Partial<Record<MoveStage | 'Undo', number>>>

export interface MoveContext {
  readonly nowMs: number
  /** Milliseconds; a stage that is not named has the table's own. */
  readonly deadlines: MoveDeadlines
}

const MAX_ROUNDS = 16
const UNDO_MS = 10 * 60_000

const EVENT_OF: Readonly<Record<MoveStage, string>> = {
  Prepare: 'MigrationStarted',
  Quiesce: 'MigrationSnapshotVerified',
  Release: 'MigrationSourceReleased',
  Restore: 'MigrationRestored',
  Settle: 'MigrationCompleted',
}

function deadlineOf(stage: MoveStage, direction: MoveRecord['direction'], { nowMs, deadlines }: MoveContext) {
  const limitMs =
    direction === 'Undo' ? (deadlines.Undo ?? UNDO_MS) : (deadlines[stage] ?? stageNamed(moveTable, stage).deadlineMs)
  return Number.isFinite(limitMs) ? { deadline: new Date(nowMs + limitMs).toISOString() } : {}
}

/** The record at the beginning of a stage, with its own deadline. */
export function recordAt(
  record: MoveRecord,
  stage: MoveStage,
  direction: MoveRecord['direction'],
  context: MoveContext,
): MoveRecord {
  const { deadline: _, waitsFor: __, ...kept } = record
  const since = rfc3339(context.nowMs)
  return {
    ...kept,
    stage,
    direction,
    entered: direction === 'Undo',
    since,
    ...deadlineOf(stage, direction, context),
  }
}

/** The source was given up: from here on the VM only goes forward, to this target or another. */
export const isReleasing = ({ stage, entered }: MoveRecord) =>
  stage === 'Restore' || stage === 'Settle' || (stage === 'Release' && entered)

export function stepMove(facts: MoveFacts, context: MoveContext): MoveStep {
  const events: MoveEvent[] = []
  let record = facts.record
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const now = { ...facts, record }
    const asked = adapt(now, context)
    if (asked.kind === 'close') return closed(now, asked.outcome, events, context)
    if (asked.kind === 'undo') {
      record = undoing(record, asked, context)
      events.push(warning('MigrationRollingBack', asked.message))
      continue
    }
    record = asked.record
    const decision = decide(moveTable, cursorOf(record), { ...facts, record }, context.nowMs)
    const next = follow({ ...facts, record }, decision, context, events)
    if (next.kind === 'step') return next.step
    record = next.record
  }
  throw new Error(`migration ${record.id} did not settle in ${MAX_ROUNDS} rounds: the stage table has a cycle`)
}

const cursorOf = ({ stage, direction, entered, deadline }: MoveRecord) => ({
  stage,
  direction,
  entered,
  ...(deadline !== undefined && { deadlineMs: Date.parse(deadline) }),
})

type Asked =
  | { readonly kind: 'go'; readonly record: MoveRecord }
  | { readonly kind: 'undo'; readonly code: string; readonly message: string }
  | { readonly kind: 'close'; readonly outcome: MoveOutcome['outcome'] }

/** What the user asks for now, which may have changed at any moment. */
function adapt(facts: MoveFacts, context: MoveContext): Asked {
  const { record, wanted, isSuspending } = facts
  if (record.stage === 'Settle' || record.direction === 'Undo') return { kind: 'go', record }
  if (isReleasing(record)) {
    if (facts.isLossAccepted && !newPod(facts)) return { kind: 'close', outcome: 'SnapshotLost' }
    const pod = newPod(facts)
    const isFree = !pod || !(isLive(pod) || pod.spec.nodeName === record.target)
    return { kind: 'go', record: wanted !== record.requested && isFree ? aimed(record, wanted, context) : record }
  }
  const isBack = wanted === undefined || wanted === record.source
  if (record.stage === 'Prepare')
    return isBack || isSuspending
      ? { kind: 'close', outcome: 'Cancelled' }
      : { kind: 'go', record: aim(record, wanted) }
  // A suspension goes on with what is being saved.
  if (isSuspending) return { kind: 'close', outcome: 'Superseded' }
  if (isBack) return { kind: 'undo', code: MOVE_CODES.cancelled, message: 'the pin was taken back' }
  return { kind: 'go', record: aim(record, wanted) }
}

function aim(record: MoveRecord, wanted: string | undefined): MoveRecord {
  if (wanted === record.requested) return record
  const { target: _, requested: __, ...kept } = record
  return { ...kept, ...(wanted !== undefined && { target: wanted, requested: wanted }) }
}

const aimed = (record: MoveRecord, wanted: string | undefined, context: MoveContext) => ({
  ...aim(record, wanted),
  ...deadlineOf(record.stage, 'Forward', context),
})

const warning = (reason: string, message: string): MoveEvent => ({ type: 'Warning', reason, message })

function undoing(
  record: MoveRecord,
  { code, message }: { readonly code: string; readonly message: string },
  context: MoveContext,
): MoveRecord {
  return { ...recordAt(record, record.stage, 'Undo', context), failure: { code, message } }
}

type Followed =
  | { readonly kind: 'step'; readonly step: MoveStep }
  | { readonly kind: 'again'; readonly record: MoveRecord }

function follow(
  facts: MoveFacts,
  decision: Decision<MoveEffect, MoveStage>,
  context: MoveContext,
  events: MoveEvent[],
): Followed {
  const { record } = facts
  const step = (part: Partial<MoveStep>): Followed => ({
    kind: 'step',
    step: { record, effects: [], events, ...part },
  })
  switch (decision.kind) {
    case 'act':
      return step({
        record: { ...record, entered: true, waitsFor: `the controller to ${decision.step}` },
        effects: decision.effects,
      })
    case 'wait':
      return step({ record: { ...record, waitsFor: decision.waitsFor } })
    case 'advance': {
      if (record.direction === 'Undo') return { kind: 'again', record: { ...record, stage: decision.to } }
      events.push({ type: 'Normal', reason: EVENT_OF[record.stage], message: messageOf(record) })
      return { kind: 'again', record: recordAt(withReceipt(facts, context), decision.to, 'Forward', context) }
    }
    case 'finish':
      return {
        kind: 'step',
        step: closed(facts, decision.outcome === 'done' ? 'Completed' : undoneOutcome(record), events, context),
      }
    case 'compensate':
    case 'ask':
      return compensated(facts, decision, context, events)
  }
}

const messageOf = ({ id, stage, source, target = 'any node', vmName }: MoveRecord) =>
  `migration ${id} of VM ${vmName} from ${source} to ${target}: ${stage} is proven`

const undoneOutcome = ({ failure }: MoveRecord) =>
  failure?.code === MOVE_CODES.cancelled ? ('Cancelled' as const) : ('RolledBack' as const)

function compensated(
  facts: MoveFacts,
  { code, message }: { readonly code: string; readonly message: string },
  context: MoveContext,
  events: MoveEvent[],
): Followed {
  const { record } = facts
  if (code === TIMEOUT) events.push(warning('MigrationTimedOut', message))
  if (record.direction === 'Undo' || (record.stage === 'Release' && record.entered))
    // Nobody but a person can go on from here: it stays as it is, with its reason.
    return waitOn({ ...withoutDeadline(record), failure: record.failure ?? { code, message } }, message, events)
  if (record.stage === 'Restore') return elsewhere(facts, message, context, events)
  events.push(warning('MigrationRollingBack', message))
  return { kind: 'again', record: undoing(record, { code, message }, context) }
}

const withoutDeadline = ({ deadline: _, ...kept }: MoveRecord): MoveRecord => kept

const waitOn = (record: MoveRecord, waitsFor: string, events: readonly MoveEvent[]): Followed => ({
  kind: 'step',
  step: { record: { ...record, waitsFor }, effects: [], events },
})

/** The target did not take the VM in time: another node that fits, then the source. The snapshot stays where it is. */
function elsewhere(facts: MoveFacts, message: string, context: MoveContext, events: MoveEvent[]): Followed {
  const { record, otherHosts, tag } = facts
  const pod = newPod(facts)
  const isSnapshotThere = tag.kind === 'present' && tag.digest === record.digest
  const restarted = { ...record, ...deadlineOf(record.stage, 'Forward', context) }
  if ((pod && isLive(pod)) || !isSnapshotThere) return waitOn(restarted, message, events)
  const tried = [...(record.tried ?? []), ...(record.target ? [record.target] : [])]
  const host = otherHosts.find(name => !tried.includes(name) && name !== record.source) ?? record.source
  if (host === record.target) return waitOn({ ...restarted, tried: [] }, message, events)
  events.push(warning('MigrationRetargeted', `${message}; trying node ${host}`))
  const failure = record.failure ?? { code: TIMEOUT, message }
  return { kind: 'again', record: { ...restarted, target: host, tried, attempt: record.attempt + 1, failure } }
}

/** What is proven now and will stop being visible goes into the record. */
function withReceipt(facts: MoveFacts, { nowMs }: MoveContext): MoveRecord {
  const { record, tag } = facts
  const pod = newPod(facts)
  if (record.stage === 'Prepare' && tag.kind === 'present' && record.keptLeftover)
    return { ...record, oldDigest: tag.digest }
  if (record.stage === 'Quiesce' && tag.kind === 'present')
    return {
      ...record,
      digest: tag.digest,
      quiescedAt: new Date(nowMs).toISOString(),
      ...(tag.snapshotId !== undefined && { snapshotId: tag.snapshotId }),
    }
  if (record.stage === 'Restore' && pod) {
    const vmId = vmIdOf(pod)
    return {
      ...record,
      ...(pod.metadata.uid !== undefined && { newPodUid: pod.metadata.uid }),
      ...(vmId !== undefined && { newVmId: vmId }),
    }
  }
  return record
}

function closed(
  facts: MoveFacts,
  outcome: MoveOutcome['outcome'],
  events: readonly MoveEvent[],
  { nowMs }: MoveContext,
): MoveStep {
  const { record } = facts
  const isTurnedAway = outcome === 'Completed' && record.requested !== undefined && record.target !== record.requested
  const name = isTurnedAway ? 'RolledBack' : outcome
  const debt = debtOf(record, outcome, nowMs)
  const over: MoveOutcome = {
    podName: record.podName,
    id: record.id,
    source: record.source,
    ...(record.target !== undefined && { target: record.target }),
    outcome: name,
    generation: record.generation,
    finishedAt: rfc3339(nowMs),
    totalMs: Math.round(nowMs - Date.parse(record.startedAt)),
    ...(outcome === 'Completed' &&
      record.quiescedAt && { downtimeMs: Math.round(nowMs - Date.parse(record.quiescedAt)) }),
    ...(record.failure && name !== 'Completed' && { failure: record.failure }),
  }
  const isNews = hasBegun(record)
  const event: MoveEvent = {
    type: name === 'Completed' ? 'Normal' : 'Warning',
    reason: `Migration${name}`,
    message: `migration ${record.id} of VM ${record.vmName}: ${record.failure?.message ?? name}`,
  }
  return {
    record: undefined,
    effects: [],
    events: isNews ? [...events, event] : events,
    ...(isNews && outcome !== 'Superseded' && { outcome: over }),
    ...(debt && { debt }),
  }
}

/** Nothing was done to the VM before. */
const hasBegun = ({ stage, direction }: MoveRecord) => stage !== 'Prepare' || direction === 'Undo'

/** The snapshot has served. After a success a newer state was seen; after a rollback that is still to be seen. */
function debtOf(record: MoveRecord, outcome: MoveOutcome['outcome'], nowMs: number): SnapshotDebt | undefined {
  if (!hasBegun(record) || outcome === 'Superseded') return undefined
  const isProven = outcome === 'Completed' || outcome === 'SnapshotLost'
  return {
    vmName: record.vmName,
    podName: record.podName,
    reason: 'migration',
    isProven,
    generation: record.generation,
    since: rfc3339(nowMs),
    attempts: 0,
    ...(isProven && record.digest !== undefined && { digest: record.digest }),
  }
}
