/**
 * Brings the copy of a group on the other site up to date. Each step looks first and can be repeated: a sync that was
 * interrupted is done again from the start, and finds what was done (H5).
 */
import { Retryable } from '@godwit/core'
import { isReplaceable } from '../model/states.ts'
import {
  PeerRefused,
  type PeerSite,
  PeerUnreachable,
  type RemoteGroup,
  type RemoteSubcloud,
} from '../peer/peer-site.ts'
import { tombstonesOf } from '../peer-group/rows.ts'
import { text } from '../state/column.ts'
import { membersOf, type Subcloud } from '../subcloud/rows.ts'
import { type MemberStep, planMember, planSurplus } from './member-plan.ts'
import { checkIdentity, ensureAssociation, ensureGroup, SyncObstacle, tellStatus } from './peer-copy.ts'
import { inPool } from './pool.ts'
import { replicaForm } from './replica.ts'
import type { AssociationPorts, AssociationScene } from './scene.ts'

/** Members that are written at the same time. */
const WIDTH = 10
const MAX_MESSAGE_LENGTH = 2_000

/** `message`: what an operator has to know; undefined: the copy is equal. */
export interface SyncResult {
  readonly message: string | undefined
}

interface Syncing {
  readonly scene: AssociationScene
  readonly peer: PeerSite
  readonly remoteGroup: RemoteGroup
  readonly gateway: string
  readonly signal: AbortSignal
}

/** @throws Retryable when the worker stops meanwhile */
export async function syncCopy(
  ports: AssociationPorts,
  scene: AssociationScene,
  signal: AbortSignal,
): Promise<SyncResult> {
  try {
    return await synced(ports, scene, signal)
  } catch (error) {
    if (error instanceof SyncObstacle) return { message: error.message }
    if (error instanceof PeerRefused) return { message: `The peer site refuses: ${error.message}` }
    if (error instanceof PeerUnreachable) return { message: `Peer site is unreachable: ${error.message}` }
    throw error
  }
}

async function synced(ports: AssociationPorts, scene: AssociationScene, signal: AbortSignal): Promise<SyncResult> {
  const { site } = ports
  const { association, group } = scene
  const peer = ports.peerSite(scene.peer)
  const isWhole = association.wanted === 'sync'
  const isLedHere = group.leaderId === site.identity.uuid
  if (isWhole && !isLedHere) throw new SyncObstacle(`The group ${group.name} is led by ${group.leaderName} meanwhile`)
  await checkIdentity(scene, peer)
  const priority = association.priority ?? 1
  const remoteGroup = await ensureGroup(peer, group, { priority, isLedHere })
  const remote = await ensureAssociation(peer, site.identity.uuid, remoteGroup)
  if (!isWhole) return { message: undefined }
  await tellStatus(peer, remote, 'syncing')
  const gateway = text(scene.peer, 'peer_controller_gateway_address')
  const errors = await syncMembers(ports, { scene, peer, remoteGroup, gateway, signal })
  return { message: errors.length === 0 ? undefined : messageOf(group.name, errors) }
}

type MemberError = readonly [name: string, text: string]

async function syncMembers({ site }: AssociationPorts, syncing: Syncing): Promise<readonly MemberError[]> {
  const { scene, peer, signal } = syncing
  const [locals, stones] = await site.database.transaction(async sql => [
    await membersOf(sql, scene.group.id),
    await tombstonesOf(sql, scene.group.name),
  ])
  const remotes = await peer.members(scene.group.name)
  const byRegion = new Map(remotes.map(remote => [remote.region, remote]))
  const carried = locals.filter(
    ({ deployStatus }) => deployStatus !== 'secondary' && deployStatus !== 'secondary-failed',
  )
  const written = await inPool(carried, WIDTH, member =>
    reported(member.name, signal, () => syncMember(syncing, member, byRegion.get(member.region))),
  )
  const taken = await inPool(planSurplus(locals, remotes, stones), WIDTH, step =>
    reported(step.name, signal, async () => {
      if (step.kind === 'error') return step.text
      await peer.deleteSubcloud(step.name)
      return undefined
    }),
  )
  return [...written, ...taken].filter(error => error !== undefined)
}

/** One that fails does not hold up the others; a site that is gone fails them all. */
async function reported(
  name: string,
  signal: AbortSignal,
  work: () => Promise<string | undefined>,
): Promise<MemberError | undefined> {
  if (signal.aborted) throw new Retryable('the sync is interrupted')
  try {
    const text = await work()
    return text === undefined ? undefined : [name, text]
  } catch (error) {
    if (error instanceof PeerRefused) return [name, error.message]
    throw error
  }
}

async function syncMember(
  syncing: Syncing,
  member: Subcloud,
  listed: RemoteSubcloud | undefined,
): Promise<string | undefined> {
  const { peer, remoteGroup, gateway } = syncing
  // One that an interrupted sync has added, and not yet put into the group, is not in the list.
  const remote = listed ?? (await peer.subcloud(member.region))
  const step = planMember(member, remote, { gateway, remoteGroupId: remoteGroup.id })
  if (step.kind === 'nothing') return undefined
  if (step.kind === 'error') return step.text
  const result = await written(syncing, member, step)
  return isReplaceable(result.deployStatus) ? undefined : `it is ${result.deployStatus} on the peer site`
}

async function written(
  { peer, remoteGroup, gateway }: Syncing,
  member: Subcloud,
  step: Exclude<MemberStep, { kind: 'nothing' | 'error' }>,
): Promise<RemoteSubcloud> {
  const join = { peer_group: String(remoteGroup.id) }
  if (step.kind === 'join') return await peer.updateSubcloud(member.region, { fields: join, files: {} })
  if (step.kind === 'update') {
    const form = replicaForm(member, gateway, 'update')
    return await peer.updateSubcloud(member.region, { ...form, fields: { ...form.fields, ...join } })
  }
  if (step.kind === 'replace') await peer.deleteSubcloud(step.formerName)
  await peer.addSecondary(replicaForm(member, gateway, 'add'))
  return await peer.updateSubcloud(member.region, { fields: join, files: {} })
}

function messageOf(group: string, errors: readonly MemberError[]): string {
  const names = errors.map(([name]) => name).join(', ')
  const reasons = errors.map(([name, text]) => `${name}: ${text}`).join('; ')
  return `Failed to sync ${names} of the group ${group}. ${reasons}`.slice(0, MAX_MESSAGE_LENGTH)
}
