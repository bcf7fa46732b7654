/**
 * Looks at both copies of a group and brings this one after the other, as the rules say; last of all it tells the other
 * site that its batch is known here. Two reads and the lists of members, whatever their number; only differences are
 * written, each in a transaction that meets the row as it was read. Safe to begin again at any point.
 */
import { Retryable } from '@godwit/core'
import type { Row, Sql } from '@godwit/store'
import { groupLedByPeer } from '../alarms/definitions.ts'
import { clearAlarm, raiseAlarm } from '../alarms/store.ts'
import { remoteAssociation } from '../association/peer-copy.ts'
import { type Association, associationById, updateAssociation } from '../association/rows.ts'
import { type AssociationPorts, type AssociationScene, isMoving } from '../association/scene.ts'
import { nextSyncState } from '../association/status.ts'
import type { PeerSite, RemoteAssociation } from '../peer/peer-site.ts'
import { groupById, updateGroup } from '../peer-group/rows.ts'
import { text } from '../state/column.ts'
import { membersOf, type Subcloud } from '../subcloud/rows.ts'
import { applyEffects } from './effects.ts'
import { auditGroup, type GroupAudit } from './group.ts'
import { auditedMembers, contentDifferences, type RemoteCopy } from './views.ts'

const MAX_MESSAGE_LENGTH = 2_000

interface Looked {
  readonly scene: AssociationScene
  readonly locals: readonly Subcloud[]
  readonly copy: RemoteCopy
  readonly remote: RemoteAssociation | undefined
  readonly audit: GroupAudit
  /** Of what both sites hold, beyond who manages it. */
  readonly content: readonly string[]
}

/**
 * @throws Retryable when something changed meanwhile, or the worker stops
 * @throws PeerUnreachable, PeerRefused
 */
export async function runAudit(ports: AssociationPorts, scene: AssociationScene, signal: AbortSignal): Promise<void> {
  // This site's own batch says where each member goes; it is audited when that has ended.
  if (scene.isMoving) return
  const peer = ports.peerSite(scene.peer)
  const looked = await look(ports, scene, peer)
  if (!looked) return await ports.site.database.transaction(sql => markAudited(sql, scene, {}))
  await applyAll(ports, looked, signal)
  await conclude(ports, looked)
  try {
    if (looked.audit.acknowledges) await peer.updateGroup(scene.group.name, { forgetMigration: true })
    if (asksPrimary(looked)) await peer.requestAudit({ ...scene.group, siteUuid: ports.site.identity.uuid })
  } catch (error) {
    await ports.site.database.transaction(sql => forgetAudit(sql, scene))
    throw error
  }
}

async function look({ site }: AssociationPorts, scene: AssociationScene, peer: PeerSite): Promise<Looked | undefined> {
  const { group } = scene
  const locals = await site.database.transaction(sql => membersOf(sql, group.id))
  const remoteGroup = await peer.group(group.name)
  if (!remoteGroup) return undefined
  const members = await peer.members(group.name)
  const tombstones = await peer.tombstones(group.name)
  const remote = await remoteAssociation(peer, site.identity.uuid, remoteGroup)
  const siteId = text(scene.peer, 'peer_uuid')
  const copy: RemoteCopy = { siteId, group: remoteGroup, members, tombstones, syncStatus: remote?.syncStatus }
  const audit = auditGroup(
    { ...group, siteId: site.identity.uuid },
    { ...remoteGroup, siteId },
    auditedMembers(locals, copy),
  )
  const taken = new Set(
    locals
      .filter((_, index) => audit.members[index]?.effects.some(({ kind }) => kind === 'take-values'))
      .map(({ region }) => region),
  )
  const isPrimary = scene.association.type === 'primary'
  const isUnknownThere = isPrimary && !remote
  const gateway = isPrimary ? text(scene.peer, 'peer_controller_gateway_address') : undefined
  const content = [
    ...contentDifferences(locals, copy, { taken, gateway }),
    ...(isUnknownThere ? ['the other site has no association of this group with this site'] : []),
  ]
  return { scene, locals, copy, remote, audit, content }
}

