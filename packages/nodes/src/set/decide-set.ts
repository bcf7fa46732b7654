/** One look at one CocoonSet: what is to be written, and what is to be done then. Pure. */
import { podAnnotations, SET_FINALIZER } from '../api/index.ts'
import { buildAgentPod } from '../pod/build-pod.ts'
import { driftOf } from '../pod/drift.ts'
import {
  annotationOf,
  isHibernateSet,
  isReady,
  isServing,
  isTerminal,
  lifecycleOf,
  stampedGeneration,
} from '../pod/pod-view.ts'
import { deriveStatus } from './derive-status.ts'
import { type Members, membersOf } from './members.ts'
import { checkToolboxes, planChildren } from './plan-children.ts'
import { planDebts } from './plan-debts.ts'
import { planDeletion } from './plan-deletion.ts'
import { PlanDraft } from './plan-draft.ts'
import { planMain } from './plan-main.ts'
import { isMoving, planMisplaced, planMoves } from './plan-moves.ts'
import { planSuspend, planWake } from './plan-suspend.ts'
import type { SetFacts, SetPlan } from './set-facts.ts'

export function decideSet(facts: SetFacts): SetPlan {
  const draft = new PlanDraft(facts)
  const members = membersOf(facts.pods)
  const isObserved = plan(draft, members)
  return {
    // What is said of a generation is said once something was decided for it.
    status: isObserved ? deriveStatus(draft, members) : (facts.set.status ?? {}),
    annotations: draft.annotations,
    effects: draft.effects,
    events: draft.events,
    needs: [...draft.needs],
    afterMs: draft.afterMs,
  }
}

/** @returns false when the pods have to be told first which generation it is about */
function plan(draft: PlanDraft, members: Members): boolean {
  const { set } = draft.facts
  if (set.metadata.deletionTimestamp !== undefined) {
    if (set.metadata.finalizers?.includes(SET_FINALIZER)) planDeletion(draft)
    return true
  }
  if (!set.metadata.finalizers?.includes(SET_FINALIZER)) {
    draft.effects.push({ kind: 'addFinalizer' })
    return true
  }
  checkToolboxes(draft)
  if (stamp(draft, members)) return false
  planMoves(draft, members)
  const isMainMoving = isMoving((draft.record.migrations ?? []).find(({ slot }) => slot === 0))
  if (set.spec.suspend) {
    if (!isMainMoving) planSuspend(draft, members)
    return true
  }
  planWake(draft, members)
  if (!isMainMoving) planRunning(draft, members)
  planDebts(draft, members)
  return true
}

/** Every pod says which generation it is to answer for; what is decided from here on is for that. */
function stamp(draft: PlanDraft, { all }: Members): boolean {
  const { generation = 0 } = draft.facts.set.metadata
  const old = all.filter(pod => stampedGeneration(pod) !== generation)
  for (const pod of old) draft.effects.push({ kind: 'stamp', pod })
  return old.length > 0
}

function planRunning(draft: PlanDraft, members: Members): void {
  const { set } = draft.facts
  const { main } = members
  if (!main) {
    planMain(draft, { isOwed: false })
    return
  }
  if (planMisplaced(draft, main)) return
  if (draft.move(main.metadata.name) === undefined && isMended(draft, members)) return
  if (!isReady(main) || isHibernateSet(main)) {
    if (draft.phase === undefined) draft.phase = isServing(main, 0) ? undefined : 'Pending'
    return
  }
  if (set.status?.phase === 'Failed')
    draft.events.push({ type: 'Normal', reason: 'RecoveredFromFailure', message: 'the main agent is ready again' })
  planChildren(draft, members)
}

/** @returns whether the main pod failed or differs from the spec, so that nothing else is done now */
function isMended(draft: PlanDraft, { main }: Members): boolean {
  if (!main) return false
  const { set } = draft.facts
  const drift = driftOf(main, buildAgentPod(set, 0, { isRestore: false }), { isAgent: true })
  if (drift !== undefined && !isHibernateSet(main)) {
    draft.effects.push({ kind: 'deletePod', pod: main, isKeepingSnapshot: false })
    return true
  }
  if (!isTerminal(main)) return false
  const reason = lifecycleOf(main) === 'failed' ? 'PodLifecycleFailed' : 'MainAgentFailed'
  draft.phase = 'Failed'
  draft.message = annotationOf(main, podAnnotations.lifecycleMessage) ?? 'the pod of the main agent failed'
  if (set.status?.phase !== 'Failed') draft.warn(reason, draft.message)
  return true
}
