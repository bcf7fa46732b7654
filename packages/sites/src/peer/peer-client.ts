/** The other site over its REST API. Which text of a refusal means what is the contract that such sites have. */
import type { Clock } from '@godwit/ports'
import { clearValue, type Row } from '@godwit/store'
import type { HttpExchange } from '../http/exchange.ts'
import { networkExchange } from '../http/socket-exchange.ts'
import { integer, text } from '../state/column.ts'
import { multipartBody } from './multipart.ts'
import { type PeerRequest, PeerSession } from './peer-session.ts'
import { PeerRefused, type PeerSite, type RemoteGroup, type SubcloudForm } from './peer-site.ts'
import { type ViewAnswer, type ViewQuestion, ViewRequests } from './view-requests.ts'
import {
  associationSchema,
  associationsSchema,
  auditAnswerSchema,
  groupSchema,
  groupsSchema,
  parsed,
  subcloudSchema,
  subcloudsSchema,
  systemPeerSchema,
  systemsSchema,
  tombstonesSchema,
  viewsSchema,
} from './wire.ts'

export interface PeerSitesOptions {
  readonly clock: Clock
  /** Over the network unless told. */
  readonly exchange?: HttpExchange
  /** What was stored as the password of a peer, as the client sent it: base64. As it is, when left out. */
  readonly secretOf?: (stored: string) => string
  readonly loginTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

/**
 * Peers by their rows of `system_peer`. A token is kept as long as endpoint, user and password of the row are the same:
 * an edit of them counts at once (H20).
 */
export function peerSites(options: PeerSitesOptions): (peer: Row) => PeerSite {
  const known = new Map<number, { readonly version: number; readonly key: string; readonly site: PeerSite }>()
  return peer => {
    const [id, version] = [integer(peer, 'id'), integer(peer, 'version')]
    const before = known.get(id)
    if (before?.version === version) return before.site
    const key = JSON.stringify([peer['manager_endpoint'], peer['manager_username'], passwordOf(peer)])
    const site = before?.key === key ? before.site : peerSite(sessionOf(peer, options))
    known.set(id, { version, key, site })
    return site
  }
}

const passwordOf = (peer: Row) => String(clearValue(peer, 'manager_password') ?? '')

function sessionOf(peer: Row, options: PeerSitesOptions): PeerSession {
  const { secretOf = stored => stored, exchange = networkExchange, ...rest } = options
  const password = Buffer.from(secretOf(passwordOf(peer)), 'base64').toString()
  const login = { endpoint: text(peer, 'manager_endpoint'), username: text(peer, 'manager_username'), password }
  return new PeerSession({ ...rest, exchange, login })
}

const NO_PEER = 'System Peer not found'
const NO_SUBCLOUD = 'Subcloud not found'
const NO_GROUP = 'Subcloud Peer Group not found'
const NO_ASSOCIATION = 'Peer Group Association not found'

export function peerSite(session: Pick<PeerSession, 'request'>): PeerSite {
  const get = (path: string, service?: PeerRequest['service']) =>
    session.request({ method: 'GET', path, ...(service && { service }) })
  const send = (method: PeerRequest['method'], path: string, json?: unknown) =>
    session.request({ method, path, ...(json !== undefined && { json }) })
  const sendForm = async (method: PeerRequest['method'], path: string, form: SubcloudForm) =>
    parsed(subcloudSchema, await session.request({ method, path, form: multipartBody(form) }))
  const groupPath = (name: string) => `/subcloud-peer-groups/${encodeURIComponent(name)}`
  const subcloudPath = (ref: string) => `/subclouds/${encodeURIComponent(ref)}`
  const views = new ViewRequests({
    one: async ({ region, ownerEpoch }) =>
      ownerEpoch === undefined
        ? parsed(subcloudSchema, await get(subcloudPath(region)))
        : await sendForm('PATCH', subcloudPath(region), { fields: standDownFields(ownerEpoch), files: {} }),
    many: async questions => viewAnswers(await send('POST', '/subcloud-views', viewFields(questions))),
  })
  return {
    systemUuid: async () => parsed(systemsSchema, await get('/v1/isystems', 'platform')).isystems[0]?.uuid ?? '',
    peerIdOf: uuid =>
      unless(NO_PEER, async () => parsed(systemPeerSchema, await get(`/system-peers/${encodeURIComponent(uuid)}`)).id),
    groups: async () => parsed(groupsSchema, await get('/subcloud-peer-groups')).subcloud_peer_groups,
    group: name => unless(NO_GROUP, async () => parsed(groupSchema, await get(groupPath(name)))),
    createGroup: async group => parsed(groupSchema, await send('POST', '/subcloud-peer-groups', groupFields(group))),
    updateGroup: async (name, { forgetMigration, ...changes }) => {
      const forget = forgetMigration ? { migration_status: 'none' } : {}
      await send('PATCH', groupPath(name), { ...groupFields(changes), ...forget })
    },
    deleteGroup: async name => {
      await unless(NO_GROUP, () => send('DELETE', groupPath(name)))
    },
    members: async group => parsed(subcloudsSchema, await get(`${groupPath(group)}/subclouds`)).subclouds,
    tombstones: async group => {
      try {
        return parsed(tombstonesSchema, await get(`${groupPath(group)}/tombstones`)).tombstones
      } catch (error) {
        // Another implementation keeps none, and says so in its own way.
        if (error instanceof PeerRefused && [400, 404, 405].includes(error.status)) return []
        throw error
      }
    },
    subcloud: region => unless(NO_SUBCLOUD, async () => parsed(subcloudSchema, await get(subcloudPath(region)))),
    view: region => unless(NO_SUBCLOUD, () => views.ask({ region, ownerEpoch: undefined })),
    standDown: (region, ownerEpoch) => views.ask({ region, ownerEpoch }),
    addSecondary: form => sendForm('POST', '/subclouds', form),
    updateSubcloud: (region, form) => sendForm('PATCH', subcloudPath(region), form),
    deleteSubcloud: async name => {
      await unless(NO_SUBCLOUD, () => send('DELETE', subcloudPath(name)))
    },
    associations: async () => parsed(associationsSchema, await get('/peer-group-associations')).peer_group_associations,
    createAssociation: async ({ groupId, peerId }) =>
      parsed(
        associationSchema,
        await send('POST', '/peer-group-associations', { peer_group_id: groupId, system_peer_id: peerId }),
      ),
    setSyncStatus: async (associationId, status) => {
      await send('PATCH', `/peer-group-associations/${associationId}`, { sync_status: status })
    },
    deleteAssociation: async associationId => {
      await unless(NO_ASSOCIATION, () => send('DELETE', `/peer-group-associations/${associationId}`))
    },
    requestAudit: async group => {
      const answer = await send('PATCH', `${groupPath(group.name)}/audit`, auditFields(group))
      return parsed(auditAnswerSchema, answer).message ?? undefined
    },
  }
}

const standDownFields = (ownerEpoch: number) => ({
  'management-state': 'unmanaged',
  migrate: 'true',
  owner_epoch: String(ownerEpoch),
})

const viewFields = (questions: readonly ViewQuestion[]) => ({
  subclouds: questions.map(({ region, ownerEpoch }) => ({
    region,
    ...(ownerEpoch !== undefined && { owner_epoch: ownerEpoch }),
  })),
})

const viewAnswers = (body: unknown): ReadonlyMap<string, ViewAnswer> =>
  new Map(
    parsed(viewsSchema, body).subcloud_views.flatMap(({ region, view, refusal }): readonly [string, ViewAnswer][] => {
      if (view) return [[region, { kind: 'view', view }]]
      return refusal ? [[region, { kind: 'refused', ...refusal }]] : []
    }),
  )

/** A 404 counts as an absence only when it is of the thing itself: a wrong path or a proxy proves nothing (H6). */
async function unless<Found>(absence: string, ask: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof PeerRefused && error.status === 404 && error.message.includes(absence)) return undefined
    throw error
  }
}

/** Requests spell them with hyphens, all but the status. */
function groupFields(group: Partial<Omit<RemoteGroup, 'id'>>): Readonly<Record<string, unknown>> {
  const fields = {
    'peer-group-name': group.name,
    'group-priority': group.priority,
    'group-state': group.state,
    'system-leader-id': group.leaderId,
    'system-leader-name': group.leaderName,
    'max-subcloud-rehoming': group.maxRehoming,
    migration_status: group.migrationStatus,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

const auditFields = (group: RemoteGroup & { readonly siteUuid: string }) => ({
  peer_uuid: group.siteUuid,
  peer_group_name: group.name,
  group_priority: group.priority,
  group_state: group.state,
  system_leader_id: group.leaderId,
  system_leader_name: group.leaderName,
  migration_status: group.migrationStatus ?? null,
})
