/** Rows that every member of a batch reads: as they were read before, while their versions are the same. */
import { type Row, type Sql, selectRows } from '@godwit/store'
import { groupById, type PeerGroup } from '../peer-group/rows.ts'
import { integer, optionalInteger } from '../state/column.ts'
import { type Batch, batchOf } from './batch-rows.ts'

export interface GroupRows {
  /** undefined: a subcloud that is taken in alone. */
  readonly group: PeerGroup | undefined
  /** The other site, as the monitor knows it; undefined when the group has no association. */
  readonly peer: Row | undefined
}

export interface SharedRows extends GroupRows {
  readonly batch: Batch
}

/** By id of the batch. Only what was seen in a transaction that was committed: a version is given anew otherwise. */
export type KnownRows = ReadonlyMap<number, SharedRows>

const OTHER_SITE = `left join peer_group_association association on association.peer_group_id = own.id
  left join system_peer peer on peer.id = association.system_peer_id`

const PEER_OF_GROUP = `select peer.* from subcloud_peer_group own ${OTHER_SITE}
  where own.id = ? and peer.id is not null order by association.id limit 1`

const VERSIONS = `select batch.version, own.version as group_version, peer.id as peer_id, peer.version as peer_version
  from batch left join subcloud_peer_group own on own.id = batch.peer_group_id ${OTHER_SITE}
  where batch.id = ? order by association.id limit 1`

export async function readShared(sql: Sql, batchId: number, known?: KnownRows): Promise<SharedRows | undefined> {
  const before = known?.get(batchId)
  if (before) {
    const [versions] = await sql.all(VERSIONS, [batchId])
    if (versions && isSame(before, versions)) return before
  }
  const [row] = await selectRows(sql, 'batch', { id: batchId })
  if (!row) return undefined
  const batch = batchOf(row)
  return { batch, ...(await readGroup(sql, batch.groupId)) }
}

/** A peer is looked up by its group: one that was never reached yet is not given up either. */
async function readGroup(sql: Sql, groupId: number): Promise<GroupRows> {
  const group = groupId === 0 ? undefined : await groupById(sql, groupId)
  const [peer] = group ? await sql.all(PEER_OF_GROUP, [groupId]) : []
  return { group, peer }
}

const isSame = ({ batch, group, peer }: SharedRows, versions: Row): boolean =>
  batch.version === integer(versions, 'version') &&
  group?.version === optionalInteger(versions, 'group_version') &&
  (peer && integer(peer, 'id')) === optionalInteger(versions, 'peer_id') &&
  (peer && integer(peer, 'version')) === optionalInteger(versions, 'peer_version')
