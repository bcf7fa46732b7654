/**
 * Auto-approval of certificate requests on the target hub, shared by all migrations to it. Who relies on it, and what
 * was there before the first of them, is kept on the ClusterManager itself, in the same write as the change: the last
 * one to leave puts everything back as it was (H-45).
 */
import { z } from 'zod'
import { AUTO_APPROVAL_GATE, annotation, annotations, type ClusterManager } from '../api/index.ts'

/** `added`: not listed before, so it goes with the migration. `listed`: somebody else had listed it. */
type Claim = 'added' | 'listed'

const recordSchema = z.object({
  /** Mode of the gate before the first migration; null: it was not mentioned. */
  gate: z.string().nullable(),
  users: z.record(z.string(), z.enum(['added', 'listed'])),
})
type ApprovalRecord = z.infer<typeof recordSchema>

/** What a merge patch of the ClusterManager must say; null takes a member away. */
export interface ApprovalPatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> }
  readonly spec: {
    readonly registrationConfiguration: {
      readonly autoApproveUsers: readonly string[] | null
      readonly featureGates: readonly FeatureGate[] | null
    }
  }
}

interface FeatureGate {
  readonly feature: string
  readonly mode?: string
}

const registrationOf = (manager: ClusterManager) => manager.spec?.registrationConfiguration ?? {}
const gateOf = (manager: ClusterManager) =>
  registrationOf(manager).featureGates?.find(({ feature }) => feature === AUTO_APPROVAL_GATE)?.mode
const usersOf = (manager: ClusterManager) => registrationOf(manager).autoApproveUsers ?? []

/** Something unreadable counts as nothing: then only our own user is ever taken away, and the gate is left alone. */
function recordOf(manager: ClusterManager): ApprovalRecord | undefined {
  const text = annotation(manager, annotations.autoApproval)
  if (text === undefined) return undefined
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The hub approves requests of this user, and the record says that a migration relies on it. */
export const isApproving = (manager: ClusterManager, user: string) =>
  gateOf(manager) === 'Enable' && usersOf(manager).includes(user) && reliesOn(manager, user)

/** A migration relies on the approval of this user. */
export const reliesOn = (manager: ClusterManager, user: string) => recordOf(manager)?.users[user] !== undefined

export function approve(manager: ClusterManager, user: string): ApprovalPatch {
  const record = recordOf(manager) ?? { gate: gateOf(manager) ?? null, users: {} }
  const users = usersOf(manager)
  const claim: Claim = record.users[user] ?? (users.includes(user) ? 'listed' : 'added')
  return patchOf(manager, {
    record: { ...record, users: { ...record.users, [user]: claim } },
    users: [...new Set([...users, user])],
    gate: 'Enable',
  })
}

/** undefined when no migration relies on this user's approval (any more). */
export function disapprove(manager: ClusterManager, user: string): ApprovalPatch | undefined {
  const record = recordOf(manager)
  const claim = record?.users[user]
  if (!record || !claim) return undefined
  const { [user]: _, ...others } = record.users
  const isLast = Object.keys(others).length === 0
  // Somebody who switched the gate off meanwhile has the last word.
  const isOurs = gateOf(manager) === 'Enable'
  return patchOf(manager, {
    record: isLast ? undefined : { ...record, users: others },
    users: claim === 'added' ? usersOf(manager).filter(other => other !== user) : usersOf(manager),
    gate: isLast && isOurs ? (record.gate ?? undefined) : gateOf(manager),
  })
}

interface Wanted {
  readonly record: ApprovalRecord | undefined
  readonly users: readonly string[]
  readonly gate: string | undefined
}

function patchOf(manager: ClusterManager, { record, users, gate }: Wanted): ApprovalPatch {
  const gates = registrationOf(manager).featureGates ?? []
  const index = gates.findIndex(({ feature }) => feature === AUTO_APPROVAL_GATE)
  const own = gate === undefined ? [] : [{ feature: AUTO_APPROVAL_GATE, mode: gate }]
  const featureGates = index < 0 ? [...gates, ...own] : [...gates.slice(0, index), ...own, ...gates.slice(index + 1)]
  return {
    metadata: { annotations: { [annotations.autoApproval]: record ? JSON.stringify(record) : null } },
    spec: { registrationConfiguration: { autoApproveUsers: orNull(users), featureGates: orNull(featureGates) } },
  }
}

const orNull = <T>(list: readonly T[]) => (list.length > 0 ? list : null)
