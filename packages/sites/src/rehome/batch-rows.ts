/** A batch and its members as rows: what is durable of one migrate request. */
import type { Cursor, Direction } from '@godwit/core'
import { clearValue, type Row, type Value } from '@godwit/store'
import type { RunOutcome } from '../ansible/playbook-runner.ts'
import type { BatchStage } from './batch-table.ts'
import type { RehomeStage } from './table.ts'

/** Why a cursor stands where it stands, and since when. Times in milliseconds of the database. */
export interface Waiting {
  readonly waitsFor: string | undefined
  /** Who can bring it about. */
  readonly waitsOn: string | undefined
  readonly sinceMs: number
}

export type BatchOutcome = 'complete' | 'failed' | 'partly-failed' | 'cancelled'
export type MemberOutcome = 'complete' | 'failed' | 'cancelled'

export interface Batch extends Waiting {
  readonly id: number
  readonly version: number
  readonly operationId: string
  /** 0: of no group, a subcloud that is taken in alone. */
  readonly groupId: number
  readonly groupName: string
  readonly requestedBy: string
  /** undefined once the batch has ended. */
  readonly sysadminPassword: string | undefined
  readonly cursor: Cursor<BatchStage>
  readonly isReported: boolean
  readonly cancelledMs: number | undefined
  readonly startedMs: number | undefined
  readonly endedMs: number | undefined
  readonly outcome: BatchOutcome | undefined
  readonly createdAt: string
}

/** `under-way`: asked for, on that host; whether it was started, only the executor of that host knows. */
export type StoredRun =
  | { readonly kind: 'under-way'; readonly host: string; readonly startedMs: number }
  | (RunOutcome & { readonly startedMs: number; readonly endedMs: number })

export interface BatchMember extends Waiting {
  readonly id: number
  readonly version: number
  readonly batchId: number
  readonly subcloudId: number
  readonly name: string
  readonly cursor: Cursor<RehomeStage>
  /** Of this attempt; 0 until it is claimed. */
  readonly wantedEpoch: number
  readonly runId: string
  readonly run: StoredRun | undefined
  readonly isPrepared: boolean
  readonly isFailureReported: boolean
  /** In all, that it has waited for a slot. */
  readonly queuedMs: number
  /** undefined: not begun. */
  readonly startedMs: number | undefined
  readonly endedMs: number | undefined
  readonly outcome: MemberOutcome | undefined
  /** Of the failure, from the moment in which it was decided. */
  readonly code: string | undefined
  readonly message: string | undefined
}

export const batchOf = (row: Row): Batch => ({
  ...waitingOf(row),
  id: Number(row['id']),
  version: Number(row['version']),
  operationId: String(row['operation_id']),
  groupId: Number(row['peer_group_id']),
  groupName: String(row['peer_group_name']),
  requestedBy: String(row['requested_by']),
  get sysadminPassword() {
    return text(clearValue(row, 'sysadmin_password'))
  },
  cursor: cursorOf<BatchStage>(row),
  isReported: Number(row['is_reported']) === 1,
  cancelledMs: number(row['cancelled_ms']),
  startedMs: number(row['started_ms']),
  endedMs: number(row['ended_ms']),
  outcome: text(row['outcome']) as BatchOutcome | undefined,
  createdAt: String(row['created_at']),
})

export const memberOf = (row: Row): BatchMember => ({
  ...waitingOf(row),
  id: Number(row['id']),
  version: Number(row['version']),
  batchId: Number(row['batch_id']),
  subcloudId: Number(row['subcloud_id']),
  name: String(row['name']),
  cursor: cursorOf<RehomeStage>(row),
  wantedEpoch: Number(row['wanted_epoch']),
  runId: String(row['run_id']),
  run: runOf(text(row['run'])),
  isPrepared: Number(row['is_prepared']) === 1,
  isFailureReported: Number(row['is_failure_reported']) === 1,
  queuedMs: Number(row['queued_ms']),
  startedMs: number(row['started_ms']),
  endedMs: number(row['ended_ms']),
  outcome: text(row['outcome']) as MemberOutcome | undefined,
  code: text(row['code']),
  message: text(row['message']),
})

/** Columns of a cursor. */
export const cursorColumns = ({ stage, direction, entered, deadlineMs }: Cursor): Row => ({
  stage,
  direction,
  entered: entered ? 1 : 0,
  deadline_ms: deadlineMs ?? null,
})

/** Columns that say what is waited for; a wait that goes on keeps its beginning. */
export function waitingColumns(before: Waiting, waitsFor: string, waitsOn: string, nowMs: number): Row {
  const goesOn = before.waitsFor === waitsFor && before.waitsOn === waitsOn
  return goesOn ? {} : { waits_for: waitsFor, waits_on: waitsOn, since_ms: nowMs }
}

export const notWaiting = (nowMs: number): Row => ({ waits_for: null, waits_on: null, since_ms: nowMs })

function cursorOf<Name extends string>(row: Row): Cursor<Name> {
  const deadlineMs = number(row['deadline_ms'])
  return {
    stage: String(row['stage']) as Name,
    direction: String(row['direction']) as Direction,
    entered: Number(row['entered']) === 1,
    ...(deadlineMs !== undefined && { deadlineMs }),
  }
}

const waitingOf = (row: Row): Waiting => ({
  waitsFor: text(row['waits_for']),
  waitsOn: text(row['waits_on']),
  sinceMs: Number(row['since_ms']),
})

const runOf = (json: string | undefined) => (json === undefined ? undefined : (JSON.parse(json) as StoredRun))
const text = (value: Value | undefined) => (value === null || value === undefined ? undefined : String(value))
const number = (value: Value | undefined) => (value === null || value === undefined ? undefined : Number(value))
