/**
 * What a sync does with each member, from the lists of both sites. The leading site writes over copies only, never over
 * an edit that it has not seen (H14), and takes a copy away only when it remembers that the member is gone (H6). Pure.
 */
import { isReplaceable } from '../model/states.ts'
import { compareVersions } from '../model/values-version.ts'
import type { RemoteSubcloud } from '../peer/peer-site.ts'
import type { Tombstone } from '../peer-group/rows.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import { GATEWAY, replicaDifferences, replicaObstacle } from './replica.ts'

export type MemberStep =
  | { readonly kind: 'nothing' }
  /** The other site has no such region. */
  | { readonly kind: 'add' }
  | { readonly kind: 'update' }
  /** Equal, and in no group or another one. */
  | { readonly kind: 'join' }
  /** Renamed here: a copy is not renamed, it is made again. */
  | { readonly kind: 'replace'; readonly formerName: string }
  | { readonly kind: 'error'; readonly text: string }

export interface MemberPlanOptions {
  /** Of the other site, in its routes to its copies. */
  readonly gateway: string
  readonly remoteGroupId: number
}

/** @param remote undefined: it was looked for there, in and outside of the group */
export function planMember(
  local: Subcloud,
  remote: RemoteSubcloud | undefined,
  { gateway, remoteGroupId }: MemberPlanOptions,
): MemberStep {
  const obstacle = replicaObstacle(local)
  if (obstacle !== undefined) return { kind: 'error', text: obstacle }
  if (!remote) return { kind: 'add' }
  if (!isReplaceable(remote.deployStatus))
    return { kind: 'error', text: `it is ${remote.deployStatus} and ${remote.managementState} on the peer site` }
  const order = remote.valuesVersion && compareVersions(local.values, remote.valuesVersion)
  if (order === 'older') return { kind: 'error', text: 'it has a newer edit on the peer site' }
  if (order === 'conflict')
    return { kind: 'error', text: 'it was edited on both sites: edit it again on the one that leads' }
  if (remote.name !== local.name) return { kind: 'replace', formerName: remote.name }
  const isEqual =
    (order ?? 'equal') === 'equal' &&
    replicaDifferences(local, remote).length === 0 &&
    remote.rehomeData?.[GATEWAY] === gateway &&
    remote.deployStatus !== 'secondary-failed'
  if (!isEqual) return { kind: 'update' }
  return remote.peerGroupId === remoteGroupId ? { kind: 'nothing' } : { kind: 'join' }
}

export type SurplusStep =
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'error'; readonly name: string; readonly text: string }

/** Of members that only the other site has. */
export function planSurplus(
  locals: readonly Subcloud[],
  remotes: readonly RemoteSubcloud[],
  tombstones: readonly Tombstone[],
): readonly SurplusStep[] {
  const here = new Set(locals.map(({ region }) => region))
  const stones = new Map(tombstones.map(stone => [stone.region, stone]))
  return remotes.flatMap((remote): readonly SurplusStep[] => {
    if (here.has(remote.region)) return []
    const { name } = remote
    const stone = stones.get(remote.region)
    if (!stone) return [{ kind: 'error', name, text: 'it is a member on the peer site only' }]
    if (!isReplaceable(remote.deployStatus))
      return [{ kind: 'error', name, text: `it was removed here and is ${remote.deployStatus} on the peer site` }]
    if ((remote.ownerEpoch ?? 0) > stone.ownerEpoch && remote.deployStatus !== 'secondary')
      return [{ kind: 'error', name, text: 'it was removed here, and the peer site has tried to take it in since' }]
    return [{ kind: 'delete', name }]
  })
}
