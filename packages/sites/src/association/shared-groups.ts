import type { Sql } from '@godwit/store'
import { type Identity, UNNAMED_PEER } from '../auth/policies.ts'

/** Ids of the groups that are associated with the site that calls; none, when it is no site. */
export async function groupsSharedWith(sql: Sql, { peerUuid }: Identity): Promise<ReadonlySet<number>> {
  if (peerUuid === undefined) return new Set()
  const rows = await sql.all(
    `select association.peer_group_id as id, peer.peer_uuid as uuid from peer_group_association association
     join system_peer peer on peer.id = association.system_peer_id`,
  )
  const isCaller = (uuid: unknown) => peerUuid === UNNAMED_PEER || uuid === peerUuid
  return new Set(rows.filter(({ uuid }) => isCaller(uuid)).map(({ id }) => Number(id)))
}
