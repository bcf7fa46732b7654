/**
 * As far as a member gets in one transaction: decides by the stage table and writes each decision, until something
 * outside must happen first. What that is, is returned; it is done after the commit, never before.
 */
import { type Decision, decide } from '@godwit/core'
import type { Row, Sql } from '@godwit/store'
import type { Remote } from '../audit/member.ts'
import { AUDIT_SOON_MS, QUEUES } from '../site.ts'
import { NO_ERROR, updateSubcloud } from '../subcloud/rows.ts'
import { type BatchMember, cursorColumns, type MemberOutcome, notWaiting, waitingColumns } from './batch-rows.ts'
import { enterStage } from './cursor.ts'
import { MemberDraft } from './member-draft.ts'
import type { Failure, News, SubcloudScene, Wish } from './member-wish.ts'
import type { Note } from './noted.ts'
import { factsOf, type MemberScene, needsPeer, peerHealth, readMember } from './scene.ts'
import type { KnownRows, SharedRows } from './shared-rows.ts'
import { passSlot, takeSlot } from './slots.ts'
import { HOLDS_SLOT, isReleased, type RehomeEffect, type RehomeStage, rehomeTable } from './table.ts'

export interface StepContext {
  readonly sql: Sql
  readonly known?: KnownRows
  readonly news: News
  /** Nothing of the run is left at its executor, as far as this process knows. */
  readonly isDiscarded: boolean
  /** Where runs of this process live. */
  readonly host: string
  readonly note: Note
}

export interface Step {
  readonly wish: Wish
  /** Id of the member that was woken for the slot that this one has left. */
  readonly next?: number | undefined
  readonly shared?: SharedRows
}

interface Context extends StepContext {
  readonly draft: MemberDraft
}

type Verdict = Decision<RehomeEffect, RehomeStage>
/** The next view, or what must happen before there is one. */
type Outcome = SubcloudScene | Wish

const CANCELLED = 'Cancelled'
const GONE = 'SubcloudGone'
/** Somebody wakes the member when what it waits for has happened; this is for a wake that was lost. */
export const LOOK_AGAIN_MS = 2_000
export const LOOK_SELDOM_MS = 10_000
/** By the audit of subclouds, and by whoever frees a slot. */
const IS_WOKEN: readonly RehomeStage[] = ['Queueing', 'Adopting']
const MAX_TEXT_LENGTH = 2_048
/** Far more than the table has stages and steps, both ways. */
const MAX_DECISIONS = 100

const rest = (afterMs?: number): Extract<Wish, { kind: 'rest' }> => ({ kind: 'rest', afterMs })

export async function stepMember(id: number, given: StepContext): Promise<Step> {
  const scene = await readMember(given.sql, id, given.known)
  if (!scene || scene.member.startedMs === undefined || scene.member.endedMs !== undefined) return { wish: rest() }
  const draft = new MemberDraft(scene.row)
  const wish = await step({ ...given, draft }, scene)
  await draft.save(given.sql)
  const hasLeft = holdsSlot(scene.member) && !holdsSlot(draft.member)
  const { batch, group, peer } = scene
  return { wish, next: hasLeft ? await passSlot(given.sql, batch.id) : undefined, shared: { batch, group, peer } }
}

const holdsSlot = ({ cursor: { stage, direction }, endedMs }: BatchMember) =>
  endedMs === undefined && direction === 'Forward' && HOLDS_SLOT.includes(stage)

const widthOf = ({ group }: MemberScene) => group?.maxRehoming ?? 1

async function step(context: Context, read: MemberScene): Promise<Wish> {
  const scene = await applyNews(context, read)
  const { subcloud } = scene
  if (!subcloud) return end(context, scene, 'failed', { code: GONE, message: `${scene.member.name} is gone` })
  const { failure, error } = context.news
  if (error !== undefined) return rest(untilDeadline(scene, LOOK_AGAIN_MS))
  let outcome: Outcome = failure ? compensate(context, { scene, subcloud }, failure) : { scene, subcloud }
  let remote = context.news.remote ?? (mayForesee(scene) ? context.news.foreseen : undefined)
  for (let count = 0; count < MAX_DECISIONS && !('kind' in outcome); count++) {
    const view: SubcloudScene = outcome
    if (remote === undefined && needsPeer(view.scene, context.host)) return { kind: 'look at peer', ...view }
    outcome = await carryOut(context, view, remote ?? { kind: 'unread' })
    // What was seen before our own claim, or in another stage, is no proof any more.
    if (!('kind' in outcome) && hasMoved(view, outcome))
      remote = isFor(context.news, outcome) ? context.news.remote : undefined
  }
  if (!('kind' in outcome)) throw new Error(`member ${read.member.id} changes without end`)
  return outcome
}

