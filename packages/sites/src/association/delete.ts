/**
 * Takes the copy on the other site away, then the association. Written down as `deleting` before it begins, and safe to
 * begin again: each step finds what is left. What fails ends the attempt with a message; `force` asks nobody.
 */
import { Retryable } from '@godwit/core'
import { deleteRow, type Sql, wakeWork } from '@godwit/store'
import { groupLedByPeer } from '../alarms/definitions.ts'
import { clearAlarm } from '../alarms/store.ts'
import { isReplaceable } from '../model/states.ts'
import { PeerRefused, type PeerSite, PeerUnreachable, type RemoteGroup } from '../peer/peer-site.ts'
import { QUEUES } from '../site.ts'
import { text } from '../state/column.ts'
import { membersOf, type Subcloud } from '../subcloud/rows.ts'
import { isSameSystem, SyncObstacle } from './peer-copy.ts'
import { inPool } from './pool.ts'
import { ASSOCIATION_TABLE, updateAssociation } from './rows.ts'
import type { AssociationPorts, AssociationScene } from './scene.ts'
import { nextSyncState } from './status.ts'

const WIDTH = 10
const ASSOCIATED = 'a peer group which is associated with a system peer'

export async function deleteAssociation(
  ports: AssociationPorts,
  scene: AssociationScene,
  signal: AbortSignal,
): Promise<void> {
  const { association } = scene
  const { database, logger } = ports.site
  try {
    if (association.type === 'primary' && association.deleting !== 'force') await deleteCopy(ports, scene, signal)
  } catch (error) {
    const message = messageOf(error)
    const changes = {
      deleting: null,
      sync_status: nextSyncState(association.syncStatus, 'sync-failed'),
      sync_message: message,
    }
    await database.transaction(sql => updateAssociation(sql, association, changes))
    logger.warn({ association: association.id, group: scene.group.name, message }, 'an association was not deleted')
    return
  }
  await database.transaction(sql => deleteHere(sql, scene))
  const residue = association.deleting === 'force' ? { residue: 'the copy on the peer site, if there is one' } : {}
  logger.info({ association: association.id, group: scene.group.name, ...residue }, 'an association was deleted')
}

/** A group that no association leads anywhere is away no more; a peer without associations is not looked at. */
async function deleteHere(sql: Sql, { association, group, peer }: AssociationScene): Promise<void> {
  await deleteRow(sql, ASSOCIATION_TABLE, association)
  const [peerUuid, peerName] = [text(peer, 'peer_uuid'), text(peer, 'peer_name')]
  await clearAlarm(sql, groupLedByPeer({ group: group.name, peerUuid, peerName }))
  await wakeWork(sql, QUEUES.peer, String(association.peerId))
}

async function deleteCopy({ site, peerSite }: AssociationPorts, scene: AssociationScene, signal: AbortSignal) {
  const peer = peerSite(scene.peer)
  // Another system took that place: it has nothing of ours.
  if (!isSameSystem(await peer.systemUuid(), text(scene.peer, 'peer_uuid'))) return
  const remote = await peer.group(scene.group.name)
  if (!remote) return
  if (remote.priority === 0)
    throw new SyncObstacle(`The group ${remote.name} has priority 0 on the peer site: it is a primary group there`)
  const members = await site.database.transaction(sql => membersOf(sql, scene.group.id))
  await deleteMembers(peer, remote, members, signal)
  await deleteGroup(peer, remote, await peer.peerIdOf(site.identity.uuid))
}

/** Copies only: what the other site manages, or is about to, stays there. */
async function deleteMembers(peer: PeerSite, remote: RemoteGroup, members: readonly Subcloud[], signal: AbortSignal) {
  const ours = new Set(members.map(({ region }) => region))
  const copies = (await peer.members(remote.name)).filter(
    ({ region, deployStatus }) => ours.has(region) && isReplaceable(deployStatus),
  )
  const failures = await inPool(copies, WIDTH, async ({ name }) => {
    if (signal.aborted) throw new Retryable('the deletion is interrupted')
    try {
      await peer.deleteSubcloud(name)
      return undefined
    } catch (error) {
      if (error instanceof PeerRefused) return { name, text: error.message }
      throw error
    }
  })
  const failed = failures.filter(failure => failure !== undefined)
  if (failed.length === 0) return
  const reasons = failed.map(({ name, text: reason }) => `${name}: ${reason}`).join('; ')
  throw new SyncObstacle(`Deletion of ${failed.map(({ name }) => name).join(', ')} on the peer site failed. ${reasons}`)
}

async function deleteGroup(peer: PeerSite, remote: RemoteGroup, ownId: number | undefined): Promise<void> {
  if (ownId !== undefined) {
    const all = await peer.associations()
    const own = all.find(({ groupId, peerId }) => groupId === remote.id && peerId === ownId)
    if (own) await peer.deleteAssociation(own.id)
  }
  try {
    await peer.deleteGroup(remote.name)
  } catch (error) {
    const isAssociated = error instanceof PeerRefused && error.message.includes(ASSOCIATED)
    // A peer that does not know us any more has it associated with somebody else.
    if (isAssociated && ownId === undefined) return
    if (!isAssociated) throw error
    throw new SyncObstacle(`The group ${remote.name} was not deleted on the peer site: it is associated still`)
  }
}

/** @throws what is no answer of the other site */
function messageOf(error: unknown): string {
  if (error instanceof SyncObstacle) return error.message
  if (error instanceof PeerRefused) return `The peer site refuses: ${error.message}`
  if (error instanceof PeerUnreachable)
    return `Peer site is unreachable: ${error.message}. If it is lost, delete the association with force=true`
  throw error
}
