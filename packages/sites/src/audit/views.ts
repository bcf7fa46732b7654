/** What both sites say of the members of a group, as the rules want it. Pure. */
import { GATEWAY, replicaDifferences } from '../association/replica.ts'
import { isReplaceable, mayMigrate, type SyncState } from '../model/states.ts'
import type { ValuesVersion } from '../model/values-version.ts'
import type { RemoteGroup, RemoteSubcloud, RemoteTombstone } from '../peer/peer-site.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import type { AuditedMember } from './group.ts'
import type { MemberView, Remote } from './member.ts'

export interface RemoteCopy {
  readonly siteId: string
  readonly group: RemoteGroup
  readonly members: readonly RemoteSubcloud[]
  readonly tombstones: readonly RemoteTombstone[]
  /** Of its association with us; undefined: it has none. */
  readonly syncStatus: SyncState | undefined
}

/** What is there counts before what is remembered to be gone: a member may have come back. */
export function auditedMembers(locals: readonly Subcloud[], copy: RemoteCopy): readonly AuditedMember[] {
  const byRegion = new Map(copy.members.map(member => [member.region, member]))
  const stones = new Map(copy.tombstones.map(stone => [stone.region, stone]))
  return locals.map(local => {
    const remote = byRegion.get(local.region)
    const stone = stones.get(local.region)
    return { name: local.name, local, remote: remote ? present(local, remote, copy) : goneOrAbsent(stone) }
  })
}

const present = (local: Subcloud, remote: RemoteSubcloud, copy: RemoteCopy): Remote => ({
  kind: 'member',
  view: remoteView(local, remote, copy),
})

const goneOrAbsent = (stone: RemoteTombstone | undefined): Remote =>
  stone ? { kind: 'deleted', ownerEpoch: stone.ownerEpoch } : { kind: 'absent' }

function remoteView(local: Subcloud, remote: RemoteSubcloud, copy: RemoteCopy): MemberView {
  const { deployStatus, managementState } = remote
  return {
    deployStatus,
    managementState,
    ownerEpoch: remote.ownerEpoch ?? foreignEpoch(local, remote, copy),
    values: remote.valuesVersion ?? foreignValues(local, remote, copy),
  }
}

/** Another implementation counts no epochs: what it leads, and has or has tried to take in, counts as later. */
function foreignEpoch(
  local: Subcloud,
  { deployStatus, managementState }: RemoteSubcloud,
  { siteId, group }: RemoteCopy,
) {
  const isTakingOver = group.leaderId === siteId || group.migrationStatus === 'migrating'
  const hasTried = managementState === 'managed' || (mayMigrate(deployStatus) && deployStatus !== 'secondary')
  const isAtIt = group.migrationStatus === 'migrating' && deployStatus !== 'secondary'
  return isTakingOver && (hasTried || isAtIt) ? local.ownerEpoch + 1 : local.ownerEpoch
}

/** Nor does it count edits: it says that it was edited by its association being out of sync while it manages the member. */
function foreignValues(local: Subcloud, remote: RemoteSubcloud, { syncStatus, siteId }: RemoteCopy): ValuesVersion {
  if (replicaDifferences(local, remote).length === 0) return local.values
  const isEditedThere = syncStatus === 'out-of-sync' && remote.managementState === 'managed'
  return isEditedThere ? { ...local.values, [siteId]: (local.values[siteId] ?? 0) + 1 } : {}
}

/**
 * What differs though nobody has to yield: after the effects of the audit these are left for a sync, or a person.
 * @param options.taken regions whose values come from the other site now
 * @param options.gateway that this site gives to its copies there; undefined: it gives none
 */
export function contentDifferences(
  locals: readonly Subcloud[],
  copy: RemoteCopy,
  { taken, gateway }: { readonly taken: ReadonlySet<string>; readonly gateway: string | undefined },
): readonly string[] {
  const byRegion = new Map(locals.map(member => [member.region, member]))
  const theirs = copy.members.flatMap(remote => {
    const local = byRegion.get(remote.region)
    if (!local) return [`${remote.name} is a member on the other site only`]
    if (taken.has(remote.region)) return []
    const isGivenGateway =
      gateway !== undefined && isReplaceable(remote.deployStatus) && !isReplaceable(local.deployStatus)
    const hasOther = isGivenGateway && remote.rehomeData?.[GATEWAY] !== gateway
    const differing = [...replicaDifferences(local, remote), ...(hasOther ? ['gateway'] : [])]
    return differing.length === 0 ? [] : [`${local.name} differs in its ${differing.join(', ')}`]
  })
  const there = new Set(copy.members.map(({ region }) => region))
  const stones = new Set(copy.tombstones.map(({ region }) => region))
  const ours = locals.filter(({ region }) => !there.has(region) && !stones.has(region))
  return [...theirs, ...ours.map(({ name }) => `${name} is not a member on the other site`)]
}
