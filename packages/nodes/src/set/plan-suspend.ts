/** Suspending a set, and waking it. What is owed afterwards is on record before the first VM is touched. */
import { rfc3339 } from '@godwit/ports'
import { type Pod, type Suspension, setAnnotations } from '../api/index.ts'
import {
  claimOf,
  isHibernated,
  isHibernateSet,
  isManaged,
  isServing,
  isTerminal,
  unschedulable,
  vmNameOfPod,
} from '../pod/pod-view.ts'
import { isHeld } from './hibernations.ts'
import { type Members, vmNamesOf } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'
import { planMain } from './plan-main.ts'

const LOOK_AGAIN_MS = 5000

const claimIdOf = (draft: PlanDraft) => `suspend/${draft.facts.set.metadata.uid ?? ''}`

/** Section 3.5 and the suspending half of 3.7. */
export function planSuspend(draft: PlanDraft, members: Members): void {
  const { set, nowMs, limits } = draft.facts
  const pods = members.all.filter(pod => !isTerminal(pod))
  const isReleasing = set.spec.hibernatePolicy === 'release'
  const isOver = draft.record.suspension?.isComplete === true
  if (pods.length === 0 && isReleasing && (isOver || members.all.length === 0)) {
    draft.phase = 'Suspended'
    return
  }
  if (!members.main) {
    planMain(draft, { isOwed: true })
    draft.phase = 'Suspending'
    return
  }
  const since = draft.record.suspension?.since ?? new Date(nowMs).toISOString()
  const vms = vmsOf(draft.record.suspension?.vms ?? [], pods.filter(isManaged))
  draft.setSuspension({ since, vms, isComplete: isOver })
  quiesceAll(draft, pods)
  if (isSaved(draft, pods)) {
    suspended(draft, members, pods)
    return
  }
  if (draft.needs.size > 0) return
  draft.phase = 'Suspending'
  const leftMs = Date.parse(since) + limits.suspendMs - nowMs
  draft.lookAgainIn(Math.min(LOOK_AGAIN_MS, Math.max(leftMs, 1)))
  if (leftMs <= 0) timedOut(draft, vms)
}

function vmsOf(known: Suspension['vms'], pods: readonly Pod[]): Suspension['vms'] {
  const seen = pods.map(pod => ({ podName: pod.metadata.name, vmName: vmNameOfPod(pod) ?? '' }))
  const gone = known.filter(vm => !seen.some(({ podName }) => podName === vm.podName))
  return [...gone, ...seen].sort((a, b) => (a.podName < b.podName ? -1 : 1))
}

function quiesceAll(draft: PlanDraft, pods: readonly Pod[]): void {
  const claim = claimIdOf(draft)
  for (const pod of pods) {
    const isOurs = claimOf(pod) === undefined || claimOf(pod) === claim || claimOf(pod)?.startsWith('migration/')
    if (draft.move(pod.metadata.name) || !isOurs) continue
    if (!isHibernateSet(pod) || claimOf(pod)?.startsWith('migration/'))
      draft.effects.push({ kind: 'quiesce', pod, claim })
  }
}

/** Every managed VM: saved and gone for this generation, and its tag there. */
function isSaved(draft: PlanDraft, pods: readonly Pod[]): boolean {
  const { generation = 0 } = draft.facts.set.metadata
  const managed = pods.filter(isManaged)
  if (managed.some(pod => vmNameOfPod(pod) === undefined || !isHibernated(pod, generation))) return false
  return managed.map(pod => draft.tag(vmNameOfPod(pod) ?? '').kind === 'present').every(isThere => isThere)
}

function suspended(draft: PlanDraft, members: Members, pods: readonly Pod[]): void {
  const { set } = draft.facts
  draft.phase = 'Suspended'
  if (draft.record.suspension) draft.setSuspension({ ...draft.record.suspension, isComplete: true })
  if (set.spec.hibernatePolicy !== 'release') return
  draft.annotations[setAnnotations.deleteVmNames] = [...vmNamesOf(members.all)].sort().join(',')
  const node = members.main?.spec.nodeName
  if (node) draft.annotations[setAnnotations.hibernatedOnNode] = node
  for (const pod of pods) draft.effects.push({ kind: 'deletePod', pod, isKeepingSnapshot: true })
}

function timedOut(draft: PlanDraft, vms: Suspension['vms']): void {
  const { nowMs } = draft.facts
  draft.phase = 'Failed'
  draft.message = 'the VMs were not saved in time'
  draft.warn('SuspendTimedOut', 'the VMs of the set were not saved in time; trying again')
  draft.setSuspension({ since: new Date(nowMs).toISOString(), vms, isComplete: false })
}

/**
 * The waking half: the suspension becomes a debt for each VM, durable before the first one is woken. A VM whose pod is
 * gone owes a restore as long as its debt is not proven.
 */
export function planWake(draft: PlanDraft, members: Members): void {
  const { suspension } = draft.record
  const { set, nowMs } = draft.facts
  const { generation = 0 } = set.metadata
  for (const { podName, vmName } of suspension?.vms ?? [])
    draft.setDebt(vmName, {
      vmName,
      podName,
      reason: 'suspend',
      isProven: false,
      generation,
      since: rfc3339(nowMs),
      attempts: 0,
    })
  draft.setSuspension(undefined)
  wakeAll(draft, members)
  followWake(draft, members)
}

function wakeAll(draft: PlanDraft, { all }: Members): void {
  for (const pod of all) {
    const claim = claimOf(pod)
    const isOthers = claim !== undefined && !claim.startsWith('suspend/')
    if (!isHibernateSet(pod) || isOthers || draft.move(pod.metadata.name)) continue
    if (isHeld(draft.facts.hibernations, pod.metadata.name)) continue
    draft.effects.push({ kind: 'wake', pod, claim: claim ?? '' })
  }
}

function followWake(draft: PlanDraft, { main }: Members): void {
  const { set } = draft.facts
  const isOwed = (draft.record.debts ?? []).some(({ reason, isProven }) => reason === 'suspend' && !isProven)
  const hint = set.metadata.annotations?.[setAnnotations.hibernatedOnNode]
  if (!isOwed) {
    if (hint !== undefined && main && !isHibernateSet(main)) draft.annotations[setAnnotations.hibernatedOnNode] = null
    return
  }
  if (main && isServing(main, 0)) return
  draft.phase = 'Waking'
  const problem = main && unschedulable(main)
  if (problem) draft.warn('WakeNoCapacity', problem)
}
