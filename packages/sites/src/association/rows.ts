/** Peer group associations as rows, and the marks that a change of the group or a member leaves on them. */
import { type Row, type Sql, selectRows, updateRow, wakeWork } from '@godwit/store'
import type { SyncState } from '../model/states.ts'
import { QUEUES } from '../site.ts'
import { integer, optionalInteger, optionalText, text } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'
import { nextSyncState } from './status.ts'

export const ASSOCIATION_TABLE = 'peer_group_association'

export interface Association {
  readonly id: number
  readonly version: number
  readonly groupId: number
  /** Id of the system peer here. */
  readonly peerId: number
  /** That the copy on the peer has; undefined on a non-primary one. */
  readonly priority: number | undefined
  readonly type: 'primary' | 'non-primary'
  readonly syncStatus: SyncState
  readonly syncMessage: string | undefined
  /** What the worker is to do. */
  readonly wanted: 'sync' | 'sync-group' | undefined
  readonly deleting: 'delete' | 'force' | undefined
  readonly auditedMs: number | undefined
  readonly createdAt: string
  readonly updatedAt: string | undefined
}

export const associationOf = (row: Row): Association => ({
  ...seen(row),
  groupId: integer(row, 'peer_group_id'),
  peerId: integer(row, 'system_peer_id'),
  priority: optionalInteger(row, 'peer_group_priority'),
  type: text(row, 'association_type') === 'primary' ? 'primary' : 'non-primary',
  syncStatus: text(row, 'sync_status') as SyncState,
  syncMessage: optionalText(row, 'sync_message'),
  wanted: optionalText(row, 'wanted') as Association['wanted'],
  deleting: optionalText(row, 'deleting') as Association['deleting'],
  auditedMs: optionalInteger(row, 'audited_ms'),
  createdAt: text(row, 'created_at'),
  updatedAt: optionalText(row, 'updated_at'),
})

/** @param where columns and the value each must have; all when empty */
export const associationsWhere = async (sql: Sql, where: Row = {}): Promise<readonly Association[]> =>
  (await selectRows(sql, ASSOCIATION_TABLE, where)).map(associationOf)

export const associationById = async (sql: Sql, id: number): Promise<Association | undefined> =>
  (await associationsWhere(sql, { id }))[0]

/** @throws Retryable when the association has changed since it was read */
export const updateAssociation = async (sql: Sql, association: Association, columns: Row): Promise<Association> =>
  associationOf(await updateRow(sql, ASSOCIATION_TABLE, association, { ...columns, updated_at: await rowTime(sql) }))

/**
 * After an edit of the group or one of its members, in the same transaction: those of `type` no longer describe equal
 * copies. Their worker is woken; that of a primary one tells the other site.
 * @returns the marked ones
 */
export async function markEdited(
  sql: Sql,
  where: { readonly peer_group_id: number; readonly system_peer_id?: number } | { readonly system_peer_id: number },
  type: Association['type'],
): Promise<readonly Association[]> {
  const marked: Association[] = []
  for (const association of await associationsWhere(sql, { ...where, association_type: type })) {
    const status = nextSyncState(association.syncStatus, 'edited')
    marked.push(await updateAssociation(sql, association, { sync_status: status }))
    await wakeWork(sql, QUEUES.association, String(association.id))
  }
  return marked
}
