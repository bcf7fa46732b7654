/**
 * Takes one subcloud in: looks, decides by the stage table, writes the decision, then acts; again and again until
 * somebody else must do something. Everything it knows is in rows, so that whoever comes after a crash goes on.
 */
import { type Decision, decide, Retryable, Terminal } from '@godwit/core'
import { type Again, type Row, type Sql, updateRow, wakeWork } from '@godwit/store'
import type { Remote } from '../audit/member.ts'
import { QUEUES } from '../site.ts'
import { NO_ERROR, type Subcloud, updateSubcloud } from '../subcloud/rows.ts'
import type { AuditRequests } from './audit-requests.ts'
import { cursorColumns, type MemberOutcome, notWaiting, type StoredRun, waitingColumns } from './batch-rows.ts'
import { enterStage } from './cursor.ts'
import type { RehomeFacts } from './facts.ts'
import { askForAudit, attemptOf, releaseAtPeer } from './member-effects.ts'
import type { RehomePorts } from './ports.ts'
import type { RunWatch } from './run-watch.ts'
import { factsOf, lookAtPeer, type MemberScene, needsPeer, readMember } from './scene.ts'
import { A_SLOT, takeSlot } from './slots.ts'
import { HOLDS_SLOT, type RehomeEffect, type RehomeStage, rehomeTable } from './table.ts'

const CANCELLED = 'Cancelled'
const GONE = 'SubcloudGone'
/** The host of a run that is not heard of has ended it by then. */
const HOST_GRACE_MS = 60_000
/** Somebody wakes the member when what it waits for has happened; this is for a wake that was lost. */
const LOOK_AGAIN_MS = 2_000
const LOOK_SELDOM_MS = 10_000
const MAX_ERROR_LENGTH = 2_048
/** Far more than the table has stages and steps, both ways. */
const MAX_STEPS = 100

type Verdict = Decision<RehomeEffect, RehomeStage>
interface View {
  readonly scene: MemberScene
  readonly subcloud: Subcloud
  readonly facts: RehomeFacts
}
/** `look`: something changed, decide anew; a number: look again after so many milliseconds; undefined: when woken. */
type Next = 'look' | number | undefined

export class MemberWorker {
  readonly #ports: RehomePorts
  readonly #watch: RunWatch
  readonly #audits: AuditRequests

  constructor(ports: RehomePorts, watch: RunWatch, audits: AuditRequests) {
    this.#ports = ports
    this.#watch = watch
    this.#audits = audits
  }

  async perform(id: number, signal: AbortSignal): Promise<Again> {
    for (let step = 0; step < MAX_STEPS; step++) {
      if (signal.aborted) return 0
      const next = await this.#step(id, signal)
      if (next !== 'look') return next
    }
    throw new Retryable(`member ${id} changes without end`)
  }

  async #step(id: number, signal: AbortSignal): Promise<Next> {
    const scene = await this.#ports.site.database.transaction(sql => readMember(sql, id))
    if (!scene || scene.member.startedMs === undefined || scene.member.endedMs !== undefined) return undefined
    const { subcloud } = scene
    if (!subcloud) return await this.#end(scene, 'failed', { code: GONE, message: `${scene.member.name} is gone` })
    const view = { scene, subcloud, facts: factsOf(scene, subcloud, await this.#remote(scene, subcloud)) }
    return await this.#carryOut(view, verdictOf(view), signal)
  }

  async #remote(scene: MemberScene, subcloud: Subcloud): Promise<Remote> {
    if (!scene.peer || !needsPeer(scene)) return { kind: 'unread' }
    return await lookAtPeer(this.#ports.peerSite(scene.peer), subcloud.region)
  }

  async #carryOut(view: View, verdict: Verdict, signal: AbortSignal): Promise<Next> {
    switch (verdict.kind) {
      case 'act':
        return await this.#act(view, verdict, signal)
      case 'wait':
        return await this.#wait(view, verdict, signal)
      case 'advance':
        return await this.#advance(view, verdict.to)
      case 'compensate':
        return await this.#compensate(view, verdict)
      case 'finish':
        return await this.#end(view.scene, endOf(verdict.outcome, view.scene))
      case 'ask':
        // What is still owed is the other site's to find out, by its own audit.
        return await this.#end(view.scene, endOf('undone', view.scene), { note: verdict.message })
    }
  }

