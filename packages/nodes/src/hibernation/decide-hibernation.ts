/** One look at one CocoonHibernation: what is to be written, and what is to be done then. Pure. */
import { rfc3339 } from '@godwit/ports'
import {
  type CocoonHibernation,
  HIBERNATION_ACCEPT_LOSS,
  HIBERNATION_FINALIZER,
  type HibernationPhase,
  type HibernationStatus,
  type Pod,
} from '../api/index.ts'
import type { TagFact } from '../migration/move-facts.ts'
import type { MoveEvent } from '../migration/step-move.ts'
import {
  claimOf,
  isHibernated,
  isHibernateSet,
  isServing,
  isTerminating,
  lifecycleOf,
  stampedGeneration,
  vmNameOfPod,
} from '../pod/pod-view.ts'

export interface HibernationFacts {
  readonly hibernation: CocoonHibernation
  /** Read from the server. */
  readonly pod: Pod | undefined
  /** Of the namespace, this one too. */
  readonly others: readonly CocoonHibernation[]
  readonly tag: TagFact
  readonly nowMs: number
  readonly limits: HibernationLimits
}

export interface HibernationLimits {
  readonly hibernateMs: number
  readonly wakeMs: number
}

export const DEFAULT_HIBERNATION_LIMITS: HibernationLimits = { hibernateMs: 3 * 60_000, wakeMs: 5 * 60_000 }

export type HibernationEffect =
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' }
  | { readonly kind: 'hibernate'; readonly pod: Pod; readonly claim: string }
  | { readonly kind: 'wake'; readonly pod: Pod }
  | {
      readonly kind: 'deleteSnapshot'
      readonly vmName: string
      readonly digest: string
      /** The pod whose VM serves while the tag shows this digest: if it changed meanwhile, nothing is deleted. */
      readonly witness: Pod | undefined
    }

export interface HibernationPlan {
  readonly status: HibernationStatus
  readonly effects: readonly HibernationEffect[]
  readonly events: readonly MoveEvent[]
  /** The tag has to be known: ask the registry and decide again. */
  readonly needsTag: boolean
  readonly afterMs: number | undefined
}

const LOOK_AGAIN_MS = 5000
const ASK_AGAIN_MS = 1000

export const hibernationClaim = ({ metadata }: CocoonHibernation) => `hibernation/${metadata.uid ?? ''}`

export function decideHibernation(facts: HibernationFacts): HibernationPlan {
  const { hibernation, pod } = facts
  const { metadata, spec, status = {} } = hibernation
  const isHeld = metadata.finalizers?.includes(HIBERNATION_FINALIZER) ?? false
  if (metadata.deletionTimestamp !== undefined) return isHeld ? planDeletion(facts) : stay(facts, {})
  if (!isHeld) return stay(facts, { effects: [{ kind: 'addFinalizer' }] })
  if (spec.podRef.name === '') return at(facts, 'Failed', { message: 'podRef names no pod' })
  const vmName = pod && !isTerminating(pod) ? vmNameOfPod(pod) : undefined
  if (!pod || !vmName) {
    const isKept = status.phase === 'Hibernated' || status.phase === 'Waking'
    if (isKept) return stay(facts, { afterMs: LOOK_AGAIN_MS })
    return at(facts, 'Pending', { message: `pod ${spec.podRef.name} has no VM`, afterMs: LOOK_AGAIN_MS })
  }
  // A leg that has begun is finished first: what was observed before it tells nothing about its end.
  const isWaking = spec.desire === 'Hibernate' ? status.phase === 'Waking' : status.phase !== 'Hibernating'
  return isWaking ? planWake(facts, pod, vmName) : planHibernate(facts, pod, vmName)
}

interface Part extends Partial<Omit<HibernationPlan, 'status'>> {
  readonly message?: string
  readonly members?: Partial<HibernationStatus>
}

const stay = ({ hibernation }: HibernationFacts, part: Part): HibernationPlan => ({
  status: { ...hibernation.status, ...part.members },
  effects: part.effects ?? [],
  events: part.events ?? [],
  needsTag: part.needsTag ?? false,
  afterMs: part.afterMs,
})

const REASONS: Readonly<Record<HibernationPhase, 'Done' | 'Pending' | 'Failed'>> = {
  Pending: 'Pending',
  Hibernating: 'Pending',
  Hibernated: 'Done',
  Waking: 'Pending',
  Active: 'Done',
  Failed: 'Failed',
}

