/**
 * What the audit of a group does with one member, from what both sites say of it. A record is taken away only for a
 * tombstone, never for an absence (H6); a subcloud that was taken in meanwhile is left to whoever holds the higher
 * ownership epoch (H7, H11). Pure.
 */
import { type DeployStatus, type ManagementState, mayMigrate } from '../model/states.ts'
import { compareVersions, type ValuesVersion } from '../model/values-version.ts'

export interface MemberView {
  readonly deployStatus: DeployStatus
  readonly managementState: ManagementState
  /** Grows each time a site sets out to take the subcloud in. */
  readonly ownerEpoch: number
  readonly values: ValuesVersion
}

/** `unread`: the other side could not be asked. `absent`: asked, and it has none. `deleted`: it remembers deleting it. */
export type Remote =
  | { readonly kind: 'member'; readonly view: MemberView }
  | { readonly kind: 'deleted'; readonly ownerEpoch: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unread' }

export type AuditEffect =
  /** Nobody here contacts the subcloud any more; the other site manages it. */
  | { readonly kind: 'stand-down'; readonly to: 'secondary' | 'rehome-failed' | 'rehome-pending' }
  | { readonly kind: 'take-values' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'adopt-epoch'; readonly ownerEpoch: number }

export interface AuditOutcome {
  readonly effects: readonly AuditEffect[]
  /** Why the copies differ and a person, or a sync, must act; undefined when this member needs neither. */
  readonly difference: string | undefined
}

const nothing: AuditOutcome = { effects: [], difference: undefined }

export function auditMember(name: string, local: MemberView, remote: Remote): AuditOutcome {
  switch (remote.kind) {
    case 'unread':
      return { effects: [], difference: `${name} could not be read on the other site` }
    case 'absent':
      return absent(name, local)
    case 'deleted':
      return deleted(name, local, remote.ownerEpoch)
    case 'member':
      return present(name, local, remote.view)
  }
}

/** A member that was added here and never synced, or whose sync failed: it is missing there, not superfluous here. */
const absent = (name: string, { deployStatus }: MemberView): AuditOutcome =>
  deployStatus === 'rehome-pending'
    ? { effects: [], difference: `${name} was handed over, and the other site does not have it` }
    : { effects: [], difference: `${name} is not on the other site yet` }

function deleted(name: string, local: MemberView, ownerEpoch: number): AuditOutcome {
  if (local.ownerEpoch > ownerEpoch)
    return { effects: [], difference: `${name} was deleted on the other site after it came here` }
  // Of the same epoch it never left this site: it was removed there by somebody who did not have it.
  const isMine = local.managementState === 'managed' && local.ownerEpoch === ownerEpoch
  if (isMine) return { effects: [], difference: `${name} was deleted on the other site, and is managed here` }
  return { effects: [{ kind: 'delete' }], difference: undefined }
}

function present(name: string, local: MemberView, remote: MemberView): AuditOutcome {
  const ownership = local.ownerEpoch < remote.ownerEpoch ? yielding(name, local, remote) : nothing
  const values = valuesOf(name, local, remote)
  return {
    effects: [...ownership.effects, ...values.effects],
    difference: ownership.difference ?? values.difference,
  }
}

/** The other site has set out to take it in, later than we did. */
function yielding(name: string, local: MemberView, remote: MemberView): AuditOutcome {
  const adopt: AuditEffect = { kind: 'adopt-epoch', ownerEpoch: remote.ownerEpoch }
  if (remote.managementState === 'managed')
    return { effects: [...standDown(local, 'secondary'), adopt], difference: undefined }
  if (remote.deployStatus === 'rehome-failed' || remote.deployStatus === 'rehome-prep-failed')
    return {
      // Its epoch is not adopted: whoever tries next, on either side, must go beyond it.
      effects: standDown(local, 'rehome-failed'),
      difference: `${name} could not be rehomed by the other site (${remote.deployStatus})`,
    }
  // Under way, or waiting to come online: nobody manages it here meanwhile.
  return { effects: standDown(local, 'rehome-pending'), difference: undefined }
}

/** Only what changes: a member that was secondary already is not made pending by somebody else's batch (H7). */
function standDown(local: MemberView, to: 'secondary' | 'rehome-failed' | 'rehome-pending'): AuditEffect[] {
  if (local.deployStatus === to && local.managementState === 'unmanaged') return []
  if (to !== 'secondary' && mayMigrate(local.deployStatus) && local.managementState === 'unmanaged') return []
  return [{ kind: 'stand-down', to }]
}

function valuesOf(name: string, local: MemberView, remote: MemberView): AuditOutcome {
  switch (compareVersions(local.values, remote.values)) {
    case 'equal':
      return nothing
    case 'older':
      return { effects: [{ kind: 'take-values' }], difference: undefined }
    case 'newer':
      return { effects: [], difference: `${name} was edited here and not there` }
    case 'conflict':
      return { effects: [], difference: `${name} was edited on both sites: edit it again on the one that leads` }
  }
}
