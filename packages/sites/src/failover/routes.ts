/** `/failovers`: what this site does, or proposes to do, about peers that are lost. */
import { type Row, type Sql, selectRows } from '@godwit/store'
import { z } from 'zod'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call, Route } from '../http/route.ts'
import { decodedPassword } from '../http/secret-field.ts'
import type { Site } from '../site.ts'
import { text } from '../state/column.ts'
import { beginBatches, lostGroups } from './begin.ts'
import { allFailovers, type Failover, failoverOfPeer, writeFailover } from './rows.ts'

const COLLECTION = 'failovers'

const shownSchema = z.object({
  'peer-uuid': z.string(),
  'peer-name': z.string(),
  stage: z.enum(['held-back', 'waiting', 'proposed', 'started']),
  message: z.string().nullable(),
  operations: z.array(z.string()),
  since: z.string(),
  'created-at': z.string(),
})
const confirmSchema = z.object({ sysadmin_password: z.string().max(4096) })

export const failoverRoutes = (site: Site): readonly Route[] => [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists what is done, or proposed, about peers that are lost',
    answer: z.object({ failovers: z.array(shownSchema) }),
    handle: async ({ sql }) => {
      const failovers = []
      for (const failover of await allFailovers(sql)) failovers.push(await shown(sql, failover))
      return { failovers }
    },
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref', 'confirm'],
    policy: 'change',
    summary: 'Begins what is proposed about the lost peer of that UUID',
    request: confirmSchema,
    answer: shownSchema,
    handle: call => confirm(site, call),
  },
]

async function confirm(site: Site, { sql, ref, body, caller }: Call) {
  const { sysadmin_password: given } = checkedFields(confirmSchema, body)
  const sysadminPassword = decodedPassword('sysadmin_password', given)
  const [peer] = await selectRows(sql, 'system_peer', { peer_uuid: ref.toLowerCase() })
  const before = peer && (await failoverOfPeer(sql, Number(peer['id'])))
  if (!peer || !before) throw new Refusal(404, 'Nothing is proposed about a peer of this UUID')
  if (before.stage === 'started')
    throw new Refusal(409, `It was begun already: operations ${before.operations.join(', ')}`)
  if (before.stage === 'held-back') throw new Refusal(409, before.message ?? 'It is held back')
  const lost = await lostGroups(sql, before.peerId, text(peer, 'peer_uuid'))
  const operations = await beginBatches(site, sql, lost, { requestedBy: caller.user, sysadminPassword })
  if (operations.length === 0) throw new Refusal(409, 'No subcloud of its groups can be migrated now')
  const message = `Confirmed by ${caller.user}`
  await writeFailover(sql, before.peerId, before, { ...before, stage: 'started', message, operations })
  const after = await failoverOfPeer(sql, before.peerId)
  return await shown(sql, after ?? before)
}

async function shown(sql: Sql, failover: Failover): Promise<z.infer<typeof shownSchema>> {
  const [peer = {} as Row] = await selectRows(sql, 'system_peer', { id: failover.peerId })
  return {
    'peer-uuid': text(peer, 'peer_uuid'),
    'peer-name': text(peer, 'peer_name'),
    stage: failover.stage,
    message: failover.message ?? null,
    operations: [...failover.operations],
    since: new Date(failover.sinceMs).toISOString(),
    'created-at': failover.createdAt,
  }
}
