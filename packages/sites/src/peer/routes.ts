/** `/system-peers` over the store. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow, wakeWork } from '@godwit/store'
import { z } from 'zod'
import { associationsWhere, markEdited } from '../association/rows.ts'
import { syncMessage } from '../association/sync-message.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call, Route } from '../http/route.ts'
import { shownGroup, shownGroupSchema } from '../peer-group/fields.ts'
import { groupById } from '../peer-group/rows.ts'
import { QUEUES } from '../site.ts'
import { integer } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'
import { newPeerSchema, peerChangeSchema, shownPeer, shownPeerSchema } from './system-peer.ts'

const TABLE = 'system_peer'

const COLLECTION = 'system-peers'

export const systemPeerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists the system peers',
    answer: z.object({ system_peers: z.array(shownPeerSchema) }),
    handle: async ({ sql }) => ({ system_peers: (await selectRows(sql, TABLE)).map(shownPeer) }),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows one system peer, by id, uuid or name',
    answer: shownPeerSchema,
    handle: async ({ sql, ref }) => shownPeer(await peerNamed(sql, ref)),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'subcloud-peer-groups'],
    policy: 'read',
    summary: 'Lists the groups that are associated with the system peer',
    answer: z.object({ subcloud_peer_groups: z.array(shownGroupSchema) }),
    handle: async ({ sql, ref }) => ({ subcloud_peer_groups: await groupsOf(sql, await peerNamed(sql, ref)) }),
  },
  {
    method: 'POST',
    path: [COLLECTION],
    policy: 'change',
    summary: 'Adds a system peer',
    request: newPeerSchema,
    answer: shownPeerSchema,
    handle: addPeer,
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Changes a system peer',
    request: peerChangeSchema,
    answer: shownPeerSchema.extend({ info_message: z.string().optional() }),
    handle: changePeer,
  },
  {
    method: 'DELETE',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Deletes a system peer that no association refers to',
    answer: z.null(),
    handle: removePeer,
  },
]

async function groupsOf(sql: Sql, peer: Row) {
  const groups = []
  for (const { groupId } of await associationsWhere(sql, { system_peer_id: integer(peer, 'id') })) {
    const group = await groupById(sql, groupId)
    if (group) groups.push(shownGroup(group))
  }
  return groups
}

async function addPeer({ sql, body }: Call) {
  const peer = checkedFields(newPeerSchema, body)
  await refuseDuplicate(sql, peer)
  const now = await rowTime(sql)
  const rest = { availability_state: 'created', misses: 0, created_at: now, updated_at: null }
  const row = await insertRow(sql, TABLE, { ...peer, ...rest })
  await wakeWork(sql, QUEUES.peer, String(row['id']))
  return shownPeer(row)
}

async function changePeer({ sql, ref, body }: Call) {
  const peer = await peerNamed(sql, ref)
  const given = checkedFields(peerChangeSchema, body)
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Row
  if (Object.keys(changes).length === 0) throw new Refusal(400, 'nothing to update')
  await refuseDuplicate(sql, given, peer)
  const changed = await updateRow(sql, TABLE, seen(peer), { ...changes, updated_at: await rowTime(sql) })
  await wakeWork(sql, QUEUES.peer, String(changed['id']))
  const hasNewGateway = changed[GATEWAY] !== peer[GATEWAY]
  const marked = hasNewGateway ? await markEdited(sql, { system_peer_id: integer(peer, 'id') }, 'primary') : []
  return { ...shownPeer(changed), ...(marked.length > 0 && { info_message: syncMessage(marked) }) }
}

const GATEWAY = 'peer_controller_gateway_address'

async function removePeer({ sql, ref }: Call) {
  const peer = await peerNamed(sql, ref)
  if ((await associationsWhere(sql, { system_peer_id: integer(peer, 'id') })).length > 0)
    throw new Refusal(400, 'Cannot delete a system peer which is associated with a peer group.')
  await deleteRow(sql, TABLE, seen(peer))
  await wakeWork(sql, QUEUES.peer, String(peer['id']))
  return null
}

/** By id, uuid or name. The text is one that peers look for. */
async function peerNamed(sql: Sql, ref: string): Promise<Row> {
  const [row] = await selectRows(sql, TABLE, referenceOf(ref))
  if (!row) throw new Refusal(404, 'System Peer not found')
  return row
}

function referenceOf(ref: string): Row {
  if (/^\d+$/.test(ref)) return { id: Number(ref) }
  return /^[0-9a-f-]{36}$/i.test(ref) ? { peer_uuid: ref.toLowerCase() } : { peer_name: ref }
}

async function refuseDuplicate(
  sql: Sql,
  peer: { readonly peer_uuid?: string | undefined; readonly peer_name?: string | undefined },
  self?: Row,
): Promise<void> {
  for (const column of ['peer_uuid', 'peer_name'] as const) {
    const value = peer[column]
    if (value === undefined) continue
    const others = (await selectRows(sql, TABLE, { [column]: value })).filter(row => row['id'] !== self?.['id'])
    if (others.length > 0) throw new Refusal(409, `A system peer with this ${column} already exists`)
  }
}
