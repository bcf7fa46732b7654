/** Beginning and cancelling a batch: rows and wakes, in the transaction of whoever asks. The workers do the rest. */
import { insertRow, insertRows, type Row, type Sql, selectRows, updateRow, wakeWork } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { rowTime } from '../state/row-time.ts'
import { type Batch, batchOf, cursorColumns } from './batch-rows.ts'

export interface NewBatch {
  /** Unique; operators follow the batch by it. Letters, digits and dashes, at most 40. */
  readonly operationId: string
  /** undefined: one subcloud that is taken in alone (`subcloud add --migrate`), in status `pre-rehome`. */
  readonly group: { readonly id: number; readonly name: string } | undefined
  readonly subclouds: readonly { readonly id: number; readonly name: string }[]
  readonly requestedBy: string
  /** In clear; it is forgotten when the batch ends. */
  readonly sysadminPassword: string
}

/** Of the group: the one that has not ended. Ask in the transaction that begins another (H3). */
export async function runningBatch(sql: Sql, groupId: number): Promise<Batch | undefined> {
  const [row] = await selectRows(sql, 'batch', { peer_group_id: groupId, ended_ms: null })
  return row && batchOf(row)
}

export async function beginBatch(sql: Sql, batch: NewBatch): Promise<Batch> {
  const nowMs = await sql.nowMs()
  const row = await insertRow(sql, 'batch', {
    operation_id: batch.operationId,
    peer_group_id: batch.group?.id ?? 0,
    peer_group_name: batch.group?.name ?? '',
    requested_by: batch.requestedBy,
    sysadmin_password: batch.sysadminPassword,
    ...cursorColumns({ stage: 'Opening', direction: 'Forward', entered: false }),
    is_reported: 0,
    cancelled_ms: null,
    since_ms: nowMs,
    started_ms: null,
    ended_ms: null,
    outcome: null,
    created_at: await rowTime(sql),
  })
  const members = batch.subclouds.map(subcloud => newMember(Number(row['id']), batch.operationId, subcloud, nowMs))
  await insertRows(sql, 'batch_member', members)
  await wakeWork(sql, QUEUES.batch, String(row['id']))
  return batchOf(row)
}

/** What has not begun ends at once, a playbook that runs is interrupted, what has its new home already is finished. */
export async function cancelBatch(sql: Sql, batch: Batch): Promise<void> {
  if (batch.endedMs !== undefined || batch.cancelledMs !== undefined) return
  await updateRow(sql, 'batch', batch, { cancelled_ms: await sql.nowMs() })
  await wakeWork(sql, QUEUES.batch, String(batch.id))
}

const newMember = (
  batchId: number,
  operationId: string,
  { id, name }: { readonly id: number; readonly name: string },
  nowMs: number,
): Row => ({
  batch_id: batchId,
  subcloud_id: id,
  name,
  ...cursorColumns({ stage: 'Claiming', direction: 'Forward', entered: false }),
  wanted_epoch: 0,
  run_id: `${operationId}-${id}`,
  run: null,
  is_prepared: 0,
  is_failure_reported: 0,
  since_ms: nowMs,
  started_ms: null,
  ended_ms: null,
})
