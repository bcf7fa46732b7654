/** `/system-peers` over the store. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Route } from '../http/route.ts'
import { rowTime, seen } from '../state/row-time.ts'
import { newPeerSchema, peerChangeSchema, shownPeer } from './system-peer.ts'

const TABLE = 'system_peer'

export const systemPeerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: ['system-peers'],
    policy: 'read',
    handle: async ({ sql }) => ({ system_peers: (await selectRows(sql, TABLE)).map(shownPeer) }),
  },
  {
    method: 'GET',
    path: ['system-peers', ':ref'],
    policy: 'read',
    handle: async ({ sql, ref }) => shownPeer(await peerNamed(sql, ref)),
  },
  {
    method: 'POST',
    path: ['system-peers'],
    policy: 'change',
    handle: async ({ sql, body }) => {
      const peer = checkedFields(newPeerSchema, body)
      await refuseDuplicate(sql, peer)
      const now = await rowTime(sql)
      const rest = { availability_state: 'created', misses: 0, created_at: now, updated_at: null }
      return shownPeer(await insertRow(sql, TABLE, { ...peer, ...rest }))
    },
  },
  {
    method: 'PATCH',
    path: ['system-peers', ':ref'],
    policy: 'change',
    handle: async ({ sql, ref, body }) => {
      const peer = await peerNamed(sql, ref)
      const given = checkedFields(peerChangeSchema, body)
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Row
      if (Object.keys(changes).length === 0) throw new Refusal(400, 'nothing to update')
      await refuseDuplicate(sql, given, peer)
      return shownPeer(await updateRow(sql, TABLE, seen(peer), { ...changes, updated_at: await rowTime(sql) }))
    },
  },
  {
    method: 'DELETE',
    path: ['system-peers', ':ref'],
    policy: 'change',
    handle: async ({ sql, ref }) => {
      await deleteRow(sql, TABLE, seen(await peerNamed(sql, ref)))
      return null
    },
  },
]

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