  /** A row of ours is written with the decision; a call to somebody else follows it. */
  async #act(view: View, { effects, step }: Extract<Verdict, { kind: 'act' }>, signal: AbortSignal): Promise<Next> {
    const [effect] = effects
    if (!effect) throw new Error(`no effect in the step: ${step}`)
    switch (effect.kind) {
      case 'claim':
      case 'manage':
      case 'mark':
        return await this.#writeSubcloud(view, effect)
      case 'run':
        await this.#write(view.scene, runColumns(view, this.#ports.executor.host), async sql =>
          updateSubcloud(sql, view.subcloud, { deploy_status: 'rehoming' }),
        )
        return 'look'
      default:
        // An effect that is tried again says so already.
        if (!isEntered(view.scene)) await this.#write(view.scene, entered(view.scene, step))
        return await this.#perform(view, effect, signal)
    }
  }

  async #writeSubcloud(
    { scene, subcloud }: View,
    effect: Extract<RehomeEffect, { kind: 'claim' | 'manage' | 'mark' }>,
  ): Promise<Next> {
    const columns = effect.kind === 'claim' ? { wanted_epoch: effect.ownerEpoch } : {}
    await this.#write(scene, { ...entered(scene), ...columns }, async sql => {
      await updateSubcloud(sql, subcloud, subcloudColumns(scene, effect))
      await wakeWork(sql, QUEUES.availability, String(subcloud.id))
    })
    return 'look'
  }

  async #perform(view: View, effect: RehomeEffect, signal: AbortSignal): Promise<Next> {
    const { scene, subcloud } = view
    try {
      if (effect.kind === 'prepare') {
        await this.#ports.executor.prepare(attemptOf(scene, subcloud))
        await this.#rewrite(scene.member.id, { is_prepared: 1 })
      } else if (effect.kind === 'release') {
        await releaseAtPeer(this.#ports, scene, subcloud, effect.ownerEpoch)
      } else if (effect.kind === 'report-failure') {
        await askForAudit(this.#ports, this.#audits, scene)
        await this.#rewrite(scene.member.id, { is_failure_reported: 1 })
      }
    } catch (error) {
      if (signal.aborted) return 0
      if (error instanceof Terminal) return await this.#compensate(view, error)
      return await this.#putOff(view, error)
    }
    // A release that was answered is proven by the next look only, and one that changed nothing is not asked at once.
    return effect.kind === 'release' ? await this.#afterRelease(view) : 'look'
  }

  async #afterRelease({ scene, subcloud }: View): Promise<Next> {
    const current = await this.#ports.site.database.transaction(sql => readMember(sql, scene.member.id))
    if (!current) return undefined
    const facts = factsOf(current, subcloud, await this.#remote(current, subcloud))
    return verdictOf({ scene: current, subcloud, facts }).kind === 'act' ? LOOK_AGAIN_MS : 'look'
  }

  async #putOff({ scene }: View, error: unknown): Promise<Next> {
    const { name, batchId } = scene.member
    const text = error instanceof Error ? error.message : String(error)
    this.#ports.site.logger.debug({ batch: batchId, subcloud: name, error: text }, 'an effect is tried again')
    const waitsFor = `another attempt, after: ${text}`.slice(0, MAX_ERROR_LENGTH)
    await this.#rewrite(scene.member.id, waitingColumns(scene.member, waitsFor, 'the other side', scene.nowMs))
    return untilDeadline(scene, LOOK_AGAIN_MS)
  }

  async #wait(view: View, { waitsFor, who }: Extract<Verdict, { kind: 'wait' }>, signal: AbortSignal): Promise<Next> {
    const { scene } = view
    const { cursor, run } = scene.member
    const columns = waitingColumns(scene.member, waitsFor, who, scene.nowMs)
    if (Object.keys(columns).length > 0) await this.#write(scene, columns)
    if (cursor.stage === 'Running' && cursor.direction === 'Forward' && run?.kind === 'under-way')
      return await this.#join(view, run, signal)
    return untilDeadline(scene, cursor.stage === 'Adopting' ? LOOK_SELDOM_MS : LOOK_AGAIN_MS)
  }

  /** The run of this attempt, whoever started it. Another host's cannot be joined: it is waited for, and given up. */
  async #join(view: View, run: Extract<StoredRun, { kind: 'under-way' }>, signal: AbortSignal): Promise<Next> {
    const { scene, subcloud } = view
    const { executor, site } = this.#ports
    const { host, totalLimitMs } = executor
    if (run.host !== host) {
      if (scene.nowMs < run.startedMs + totalLimitMs + HOST_GRACE_MS) return LOOK_SELDOM_MS
      return await this.#writeRun(scene, run, { kind: 'interrupted', reason: `${run.host}, which ran it, is gone` })
    }
    const watched = this.#watch.open(scene.batch.id)
    const overdue = new AbortController()
    const leftMs = (scene.member.cursor.deadlineMs ?? Number.POSITIVE_INFINITY) - scene.nowMs
    const stopTimer = Number.isFinite(leftMs)
      ? site.clock.after(leftMs, () => overdue.abort('its time is over'))
      : undefined
    try {
      const cancel = AbortSignal.any([watched.cancelled, overdue.signal])
      const outcome = await executor.run(attemptOf(scene, subcloud), { cancel, leave: signal })
      return outcome ? await this.#writeRun(scene, run, outcome) : 0
    } finally {
      stopTimer?.()
      watched.close()
    }
  }

  async #writeRun(
    { member }: MemberScene,
    { startedMs }: StoredRun,
    outcome: Exclude<RehomeFacts['run'], { kind: 'none' | 'under-way' }>,
  ): Promise<Next> {
    this.#log(member.batchId, member.name, { run: outcome.kind }, 'a run has ended')
    await this.#rewrite(member.id, sql =>
      sql.nowMs().then(endedMs => ({ run: JSON.stringify({ ...outcome, startedMs, endedMs }) })),
    )
    return 'look'
  }

  async #advance({ scene }: View, to: RehomeStage): Promise<Next> {
    const { cursor } = scene.member
    const columns = {
      ...cursorColumns(enterStage(rehomeTable, to, cursor.direction, scene.nowMs)),
      ...notWaiting(scene.nowMs),
    }
    const takes = cursor.direction === 'Forward' && HOLDS_SLOT.includes(to) && !HOLDS_SLOT.includes(cursor.stage)
    if (!takes) {
      await this.#write(scene, columns, sql => this.#afterMove(sql, scene, to))
      return 'look'
    }
    const width = scene.group?.maxRehoming ?? 1
    const hasSlot = await this.#ports.site.database.transaction(async sql => {
      const isFree = await takeSlot(sql, scene.batch.id, width)
      const waiting = waitingColumns(scene.member, A_SLOT, 'members that run', scene.nowMs)
      await updateRow(sql, 'batch_member', scene.member, isFree ? columns : waiting)
      return isFree
    })
    // The batch grants slots as they become free.
    return hasSlot ? 'look' : LOOK_SELDOM_MS
  }

  async #afterMove(sql: Sql, { member }: MemberScene, to: RehomeStage): Promise<void> {
    if (to !== 'Adopting' || member.cursor.direction === 'Undo') return
    await wakeWork(sql, QUEUES.batch, String(member.batchId))
    await wakeWork(sql, QUEUES.availability, String(member.subcloudId))
  }

  /** A playbook that still runs is ended first: the subcloud may be tried again as soon as it is marked. */
  async #compensate(
    { scene }: View,
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<Next> {
    const { member } = scene
    if (member.run?.kind === 'under-way' && member.run.host === this.#ports.executor.host)
      await this.#ports.executor.discard(member.runId)
    this.#log(member.batchId, member.name, { stage: member.cursor.stage, code }, 'a rehome is taken back')
    await this.#rewrite(
      member.id,
      {
        ...cursorColumns(enterStage(rehomeTable, member.cursor.stage, 'Undo', scene.nowMs)),
        ...notWaiting(scene.nowMs),
        code: scene.batch.cancelledMs !== undefined && code === 'PlaybookInterrupted' ? CANCELLED : code,
        message: message.slice(0, MAX_ERROR_LENGTH),
      },
      sql => wakeWork(sql, QUEUES.batch, String(member.batchId)),
    )
    return 'look'
  }

  async #end(
    scene: MemberScene,
    outcome: MemberOutcome,
    why: { readonly code?: string; readonly message?: string; readonly note?: string } = {},
  ): Promise<Next> {
    const { member } = scene
    await this.#ports.executor.discard(member.runId)
    const { code, message, note } = why
    await this.#write(
      scene,
      {
        ...notWaiting(scene.nowMs),
        ended_ms: scene.nowMs,
        outcome,
        ...(code !== undefined && { code, message: message ?? null }),
        ...(note !== undefined && { message: `${member.message ?? ''} (${note})`.slice(0, MAX_ERROR_LENGTH) }),
      },
      async sql => {
        await wakeWork(sql, QUEUES.batch, String(member.batchId))
        await wakeWork(sql, QUEUES.availability, String(member.subcloudId))
      },
    )
    this.#log(member.batchId, member.name, { outcome, code: member.code ?? code }, 'a rehome has ended')
    return undefined
  }

  /** @throws Retryable when the member has changed since it was read */
  async #write({ member }: MemberScene, columns: Row, also?: (sql: Sql) => Promise<unknown>): Promise<void> {
    await this.#ports.site.database.transaction(async sql => {
      await updateRow(sql, 'batch_member', member, columns)
      await also?.(sql)
    })
  }

  /** After an effect: what it showed is true whatever was written meanwhile, while the member is open. */
  async #rewrite(
    id: number,
    columns: Row | ((sql: Sql) => Promise<Row>),
    also?: (sql: Sql) => Promise<unknown>,
  ): Promise<void> {
    await this.#ports.site.database.transaction(async sql => {
      const current = await readMember(sql, id)
      if (!current || current.member.endedMs !== undefined) throw new Retryable(`member ${id} has ended`)
      await updateRow(sql, 'batch_member', current.member, typeof columns === 'function' ? await columns(sql) : columns)
      await also?.(sql)
    })
  }

  #log(batch: number, subcloud: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#ports.site.logger.info({ batch, subcloud, ...fields }, message)
  }
}

