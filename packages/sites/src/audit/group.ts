/** What the audit of a group does beyond its members. Pure; the members are judged one by one in `member.ts`. */
import type { MigrationState } from '../model/states.ts'
import { type AuditEffect, type AuditOutcome, auditMember, type MemberView, type Remote } from './member.ts'

export interface GroupCopy {
  readonly siteId: string
  readonly priority: number
  readonly leaderId: string
  readonly migrationStatus: MigrationState | undefined
}

export interface AuditedMember {
  readonly name: string
  readonly local: MemberView
  readonly remote: Remote
}

export interface GroupAudit {
  readonly members: readonly { readonly name: string; readonly effects: readonly AuditEffect[] }[]
  /** The new leader of the local copy; undefined: as it is. */
  readonly follow: string | undefined
  /** The other site may forget that its batch has ended: everything of it is known here. Last of all effects. */
  readonly acknowledges: boolean
  /** The copies are equal once the effects are done; the association may say so. */
  readonly isReconciled: boolean
  /** The group lives on a site of lower priority than this one: alarm 280.005. */
  readonly isAway: boolean
  readonly differences: readonly string[]
}

export function auditGroup(local: GroupCopy, remote: GroupCopy, members: readonly AuditedMember[]): GroupAudit {
  const isLedThere = remote.leaderId === remote.siteId
  const isAway = isLedThere && local.priority < remote.priority
  // This site's own batch says where each member goes, and its epochs are newer: it is not interrupted half-way.
  if (local.migrationStatus === 'migrating') return { ...quiet, isAway }
  const isCarriedBySync = isLedThere && local.priority > remote.priority
  const outcomes = members.map(({ name, ...views }) => {
    const outcome = auditMember(name, views.local, views.remote)
    return { name, ...(isCarriedBySync && isCopy(views.local) ? leftToSync(name, outcome) : outcome) }
  })
  const differences = outcomes.flatMap(({ difference }) => (difference === undefined ? [] : [difference]))
  const isKnown = members.every(member => member.remote.kind !== 'unread')
  const hasEnded = remote.migrationStatus === 'complete'
  return {
    members: outcomes.map(({ name, effects }) => ({ name, effects })),
    follow: hasEnded && isLedThere && !leadsLater(local, remote, members) ? remote.leaderId : undefined,
    acknowledges: hasEnded && isKnown,
    isReconciled: remote.migrationStatus !== 'migrating' && differences.length === 0,
    isAway,
    differences,
  }
}

const isCopy = ({ deployStatus }: MemberView) => deployStatus === 'secondary'

/** What the primary site edits reaches a copy when its operator syncs, and is seen as out of sync until then. */
function leftToSync(name: string, outcome: AuditOutcome): AuditOutcome {
  const effects = outcome.effects.filter(({ kind }) => kind !== 'take-values')
  if (effects.length === outcome.effects.length) return outcome
  return { effects, difference: outcome.difference ?? `${name} was edited on the other site, and not synced yet` }
}

/**
 * Both sites may have taken the group over while they did not see each other. Who took members in last leads; if nobody
 * did, the primary one does. Either side comes to the same answer, so that they never follow one another in a circle.
 */
function leadsLater(local: GroupCopy, remote: GroupCopy, members: readonly AuditedMember[]): boolean {
  if (local.leaderId === remote.leaderId) return true
  if (local.leaderId !== local.siteId || local.migrationStatus !== 'complete') return false
  const own = Math.max(0, ...members.map(({ local: view }) => view.ownerEpoch))
  const other = Math.max(0, ...members.map(member => epochOf(member.remote)))
  return own === other ? local.priority < remote.priority : own > other
}

function epochOf(remote: Remote): number {
  if (remote.kind === 'member') return remote.view.ownerEpoch
  return remote.kind === 'deleted' ? remote.ownerEpoch : 0
}

const quiet: GroupAudit = {
  members: [],
  follow: undefined,
  acknowledges: false,
  isReconciled: false,
  isAway: false,
  differences: [],
}
