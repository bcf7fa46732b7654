/** What one look at a member of a batch shows: rows of one transaction, and what the other site says. */
import { type Row, type Sql, selectRows } from '@godwit/store'
import type { Remote } from '../audit/member.ts'
import type { RemoteView } from '../peer/peer-site.ts'
import { type Subcloud, subcloudById } from '../subcloud/rows.ts'
import { type BatchMember, memberOf } from './batch-rows.ts'
import { nextOwnerEpoch } from './batch-table.ts'
import type { RehomeFacts } from './facts.ts'
import type { RehomePorts } from './ports.ts'
import { type GroupRows, type KnownRows, readShared, type SharedRows } from './shared-rows.ts'
import { bootstrapData } from './values.ts'

export interface GroupScene extends GroupRows {
  readonly nowMs: number
}

export interface MemberScene extends GroupScene, SharedRows {
  readonly member: BatchMember
  /** Of the member, as the table has it. */
  readonly row: Row
  readonly subcloud: Subcloud | undefined
  /** Asked for only while the member waits for one. */
  readonly isSlotFree?: boolean
}

/** @param known of batches, from earlier looks */
export async function readMember(sql: Sql, id: number, known?: KnownRows): Promise<MemberScene | undefined> {
  const [row] = await selectRows(sql, 'batch_member', { id })
  if (!row) return undefined
  const member = memberOf(row)
  const shared = await readShared(sql, member.batchId, known)
  if (!shared) return undefined
  const subcloud = await subcloudById(sql, member.subcloudId)
  return { member, row, subcloud, ...shared, nowMs: await sql.nowMs() }
}

export function peerHealth({ peer }: GroupRows): RehomeFacts['peer'] {
  if (!peer) return 'none'
  return peer['availability_state'] === 'unavailable' ? 'unavailable' : 'available'
}

/** Any error is an answer that nobody can read: it permits nothing (H11). */
export async function lookAtPeer(
  { peerSite }: Pick<RehomePorts, 'peerSite'>,
  peer: Row,
  region: string,
): Promise<Remote> {
  try {
    const remote = await peerSite(peer).view(region)
    return remote ? remoteOf(remote) : { kind: 'absent' }
  } catch {
    return { kind: 'unread' }
  }
}

export function remoteOf(view: RemoteView): Remote {
  const { deployStatus, managementState, ownerEpoch = 0, valuesVersion: values = {} } = view
  return { kind: 'member', view: { deployStatus, managementState, ownerEpoch, values } }
}

/**
 * Whether the decision depends on what the other site says; it is not asked otherwise.
 * @param host where runs of this process live
 */
export function needsPeer(scene: MemberScene, host: string): boolean {
  const { cursor, run, wantedEpoch, isFailureReported, waitsFor } = scene.member
  if (peerHealth(scene) !== 'available') return false
  if (cursor.direction === 'Undo') return cursor.stage === 'Releasing' && !isFailureReported
  switch (cursor.stage) {
    case 'Claiming':
      return wantedEpoch === 0
    case 'Managing':
      return true
    // The first time it is asked to stand down, which is answered by what it has: a look before that says no more.
    case 'Releasing':
      return cursor.entered || waitsFor !== undefined
    case 'Running':
      // One that was asked for may not have been started: to join it is to start it then.
      return run === undefined || (run.kind === 'under-way' && run.host === host)
    default:
      return false
  }
}

export function factsOf(scene: MemberScene, subcloud: Subcloud, remote: Remote): RehomeFacts {
  const { member } = scene
  const { deployStatus, managementState, ownerEpoch, answeredMs } = subcloud
  const { run } = member
  return {
    name: member.name,
    deployStatus,
    managementState,
    wantedEpoch: member.wantedEpoch || wantedEpoch(scene, subcloud, remote),
    ownerEpoch,
    get missingValues() {
      const data = bootstrapData(subcloud.savedPayload)
      return data.kind === 'incomplete' ? data.missing : []
    },
    peer: peerHealth(scene),
    remote,
    isSlotFree: scene.isSlotFree ?? false,
    isPrepared: member.isPrepared,
    wantsManaged: scene.batch.groupId !== 0,
    run: runFact(run),
    answersHere: run !== undefined && 'endedMs' in run && answeredMs !== undefined && answeredMs >= run.endedMs,
    isFailureReported: member.isFailureReported || knowsFailure(remote),
  }
}

function runFact(run: BatchMember['run']): RehomeFacts['run'] {
  if (!run) return { kind: 'none' }
  return run.kind === 'under-way' ? { kind: 'under-way' } : run
}

/** A copy that waits for us no more: it has looked since, or never waited. */
const knowsFailure = (remote: Remote) =>
  remote.kind === 'absent' || (remote.kind === 'member' && remote.view.deployStatus === 'rehome-failed')

function wantedEpoch({ group, peer }: MemberScene, { ownerEpoch }: Subcloud, remote: Remote): number {
  const known = remote.kind === 'member' ? [ownerEpoch, remote.view.ownerEpoch] : [ownerEpoch]
  const isBlind = peer !== undefined && remote.kind === 'unread'
  return nextOwnerEpoch({ known, priority: group?.priority ?? 0, isBlind })
}
