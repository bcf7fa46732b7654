/** Subcloud peer groups as rows, and what this site remembers of members that are gone. */
import { insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import type { MigrationState } from '../model/states.ts'
import { integer, optionalText, text } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'

export const GROUP_TABLE = 'subcloud_peer_group'
const TOMBSTONE_TABLE = 'tombstone'

export interface PeerGroup {
  readonly id: number
  readonly version: number
  /** The same on both sites: groups are matched by it. */
  readonly name: string
  /** 0 on the primary site. */
  readonly priority: number
  readonly state: string
  readonly maxRehoming: number
  /** UUID of the site that leads. */
  readonly leaderId: string
  readonly leaderName: string
  readonly migrationStatus: MigrationState | undefined
  readonly createdAt: string
  readonly updatedAt: string | undefined
}

export const groupOf = (row: Row): PeerGroup => ({
  ...seen(row),
  name: text(row, 'peer_group_name'),
  priority: integer(row, 'group_priority'),
  state: text(row, 'group_state'),
  maxRehoming: integer(row, 'max_subcloud_rehoming'),
  leaderId: text(row, 'system_leader_id'),
  leaderName: text(row, 'system_leader_name'),
  migrationStatus: optionalText(row, 'migration_status') as MigrationState | undefined,
  createdAt: text(row, 'created_at'),
  updatedAt: optionalText(row, 'updated_at'),
})

export const allGroups = async (sql: Sql): Promise<readonly PeerGroup[]> =>
  (await selectRows(sql, GROUP_TABLE)).map(groupOf)

export const groupById = async (sql: Sql, id: number) => first(await selectRows(sql, GROUP_TABLE, { id }))

export const groupByName = async (sql: Sql, name: string) =>
  first(await selectRows(sql, GROUP_TABLE, { peer_group_name: name }))

/** @param ref an id, or a name: no name is only digits */
export const findGroup = (sql: Sql, ref: string): Promise<PeerGroup | undefined> =>
  /^\d{1,15}$/.test(ref) ? groupById(sql, Number(ref)) : groupByName(sql, ref)

const first = ([row]: readonly Row[]) => row && groupOf(row)

/** @throws Retryable when the group has changed since it was read */
export const updateGroup = async (sql: Sql, group: PeerGroup, columns: Row): Promise<PeerGroup> =>
  groupOf(await updateRow(sql, GROUP_TABLE, group, { ...columns, updated_at: await rowTime(sql) }))

/** A member that was deleted or removed here: the other site may take its copy away (H6). */
export interface Tombstone {
  readonly groupName: string
  readonly region: string
  readonly name: string
  /** Of the member when it went: a copy with a higher one is not taken away. */
  readonly ownerEpoch: number
}

/** In the transaction that takes the member away. An earlier one of the same member is replaced. */
export async function buryMember(sql: Sql, stone: Tombstone): Promise<void> {
  await unburyMember(sql, stone.groupName, stone.region)
  await insertRow(sql, TOMBSTONE_TABLE, {
    peer_group_name: stone.groupName,
    region_name: stone.region,
    name: stone.name,
    owner_epoch: stone.ownerEpoch,
    created_at: await rowTime(sql),
  })
}

/** In the transaction that makes the subcloud a member again. */
export async function unburyMember(sql: Sql, groupName: string, region: string): Promise<void> {
  await sql.run('delete from tombstone where peer_group_name = ? and region_name = ?', [groupName, region])
}

/** With the group: another one of the same name begins without a past. */
export async function forgetTombstones(sql: Sql, groupName: string): Promise<void> {
  await sql.run('delete from tombstone where peer_group_name = ?', [groupName])
}

export async function renameTombstones(sql: Sql, before: string, after: string): Promise<void> {
  await sql.run('update tombstone set peer_group_name = ? where peer_group_name = ?', [after, before])
}

export const tombstonesOf = async (sql: Sql, groupName: string): Promise<readonly Tombstone[]> =>
  (await selectRows(sql, TOMBSTONE_TABLE, { peer_group_name: groupName })).map(row => ({
    groupName: text(row, 'peer_group_name'),
    region: text(row, 'region_name'),
    name: text(row, 'name'),
    ownerEpoch: integer(row, 'owner_epoch'),
  }))
