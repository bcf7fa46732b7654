/** `/peer-group-associations` over the store: what is wanted is written, and whoever does it is woken. */
import { insertRow, type Row, type Sql, selectRows, wakeWork } from '@godwit/store'
import { z } from 'zod'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call, Route } from '../http/route.ts'
import { groupById } from '../peer-group/rows.ts'
import { QUEUES, type Site } from '../site.ts'
import { rowTime } from '../state/row-time.ts'
import {
  associationChangeSchema,
  listedAssociation,
  listedAssociationSchema,
  newAssociationSchema,
  shownAssociation,
  shownAssociationSchema,
} from './fields.ts'
import { named } from './named-association.ts'
import { removeAssociation } from './remove.ts'
import { ASSOCIATION_TABLE, type Association, associationOf, associationsWhere, updateAssociation } from './rows.ts'
import { nextSyncState } from './status.ts'

const COLLECTION = 'peer-group-associations'

export const associationRoutes = (ports: ApiPorts): readonly Route[] => [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists the associations of groups with system peers',
    answer: z.object({ peer_group_associations: z.array(listedAssociationSchema) }),
    handle: async ({ sql }) => ({ peer_group_associations: (await associationsWhere(sql)).map(listedAssociation) }),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows one association',
    answer: shownAssociationSchema,
    handle: async ({ sql, ref }) => shownAssociation(await named(sql, ref)),
  },
  {
    method: 'POST',
    path: [COLLECTION],
    policy: 'change',
    summary: 'Associates a group with a system peer; on the primary site the copy on the peer is made then',
    request: newAssociationSchema,
    answer: shownAssociationSchema,
    handle: addAssociation,
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Changes the priority that the copy on the peer has, or the sync status of a copy',
    request: associationChangeSchema,
    answer: shownAssociationSchema,
    handle: changeAssociation,
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref', 'sync'],
    policy: 'change',
    summary: 'Brings the copy on the peer up to date',
    answer: shownAssociationSchema,
    handle: call => wantSync(ports.site, call),
  },
  {
    method: 'DELETE',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Deletes an association and the copy on the peer',
    query: { force: 'true: the association only, whatever the peer says; for a peer that is lost' },
    answer: z.null(),
    serve: (asked, transact) => removeAssociation(ports, asked, transact),
  },
]

async function addAssociation({ sql, body }: Call): Promise<unknown> {
  const given = checkedFields(newAssociationSchema, body)
  const group = await groupById(sql, given.peer_group_id)
  if (!group) throw new Refusal(400, 'Invalid peer_group_id: there is no such group')
  const [peer] = await selectRows(sql, 'system_peer', { id: given.system_peer_id })
  if (!peer) throw new Refusal(400, 'Invalid system_peer_id: there is no such system peer')
  const isPrimary = group.priority === 0
  const priority = given.peer_group_priority
  if (isPrimary && priority === undefined)
    throw new Refusal(400, 'Invalid peer_group_priority: a group with priority 0 needs one for the copy on the peer')
  if (!isPrimary && priority !== undefined)
    throw new Refusal(400, 'Invalid peer_group_priority: it is not allowed for a group with a priority above 0')
  const pair = { peer_group_id: group.id, system_peer_id: given.system_peer_id }
  if ((await associationsWhere(sql, pair)).length > 0)
    throw new Refusal(400, 'A peer group association with this group and this system peer already exists')
  const row = await insertRow(sql, ASSOCIATION_TABLE, {
    ...pair,
    peer_group_priority: priority ?? null,
    association_type: isPrimary ? 'primary' : 'non-primary',
    sync_status: 'syncing',
    sync_message: null,
    wanted: isPrimary ? 'sync' : null,
    deleting: null,
    audited_ms: null,
    created_at: await rowTime(sql),
    updated_at: null,
  })
  return shownAssociation(await woken(sql, associationOf(row)))
}

/** Who syncs, and who looks whether the peer is there. */
async function woken(sql: Sql, association: Association): Promise<Association> {
  await wakeWork(sql, QUEUES.association, String(association.id))
  await wakeWork(sql, QUEUES.peer, String(association.peerId))
  return association
}

async function changeAssociation({ sql, ref, body }: Call): Promise<unknown> {
  const association = await named(sql, ref)
  const { peer_group_priority: priority, sync_status: status } = checkedFields(associationChangeSchema, body)
  if (priority === undefined && status === undefined) throw new Refusal(400, 'nothing to update')
  if (priority !== undefined && status !== undefined)
    throw new Refusal(400, 'peer_group_priority and sync_status cannot be updated at once')
  const isPrimary = association.type === 'primary'
  if (priority !== undefined && !isPrimary)
    throw new Refusal(400, 'The priority can be updated on the primary site only')
  if (status !== undefined && isPrimary)
    throw new Refusal(400, 'The sync status can be updated on a non-primary site only')
  const columns: Row =
    priority === undefined
      ? { sync_status: status ?? association.syncStatus, sync_message: messageOf(status) }
      : { peer_group_priority: priority, wanted: association.wanted ?? 'sync-group' }
  return shownAssociation(await woken(sql, await updateAssociation(sql, association, columns)))
}

const messageOf = (status: string | undefined) =>
  status === 'failed' ? 'The primary site failed to sync the group to this site.' : null

/** The status and what is wanted in one row: a sync that ends is never written over by the one that began it (H5). */
async function wantSync({ identity }: Site, { sql, ref }: Call): Promise<unknown> {
  const association = await named(sql, ref)
  if (association.type !== 'primary')
    throw new Refusal(400, 'A peer group association can be synced on the primary site only')
  const group = await groupById(sql, association.groupId)
  if (group?.leaderId !== identity.uuid)
    throw new Refusal(400, 'A peer group association can be synced on the site that leads the group only')
  if (association.deleting !== undefined) throw new Refusal(400, 'The peer group association is being deleted')
  const changes = {
    sync_status: nextSyncState(association.syncStatus, 'sync-started'),
    sync_message: null,
    wanted: 'sync',
  }
  return shownAssociation(await woken(sql, await updateAssociation(sql, association, changes)))
}