/** Of a peer that was given up since nobody knows what it has counted. */
const mayForesee = (scene: MemberScene) => {
  const { cursor, wantedEpoch } = scene.member
  const isUnclaimed = cursor.stage === 'Claiming' && cursor.direction === 'Forward' && wantedEpoch === 0
  return isUnclaimed && peerHealth(scene) === 'available'
}

const isFor = ({ remoteFor }: News, { scene }: SubcloudScene) =>
  scene.member.cursor.stage === remoteFor && scene.member.cursor.direction === 'Forward'

const hasMoved = (before: SubcloudScene, after: SubcloudScene) =>
  before.subcloud.ownerEpoch !== after.subcloud.ownerEpoch ||
  before.scene.member.cursor.stage !== after.scene.member.cursor.stage ||
  before.scene.member.cursor.direction !== after.scene.member.cursor.direction

async function applyNews(context: Context, scene: MemberScene): Promise<MemberScene> {
  const { columns, error, presence } = context.news
  if (presence === 'online' && scene.subcloud && isAdopting(scene))
    return { ...scene, subcloud: await updateSubcloud(context.sql, scene.subcloud, { answered_ms: scene.nowMs }) }
  if (error !== undefined) {
    const text = `another attempt, after: ${error}`.slice(0, MAX_TEXT_LENGTH)
    return write(context, scene, waitingColumns(scene.member, text, 'the other side', scene.nowMs))
  }
  return columns ? write(context, scene, columns(scene.nowMs)) : scene
}

const isAdopting = ({ member: { cursor } }: MemberScene) =>
  cursor.stage === 'Adopting' && cursor.direction === 'Forward'

/** The table decides; a cancel is a reason to take back whatever has not changed its home. */
async function verdictOf({ sql }: Context, { scene, subcloud }: SubcloudScene, remote: Remote): Promise<Verdict> {
  const { cursor, run } = scene.member
  const isBefore = cursor.stage !== 'Adopting' && cursor.stage !== 'Managing' && run === undefined
  if (scene.batch.cancelledMs !== undefined && cursor.direction === 'Forward' && isBefore)
    return { kind: 'compensate', stage: cursor.stage, code: CANCELLED, message: 'the batch was cancelled' }
  const isQueueing = cursor.stage === 'Queueing' && cursor.direction === 'Forward'
  const isSlotFree = isQueueing && (await takeSlot(sql, scene.batch.id, widthOf(scene)))
  return decide(rehomeTable, cursor, factsOf({ ...scene, isSlotFree }, subcloud, remote), scene.nowMs)
}

async function carryOut(context: Context, view: SubcloudScene, remote: Remote): Promise<Outcome> {
  const verdict = await verdictOf(context, view, remote)
  switch (verdict.kind) {
    case 'act':
      return await act(context, view, verdict)
    case 'wait':
      return isOwnRun(context, view) ? waitForRun(context, view, verdict, remote) : wait(context, view, verdict)
    case 'advance':
      return advance(context, view, verdict.to)
    case 'compensate':
      return compensate(context, view, verdict)
    case 'finish':
      return end(context, view.scene, endOf(verdict.outcome, view.scene))
    case 'ask':
      // What is still owed is the other site's to find out, by its own audit.
      return end(context, view.scene, endOf('undone', view.scene), { note: verdict.message })
  }
}

/** A row of ours is written with the decision; a call to somebody else follows it. */
async function act(
  context: Context,
  view: SubcloudScene,
  { effects, step }: Extract<Verdict, { kind: 'act' }>,
): Promise<Outcome> {
  const { scene, subcloud } = view
  const [effect] = effects
  if (!effect) throw new Error(`no effect in the step: ${step}`)
  switch (effect.kind) {
    case 'claim':
    case 'manage':
    case 'mark':
      return await writeSubcloud(context, view, effect)
    case 'run': {
      const run = JSON.stringify({ kind: 'under-way', host: context.host, startedMs: scene.nowMs })
      const after = write(context, scene, { entered: 1, ...notWaiting(scene.nowMs), run })
      return { scene: after, subcloud: await updateSubcloud(context.sql, subcloud, { deploy_status: 'rehoming' }) }
    }
    case 'release':
      // Asked already, and not done: what the other site says of itself says why. It is asked again in a while.
      if (context.news.hasAsked) return rest(untilDeadline(scene, LOOK_AGAIN_MS))
      return { kind: 'perform', effect, scene: enter(context, scene, step), subcloud }
    default:
      return { kind: 'perform', effect, scene: enter(context, scene, step), subcloud }
  }
}