/** The plan of a phase; its clock is the transition time of Ready, which starts anew when the phase changes. */
function at(facts: HibernationFacts, phase: HibernationPhase, part: Part): HibernationPlan {
  const { hibernation, nowMs } = facts
  const { generation = 0 } = hibernation.metadata
  const before = hibernation.status ?? {}
  const known = before.conditions?.find(({ type }) => type === 'Ready')
  const reason = REASONS[phase]
  const since = before.phase === phase && known ? known.lastTransitionTime : rfc3339(nowMs)
  const ready = {
    type: 'Ready',
    status: reason === 'Done' ? ('True' as const) : ('False' as const),
    reason,
    message: part.message ?? phase,
    lastTransitionTime: since,
    observedGeneration: generation,
  }
  const { status, ...plan } = stay(facts, part)
  return { ...plan, status: { ...status, observedGeneration: generation, phase, conditions: [ready] } }
}

/** Whether the phase has lasted too long. */
export function isOverdue({ hibernation, nowMs, limits }: HibernationFacts, phase: 'Hibernating' | 'Waking'): boolean {
  if (hibernation.status?.phase !== phase) return false
  const since = hibernation.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  const limitMs = phase === 'Hibernating' ? limits.hibernateMs : limits.wakeMs
  return since !== undefined && nowMs - Date.parse(since) > limitMs
}

const retried = ({ hibernation }: HibernationFacts): MoveEvent[] =>
  hibernation.status?.phase === 'Failed'
    ? [{ type: 'Normal', reason: 'RetryRequested', message: `trying again: ${hibernation.spec.desire}` }]
    : []

function planHibernate(facts: HibernationFacts, pod: Pod, vmName: string): HibernationPlan {
  const { hibernation, tag } = facts
  const { status = {} } = hibernation
  const claim = hibernationClaim(hibernation)
  const owner = claimOf(pod)
  const events = retried(facts)
  if (status.phase === 'Hibernated' && isHibernateSet(pod))
    return at(facts, 'Hibernated', { members: membersOf(pod, vmName) })
  if (isOverdue(facts, 'Hibernating')) return timedOut(facts, 'HibernateTimedOut', 'the VM was not saved in time')
  const members = membersOf(pod, vmName)
  if (owner !== undefined && owner !== claim && !isOrphaned(owner))
    return at(facts, 'Pending', { message: `the VM belongs to ${owner}`, members, afterMs: LOOK_AGAIN_MS })
  if (!isHibernateSet(pod) || owner !== claim)
    return at(facts, 'Hibernating', { members, events, effects: [{ kind: 'hibernate', pod, claim }] })
  if (!isHibernated(pod, stampedGeneration(pod)))
    return at(facts, 'Hibernating', { members, events, afterMs: LOOK_AGAIN_MS })
  if (tag.kind === 'unasked') return { ...at(facts, 'Hibernating', { members, events }), needsTag: true }
  if (tag.kind !== 'present')
    return at(facts, 'Hibernating', { members, events, afterMs: tag.kind === 'absent' ? LOOK_AGAIN_MS : ASK_AGAIN_MS })
  const done: MoveEvent = { type: 'Normal', reason: 'Hibernated', message: `VM ${vmName} is saved as ${tag.digest}` }
  return at(facts, 'Hibernated', { members: { ...members, digest: tag.digest }, events: [...events, done] })
}

function membersOf(pod: Pod, vmName: string): Partial<HibernationStatus> {
  const setUid = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid
  return { vmName, ...(setUid !== undefined && { setUid }) }
}

/** A suspension hands over what it hibernated; a migration ends by itself and is waited for. */
const isOrphaned = (claim: string) => claim.startsWith('suspend/')

function timedOut(facts: HibernationFacts, reason: string, message: string): HibernationPlan {
  const event: MoveEvent = { type: 'Warning', reason, message }
  return at(facts, 'Failed', { message, events: [event], afterMs: LOOK_AGAIN_MS })
}

function planWake(facts: HibernationFacts, pod: Pod, vmName: string): HibernationPlan {
  const { hibernation } = facts
  const { status = {}, metadata } = hibernation
  const isSettled = status.phase === 'Active' && status.observedGeneration === metadata.generation
  // F3: whoever hibernates it now has nothing to do with this one.
  if (isSettled) return status.owesDelete ? payDebt(facts, pod, vmName) : stay(facts, {})
  const events = retried(facts)
  const claim = claimOf(pod)
  const isOthers = claim !== undefined && claim !== hibernationClaim(hibernation)
  if (isHibernateSet(pod) && isOthers)
    return at(facts, 'Pending', { message: `the VM belongs to ${claim}`, members: { vmName }, afterMs: LOOK_AGAIN_MS })
  if (isHibernateSet(pod)) return planClear(facts, pod, vmName, events)
  if (isServing(pod, 0)) {
    const active: MoveEvent = { type: 'Normal', reason: 'WokenActive', message: `VM ${vmName} runs again` }
    return at(facts, 'Active', { members: { vmName, owesDelete: true }, events: [...events, active] })
  }
  if (isOverdue(facts, 'Waking')) return timedOut(facts, 'WakeTimedOut', 'the VM did not wake in time')
  return at(facts, 'Waking', { members: { vmName }, events, afterMs: LOOK_AGAIN_MS })
}

