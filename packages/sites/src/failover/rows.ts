/** What this site does about a lost peer, as a row: one for each outage, gone when the peer is back. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { integer, optionalInteger, optionalText, text } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'

export type FailoverStage = 'held-back' | 'waiting' | 'proposed' | 'started'

export interface Failover {
  readonly id: number
  readonly version: number
  readonly peerId: number
  readonly stage: FailoverStage
  /** Of the stage. Milliseconds of the database. */
  readonly sinceMs: number
  readonly lostSinceMs: number | undefined
  /** When the second path was last looked at. */
  readonly lookedMs: number | undefined
  readonly message: string | undefined
  /** Ids of the batches. */
  readonly operations: readonly string[]
  readonly createdAt: string
}

const TABLE = 'failover'

const failoverOf = (row: Row): Failover => ({
  ...seen(row),
  peerId: integer(row, 'system_peer_id'),
  stage: text(row, 'stage') as FailoverStage,
  sinceMs: integer(row, 'since_ms'),
  lostSinceMs: optionalInteger(row, 'lost_since_ms'),
  lookedMs: optionalInteger(row, 'looked_ms'),
  message: optionalText(row, 'message'),
  operations: JSON.parse(text(row, 'operations')) as string[],
  createdAt: text(row, 'created_at'),
})

export const allFailovers = async (sql: Sql): Promise<readonly Failover[]> =>
  (await selectRows(sql, TABLE)).map(failoverOf)

export async function failoverOfPeer(sql: Sql, peerId: number): Promise<Failover | undefined> {
  const [row] = await selectRows(sql, TABLE, { system_peer_id: peerId })
  return row && failoverOf(row)
}

export type FailoverState = Pick<Failover, 'stage' | 'lostSinceMs' | 'lookedMs' | 'message' | 'operations'>

/** @throws Retryable when somebody else has written it since `before` was read */
export async function writeFailover(
  sql: Sql,
  peerId: number,
  before: Failover | undefined,
  state: FailoverState,
): Promise<void> {
  const isSameStage = before?.stage === state.stage
  const columns = {
    stage: state.stage,
    since_ms: isSameStage && before ? before.sinceMs : await sql.nowMs(),
    lost_since_ms: state.lostSinceMs ?? null,
    looked_ms: state.lookedMs ?? null,
    message: state.message ?? null,
    operations: JSON.stringify(state.operations),
  }
  if (before) await updateRow(sql, TABLE, before, columns)
  else await insertRow(sql, TABLE, { system_peer_id: peerId, ...columns, created_at: await rowTime(sql) })
}

export async function forgetFailover(sql: Sql, before: Failover | undefined): Promise<void> {
  if (before) await deleteRow(sql, TABLE, before)
}