/** An effect that is tried again says so already. */
function enter(context: Context, scene: MemberScene, step: string): MemberScene {
  if (scene.member.cursor.entered && scene.member.waitsFor !== undefined) return scene
  return write(context, scene, { entered: 1, ...waitingColumns(scene.member, step, 'this site', scene.nowMs) })
}

async function writeSubcloud(
  context: Context,
  { scene, subcloud }: SubcloudScene,
  effect: Extract<RehomeEffect, { kind: 'claim' | 'manage' | 'mark' }>,
): Promise<SubcloudScene> {
  const epoch = effect.kind === 'claim' ? { wanted_epoch: effect.ownerEpoch } : {}
  const after = write(context, scene, { entered: 1, ...notWaiting(scene.nowMs), ...epoch })
  // One that is claimed was not asked for before, and is not now.
  if (effect.kind !== 'claim') context.draft.wake(QUEUES.availability, subcloud.id, AUDIT_SOON_MS)
  return { scene: after, subcloud: await updateSubcloud(context.sql, subcloud, subcloudColumns(scene, effect)) }
}

function subcloudColumns(
  { member, batch }: MemberScene,
  effect: Extract<RehomeEffect, { kind: 'claim' | 'manage' | 'mark' }>,
): Row {
  switch (effect.kind) {
    case 'claim': {
      const { ownerEpoch: owner_epoch } = effect
      return { owner_epoch, deploy_status: 'pre-rehome', error_description: NO_ERROR, answered_ms: null }
    }
    case 'manage':
      return {
        deploy_status: 'complete',
        rehomed: 1,
        ...(batch.groupId !== 0 && { management_state: 'managed', availability_status: 'online', audit_fail_count: 0 }),
      }
    case 'mark':
      return { deploy_status: effect.deployStatus, error_description: member.message ?? NO_ERROR }
  }
}

/** Asked for here: nobody but its executor knows whether it was started. */
function isOwnRun({ host }: StepContext, { scene }: SubcloudScene): boolean {
  const { cursor, run } = scene.member
  const isRunning = cursor.stage === 'Running' && cursor.direction === 'Forward'
  return isRunning && run?.kind === 'under-way' && run.host === host
}

/** To join is to start what was not started yet: only while the subcloud is not the other site's. What runs goes on. */
function waitForRun(
  context: Context,
  view: SubcloudScene,
  verdict: Extract<Verdict, { kind: 'wait' }>,
  remote: Remote,
): Outcome {
  const { scene, subcloud } = view
  const released = isReleased.check(factsOf(scene, subcloud, remote))
  if (released.kind === 'holds') return wait(context, view, verdict)
  if (released.kind === 'fails') return compensate(context, view, released)
  const columns = waitingColumns(scene.member, released.waitsFor, released.who, scene.nowMs)
  const after = write(context, scene, columns)
  // One that came back meanwhile may have it in its books still.
  if (remote.kind === 'member' && !context.news.hasAsked) {
    const effect = { kind: 'release', ownerEpoch: scene.member.wantedEpoch } as const
    return { kind: 'perform', effect, scene: after, subcloud }
  }
  return rest(untilDeadline(after, LOOK_AGAIN_MS))
}

function wait(
  context: Context,
  { scene, subcloud }: SubcloudScene,
  { waitsFor, who }: Extract<Verdict, { kind: 'wait' }>,
): Wish {
  const after = write(context, scene, waitingColumns(scene.member, waitsFor, who, scene.nowMs))
  const { cursor, run } = after.member
  if (cursor.stage === 'Running' && cursor.direction === 'Forward' && run?.kind === 'under-way')
    return { kind: 'join', run, scene: after, subcloud }
  // Mostly it answers at once; the audit of subclouds goes on asking otherwise, and wakes the member.
  if (isAdopting(after) && context.news.endedRunId !== undefined)
    return { kind: 'ask subcloud', scene: after, subcloud }
  const again = rest(untilDeadline(after, IS_WOKEN.includes(cursor.stage) ? LOOK_SELDOM_MS : LOOK_AGAIN_MS))
  return cursor.stage === 'Queueing' ? { ...again, queues: { scene: after, subcloud } } : again
}