/** F4: what the agent is saving is saved first; and it wakes only from a snapshot that is known to be there. */
function planClear(facts: HibernationFacts, pod: Pod, vmName: string, events: readonly MoveEvent[]): HibernationPlan {
  const { tag } = facts
  if (isOverdue(facts, 'Waking')) return timedOut(facts, 'WakeTimedOut', 'the VM did not wake in time')
  const waking = (part: Part) => at(facts, 'Waking', { members: { vmName }, events, ...part })
  if (lifecycleOf(pod) === 'hibernating') return waking({ afterMs: LOOK_AGAIN_MS })
  if (lifecycleOf(pod) === 'hibernated') {
    if (tag.kind === 'unasked') return { ...waking({}), needsTag: true }
    if (tag.kind === 'unknown') return waking({ afterMs: ASK_AGAIN_MS })
    if (tag.kind === 'absent')
      return waking({ message: `SnapshotLost: the registry has no snapshot of ${vmName}`, afterMs: LOOK_AGAIN_MS })
  }
  return waking({ effects: [{ kind: 'wake', pod }] })
}

/** INV-3: the VM serves, so the snapshot is older than it. Only this manifest goes. */
function payDebt(facts: HibernationFacts, pod: Pod, vmName: string): HibernationPlan {
  const { tag, hibernation } = facts
  if (!isServing(pod, 0) || claimOf(pod) !== undefined) return stay(facts, {})
  if (tag.kind === 'unasked') return stay(facts, { needsTag: true })
  if (tag.kind === 'unknown') return stay(facts, { afterMs: ASK_AGAIN_MS })
  const isPaid = tag.kind === 'absent' || isOfOthers(hibernation, tag.digest)
  if (isPaid) return stay(facts, { members: { owesDelete: false } })
  return stay(facts, { effects: [{ kind: 'deleteSnapshot', vmName, digest: tag.digest, witness: pod }] })
}

/** Somebody else saved the VM after this one did. */
const isOfOthers = ({ status }: CocoonHibernation, digest: string) =>
  status?.digest !== undefined && status.digest !== digest

/** F6: the snapshot of a hibernated VM is its only copy: it wakes first, unless the user gives it up. */
function planDeletion(facts: HibernationFacts): HibernationPlan {
  const { hibernation, pod, others, tag } = facts
  const { metadata, spec, status = {} } = hibernation
  const { vmName } = status
  const leave = () => stay(facts, { effects: [{ kind: 'removeFinalizer' }] })
  const isShared = others.some(
    other =>
      other.metadata.uid !== metadata.uid &&
      other.metadata.deletionTimestamp === undefined &&
      ((vmName !== undefined && other.status?.vmName === vmName) || other.spec.podRef.name === spec.podRef.name),
  )
  if (isShared || (vmName === undefined && !pod)) return leave()
  const isGivenUp = metadata.annotations?.[HIBERNATION_ACCEPT_LOSS] === 'true'
  const isOurs =
    pod !== undefined &&
    isHibernateSet(pod) &&
    (claimOf(pod) ?? hibernationClaim(hibernation)) === hibernationClaim(hibernation)
  if (pod && isOurs && !isGivenUp) return planClear(facts, pod, vmName ?? '', [])
  if (vmName === undefined) return leave()
  // The set makes the pod anew, with its state, as long as this one says so. Awake once, it may have been saved by others.
  if (!pod && !isGivenUp) return status.phase === 'Active' ? leave() : stay(facts, { afterMs: LOOK_AGAIN_MS })
  if (pod && !isGivenUp && !isServing(pod, 0))
    return isHibernateSet(pod) ? leave() : stay(facts, { afterMs: LOOK_AGAIN_MS })
  if (tag.kind === 'unasked') return stay(facts, { needsTag: true })
  if (tag.kind === 'unknown') return stay(facts, { afterMs: ASK_AGAIN_MS })
  if (tag.kind === 'absent' || (!isGivenUp && isOfOthers(hibernation, tag.digest))) return leave()
  const witness = isGivenUp ? undefined : pod
  return stay(facts, { effects: [{ kind: 'deleteSnapshot', vmName, digest: tag.digest, witness }] })
}