/** The table decides; a cancel is a reason to take back whatever has not changed its home. */
function verdictOf({ scene, facts }: View): Verdict {
  const { cursor, run } = scene.member
  const isBefore = cursor.stage !== 'Adopting' && cursor.stage !== 'Managing' && run === undefined
  if (scene.batch.cancelledMs !== undefined && cursor.direction === 'Forward' && isBefore)
    return { kind: 'compensate', stage: cursor.stage, code: CANCELLED, message: 'the batch was cancelled' }
  return decide(rehomeTable, cursor, facts, scene.nowMs)
}

function endOf(outcome: 'done' | 'undone', { member }: MemberScene): MemberOutcome {
  if (outcome === 'done') return 'complete'
  return member.code === CANCELLED && member.run === undefined ? 'cancelled' : 'failed'
}

const isEntered = ({ member }: MemberScene) => member.cursor.entered && member.waitsFor !== undefined

const entered = ({ member, nowMs }: MemberScene, step?: string): Row => ({
  entered: 1,
  ...(step === undefined ? notWaiting(nowMs) : waitingColumns(member, step, 'this site', nowMs)),
})

const runColumns = ({ scene }: View, host: string): Row => ({
  ...entered(scene),
  run: JSON.stringify({ kind: 'under-way', host, startedMs: scene.nowMs }),
})

function subcloudColumns(
  { member, batch }: MemberScene,
  effect: Extract<RehomeEffect, { kind: 'claim' | 'manage' | 'mark' }>,
): Row {
  switch (effect.kind) {
    case 'claim':
      return {
        owner_epoch: effect.ownerEpoch,
        deploy_status: 'pre-rehome',
        error_description: NO_ERROR,
        answered_ms: null,
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

/** Not later than the deadline, which is a decision of its own. */
function untilDeadline({ member, nowMs }: MemberScene, delayMs: number): number {
  const { deadlineMs } = member.cursor
  return deadlineMs === undefined ? delayMs : Math.max(0, Math.min(delayMs, deadlineMs - nowMs))
}
