/** What one look at an association shows: rows of one transaction. */
import { type Row, type Sql, selectRows } from '@godwit/store'
import type { PeerSite } from '../peer/peer-site.ts'
import { groupById, type PeerGroup } from '../peer-group/rows.ts'
import { runningBatch } from '../rehome/new-batch.ts'
import type { Site } from '../site.ts'
import { optionalText, text } from '../state/column.ts'
import { ASSOCIATION_TABLE, type Association, associationOf } from './rows.ts'

export interface AssociationPorts {
  readonly site: Site
  /** @param peer a row of `system_peer` */
  readonly peerSite: (peer: Row) => PeerSite
}

export interface AssociationScene {
  readonly association: Association
  /** The status that the copy on the peer was told last; undefined: none yet. */
  readonly toldStatus: string | undefined
  readonly group: PeerGroup
  readonly peer: Row
  readonly isPeerThere: boolean
  /** A batch of this site moves members of the group: it says where each of them goes. */
  readonly isMoving: boolean
}

export const isMoving = async (sql: Sql, group: PeerGroup): Promise<boolean> =>
  group.migrationStatus === 'migrating' || (await runningBatch(sql, group.id)) !== undefined

export async function readAssociation(sql: Sql, id: number): Promise<AssociationScene | undefined> {
  const [row] = await selectRows(sql, ASSOCIATION_TABLE, { id })
  if (!row) return undefined
  const association = associationOf(row)
  const group = await groupById(sql, association.groupId)
  const [peer] = await selectRows(sql, 'system_peer', { id: association.peerId })
  if (!group || !peer) return undefined
  return {
    association,
    toldStatus: optionalText(row, 'told_status'),
    group,
    peer,
    isPeerThere: text(peer, 'availability_state') !== 'unavailable',
    isMoving: await isMoving(sql, group),
  }
}
