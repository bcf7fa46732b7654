/** A batch as operators follow it: stages, what is waited for, progress, and when it will be over. Pure. */
import type { Batch, BatchMember, BatchOutcome } from './batch-rows.ts'

/** As `GET /v1.0/operations` shows it. Times are RFC 3339 in UTC. */
export interface OperationView {
  readonly operation_id: string
  readonly peer_group_name: string
  readonly requested_by: string
  readonly stage: string
  readonly outcome: BatchOutcome | null
  readonly waits_for: string | null
  readonly waits_on: string | null
  readonly since: string
  readonly created_at: string
  readonly ended_at: string | null
  readonly is_cancelled: boolean
  readonly progress: {
    readonly total: number
    readonly complete: number
    readonly failed: number
    readonly cancelled: number
    readonly under_way: number
    readonly not_begun: number
    /** Of 100, members that have ended. */
    readonly percent: number
  }
  /** null: nothing has ended yet that it could be guessed from, or all has ended. */
  readonly eta: string | null
  readonly subclouds: readonly MemberView[]
}

interface MemberView {
  readonly name: string
  readonly stage: string
  readonly direction: string
  readonly waits_for: string | null
  readonly waits_on: string | null
  readonly since: string
  readonly outcome: string | null
  readonly code: string | null
  readonly message: string | null
}

export function operationView(batch: Batch, members: readonly BatchMember[], nowMs: number): OperationView {
  const etaMs = batch.endedMs === undefined ? etaMsOf(members, nowMs) : undefined
  return {
    operation_id: batch.operationId,
    peer_group_name: batch.groupName,
    requested_by: batch.requestedBy,
    stage: batch.endedMs === undefined ? batch.cursor.stage : 'Ended',
    outcome: batch.outcome ?? null,
    waits_for: batch.waitsFor ?? null,
    waits_on: batch.waitsOn ?? null,
    since: instant(batch.sinceMs),
    created_at: batch.createdAt,
    ended_at: batch.endedMs === undefined ? null : instant(batch.endedMs),
    is_cancelled: batch.cancelledMs !== undefined,
    progress: progressOf(members),
    eta: etaMs === undefined ? null : instant(etaMs),
    subclouds: members.map(viewOf),
  }
}

export function batchOutcome(batch: Pick<Batch, 'cancelledMs'>, members: readonly BatchMember[]): BatchOutcome {
  const complete = members.filter(({ outcome }) => outcome === 'complete').length
  if (complete === members.length) return 'complete'
  if (batch.cancelledMs !== undefined) return 'cancelled'
  return complete === 0 ? 'failed' : 'partly-failed'
}

/**
 * When the last member will have ended, if those to come take as long as those that ended, as many at once as now.
 * undefined: no member that ran has ended yet.
 */
export function etaMsOf(members: readonly BatchMember[], nowMs: number): number | undefined {
  const tookMs = members.flatMap(({ run, startedMs, endedMs }) =>
    run && startedMs !== undefined && endedMs !== undefined ? [endedMs - startedMs] : [],
  )
  const meanMs = tookMs.reduce((sum, each) => sum + each, 0) / tookMs.length
  const open = members.filter(({ endedMs }) => endedMs === undefined)
  if (tookMs.length === 0 || open.length === 0) return undefined
  const leftMs = open.map(({ startedMs }) => (startedMs === undefined ? meanMs : meanMs - (nowMs - startedMs)))
  const atOnce = Math.max(1, open.filter(({ startedMs }) => startedMs !== undefined).length)
  const workMs = leftMs.reduce((sum, each) => sum + Math.max(0, each), 0)
  return Math.round(nowMs + Math.max(workMs / atOnce, ...leftMs))
}

function progressOf(members: readonly BatchMember[]): OperationView['progress'] {
  const ended = (wanted: string) => members.filter(({ outcome }) => outcome === wanted).length
  const open = members.filter(({ endedMs }) => endedMs === undefined)
  const notBegun = open.filter(({ startedMs }) => startedMs === undefined).length
  const total = members.length
  return {
    total,
    complete: ended('complete'),
    failed: ended('failed'),
    cancelled: ended('cancelled'),
    under_way: open.length - notBegun,
    not_begun: notBegun,
    percent: total === 0 ? 100 : Math.floor((100 * (total - open.length)) / total),
  }
}

const viewOf = (member: BatchMember): MemberView => ({
  name: member.name,
  stage: stageShown(member),
  direction: member.cursor.direction,
  waits_for: member.waitsFor ?? null,
  waits_on: member.waitsOn ?? null,
  since: instant(member.sinceMs),
  outcome: member.outcome ?? null,
  code: member.code ?? null,
  message: member.message ?? null,
})

function stageShown({ cursor, startedMs, endedMs }: BatchMember): string {
  if (endedMs !== undefined) return 'Ended'
  return startedMs === undefined ? 'NotBegun' : cursor.stage
}

const instant = (epochMs: number) => new Date(epochMs).toISOString()
