/** The copy of a group on the other site: found or made, brought up to date, and told its sync status. */
import type { SyncState } from '../model/states.ts'
import type { PeerSite, RemoteAssociation, RemoteGroup } from '../peer/peer-site.ts'
import type { PeerGroup } from '../peer-group/rows.ts'
import { text } from '../state/column.ts'
import type { AssociationScene } from './scene.ts'

/** Nothing is wrong with the way to the other site: what is said is for the operator to put right. */
export class SyncObstacle extends Error {
  override readonly name = 'SyncObstacle'
}

/** @throws SyncObstacle when another system answers than the one that was added */
export async function checkIdentity({ peer }: AssociationScene, site: PeerSite): Promise<void> {
  const answered = await site.systemUuid()
  if (!isSameSystem(answered, text(peer, 'peer_uuid')))
    throw new SyncObstacle(`The peer site is the system ${answered}, not the one with the UUID of the system peer`)
}

export const isSameSystem = (left: string, right: string) => plain(left) === plain(right)
const plain = (uuid: string) => uuid.replaceAll('-', '').toLowerCase()

/** The association of the peer with this group and this site; undefined: it has none, or does not know this site. */
export async function remoteAssociation(
  site: PeerSite,
  ownUuid: string,
  remoteGroup: Pick<RemoteGroup, 'id'>,
): Promise<RemoteAssociation | undefined> {
  const ownId = await site.peerIdOf(ownUuid)
  if (ownId === undefined) return undefined
  const all = await site.associations()
  return all.find(({ groupId, peerId }) => groupId === remoteGroup.id && peerId === ownId)
}

export interface CopyOptions {
  readonly priority: number
  /** The leader is written too: by the site that leads. */
  readonly isLedHere: boolean
}

/** @throws SyncObstacle when the group of that name there is a primary one, or is taken over at the moment */
export async function ensureGroup(site: PeerSite, group: PeerGroup, options: CopyOptions): Promise<RemoteGroup> {
  const { name, state, maxRehoming, leaderId, leaderName } = group
  const wanted = { priority: options.priority, state, maxRehoming, ...(options.isLedHere && { leaderId, leaderName }) }
  const remote = await site.group(name)
  if (!remote)
    return await site.createGroup({ name, state, maxRehoming, leaderId, leaderName, priority: options.priority })
  if (remote.priority === 0)
    throw new SyncObstacle(`The group ${name} has priority 0 on the peer site: it is a primary group there`)
  if (remote.migrationStatus !== undefined)
    throw new SyncObstacle(`The group ${name} is being taken over by the peer site: it is audited first`)
  const changes = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => remote[key as keyof typeof wanted] !== value),
  )
  if (Object.keys(changes).length > 0) await site.updateGroup(name, changes)
  return remote
}

/** @throws SyncObstacle when the peer does not know this site */
export async function ensureAssociation(
  site: PeerSite,
  ownUuid: string,
  remoteGroup: RemoteGroup,
): Promise<RemoteAssociation> {
  const peerId = await site.peerIdOf(ownUuid)
  if (peerId === undefined)
    throw new SyncObstacle('The peer site has no system peer with the UUID of this site: add it there')
  const all = await site.associations()
  const known = all.find(association => association.groupId === remoteGroup.id && association.peerId === peerId)
  return known ?? (await site.createAssociation({ groupId: remoteGroup.id, peerId }))
}

/** While it is synced, or was not synced well, the copy is not believed. */
export async function tellStatus(site: PeerSite, remote: RemoteAssociation, status: SyncState): Promise<void> {
  if (remote.type === 'non-primary' && remote.syncStatus !== status) await site.setSyncStatus(remote.id, status)
}