async function applyAll({ site }: AssociationPorts, { scene, locals, copy, audit }: Looked, signal: AbortSignal) {
  const byRegion = new Map(copy.members.map(member => [member.region, member]))
  for (const [index, { name, effects }] of audit.members.entries()) {
    const local = locals[index]
    if (!local || effects.length === 0) continue
    if (signal.aborted) throw new Retryable('the audit is interrupted')
    await site.database.transaction(async sql => {
      const group = await groupById(sql, scene.group.id)
      if (group && (await isMoving(sql, group))) throw new Retryable(`a batch of the group ${group.name} has begun`)
      await applyEffects(sql, local, byRegion.get(local.region), effects)
    })
    site.logger.info({ subcloud: name, effects: effects.map(({ kind }) => kind) }, 'a member follows the other site')
  }
}

/** Leader, alarm and mark in one transaction: whoever reads the one reads the others. */
async function conclude({ site }: AssociationPorts, { scene, copy, audit, content, remote }: Looked): Promise<void> {
  const { group, peer } = scene
  const alarm = groupLedByPeer({ group: group.name, peerUuid: copy.siteId, peerName: text(peer, 'peer_name') })
  await site.database.transaction(async sql => {
    const current = await groupById(sql, group.id)
    if (current?.version !== group.version) throw new Retryable(`the group ${group.name} has changed`)
    if (audit.follow !== undefined)
      await updateGroup(sql, current, {
        system_leader_id: audit.follow,
        system_leader_name: copy.group.leaderName,
        // An own batch that was never acknowledged is overtaken.
        migration_status: null,
      })
    // The other site may not have heard yet that this one has taken the group back.
    const isAway = audit.isAway && (audit.follow ?? current.leaderId) !== site.identity.uuid
    await (isAway ? raiseAlarm(sql, alarm) : clearAlarm(sql, alarm))
    const mark = markOf(scene.association, { audit, content, remote })
    const isTold = remote === undefined || remote.syncStatus === (mark?.sync_status ?? scene.association.syncStatus)
    await markAudited(sql, scene, { ...mark, ...(!isTold && { told_status: null }) })
  })
}

/** @throws Retryable when the association has changed since: an edit, or somebody who asks for another audit */
async function markAudited(sql: Sql, { association }: AssociationScene, columns: Row): Promise<void> {
  await updateAssociation(sql, association, { ...columns, audited_ms: await sql.nowMs() })
}

async function forgetAudit(sql: Sql, scene: AssociationScene): Promise<void> {
  const association = await associationById(sql, scene.association.id)
  if (association) await updateAssociation(sql, association, { audited_ms: null })
}

/** A failure of the other site leaves the mark as it is: its copy is not another one. While it is synced it is not judged. */
function markOf(association: Association, { audit, content, remote }: Pick<Looked, 'audit' | 'content' | 'remote'>) {
  const { syncStatus, syncMessage, type } = association
  if (syncStatus === 'syncing' && type === 'primary') return undefined
  const isReconciled = audit.isReconciled && content.length === 0
  if (!isReconciled && content.length === 0) return undefined
  // The primary site's word counts: it knows what it has not carried over yet.
  if (isReconciled && type === 'non-primary' && remote && remote.syncStatus !== 'in-sync') return undefined
  const status = nextSyncState(syncStatus, isReconciled ? 'reconciled' : 'edited')
  const message = isReconciled ? undefined : content.join('; ').slice(0, MAX_MESSAGE_LENGTH)
  // What a sync that failed has said is worth more.
  const keepsMessage = !isReconciled && syncStatus !== 'in-sync' && syncStatus !== 'out-of-sync'
  if (status === syncStatus && (keepsMessage || message === syncMessage)) return undefined
  return { sync_status: status, ...(!keepsMessage && { sync_message: message ?? null }) }
}

/**
 * Only the primary site says that the copies are equal, so it is asked to look when this audit has found or changed
 * something that it does not know yet; not otherwise, or the two would ask each other without end.
 */
function asksPrimary({ scene, remote, audit, content }: Looked): boolean {
  const { association } = scene
  if (association.type === 'primary' || !remote || remote.syncStatus === 'syncing') return false
  const hasChanged = audit.acknowledges || audit.members.some(({ effects }) => effects.length > 0)
  const isNews = content.length > 0 && association.syncStatus === 'in-sync' && remote.syncStatus === 'in-sync'
  return isNews || (hasChanged && remote.syncStatus !== 'in-sync')
}