function advance(context: Context, { scene, subcloud }: SubcloudScene, to: RehomeStage): Outcome {
  const { cursor, batchId, subcloudId } = scene.member
  if (cursor.direction === 'Forward') {
    // Whoever is ready makes room for another one to get ready; whoever has its home frees its slot.
    if (to === 'Queueing' || to === 'Adopting') context.draft.wake(QUEUES.batch, batchId)
    if (to === 'Adopting') context.draft.wake(QUEUES.availability, subcloudId, AUDIT_SOON_MS)
  }
  const moved = cursorColumns(enterStage(rehomeTable, to, cursor.direction, scene.nowMs))
  const queued = cursor.stage === 'Queueing' ? { queued_ms: queuedMs(scene) } : {}
  return { scene: write(context, scene, { ...moved, ...notWaiting(scene.nowMs), ...queued }), subcloud }
}

const queuedMs = ({ member: { waitsFor, queuedMs: before, sinceMs }, nowMs }: MemberScene) =>
  before + (waitsFor === undefined ? 0 : Math.max(0, nowMs - sinceMs))

/** A playbook that still runs is ended first: the subcloud may be tried again as soon as it is marked. */
function compensate(context: Context, { scene, subcloud }: SubcloudScene, failure: Failure): Outcome {
  const { draft, host, note, isDiscarded } = context
  const { member, batch, nowMs } = scene
  if (member.run?.kind === 'under-way' && member.run.host === host && !isDiscarded)
    return { kind: 'discard', runId: member.runId, memberId: member.id, failure }
  const isInterrupted = batch.cancelledMs !== undefined && failure.code === 'PlaybookInterrupted'
  const code = isInterrupted ? CANCELLED : failure.code
  note({ ...named(scene), stage: member.cursor.stage, code }, 'a rehome is taken back')
  draft.wake(QUEUES.batch, member.batchId)
  const after = write(context, scene, {
    ...cursorColumns(enterStage(rehomeTable, member.cursor.stage, 'Undo', nowMs)),
    ...notWaiting(nowMs),
    code,
    message: failure.message.slice(0, MAX_TEXT_LENGTH),
  })
  return { scene: after, subcloud }
}

function end(
  context: Context,
  scene: MemberScene,
  outcome: MemberOutcome,
  why: { readonly code?: string; readonly message?: string; readonly note?: string } = {},
): Wish {
  const { draft, note, isDiscarded } = context
  const { member, nowMs } = scene
  if (member.run && !isDiscarded) return { kind: 'discard', runId: member.runId, memberId: member.id }
  const { code = member.code, note: owed } = why
  const message = why.message ?? member.message
  const text = owed === undefined ? message : `${message ?? ''} (${owed})`
  write(context, scene, {
    ...notWaiting(nowMs),
    ended_ms: nowMs,
    outcome,
    code: code ?? null,
    message: text?.slice(0, MAX_TEXT_LENGTH) ?? null,
  })
  draft.wake(QUEUES.batch, member.batchId)
  // One that never came online is asked for still, once nobody waits for it any more (H4).
  if (outcome !== 'complete') draft.wake(QUEUES.availability, member.subcloudId)
  note({ ...named(scene), outcome, code }, 'a rehome has ended')
  return rest()
}

function endOf(outcome: 'done' | 'undone', { member }: MemberScene): MemberOutcome {
  if (outcome === 'done') return 'complete'
  return member.code === CANCELLED && member.run === undefined ? 'cancelled' : 'failed'
}

const write = ({ draft }: Context, scene: MemberScene, columns: Row): MemberScene =>
  Object.keys(columns).length > 0 ? { ...scene, member: draft.change(columns) } : scene

const named = ({ batch, member }: MemberScene) => ({
  operation: batch.operationId,
  subcloud: member.name,
  epoch: member.wantedEpoch,
})

/** Not later than the deadline, which is a decision of its own. */
export function untilDeadline({ member, nowMs }: MemberScene, delayMs: number): number {
  const { deadlineMs } = member.cursor
  return deadlineMs === undefined ? delayMs : Math.max(0, Math.min(delayMs, deadlineMs - nowMs))
}
