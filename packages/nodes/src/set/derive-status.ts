/** The status of a set, derived from its record and its pods; nothing in it is remembered for its own sake. Pure. */
import { rfc3339 } from '@godwit/ports'
import {
  type AgentStatus,
  agentPodName,
  type CocoonSetStatus,
  conditionOf,
  type Pod,
  podAnnotations,
  type SetCondition,
  type SetPhase,
  type ToolboxStatus,
} from '../api/index.ts'
import { connTypeOf, isStatic } from '../pod/build-pod.ts'
import { annotationOf, isHibernateSet, isReady, unschedulable, vmIdOf, vmNameOfPod } from '../pod/pod-view.ts'
import type { Members } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'
import { isMoving } from './plan-moves.ts'
import type { SetFacts } from './set-facts.ts'

const MOVING_PHASES: readonly SetPhase[] = ['Pending', 'Scaling', 'Suspending', 'Waking', 'Migrating']

export function deriveStatus(draft: PlanDraft, members: Members): CocoonSetStatus {
  const { set } = draft.facts
  const { generation = 0 } = set.metadata
  const agents = agentsOf(draft, members)
  const toolboxes = toolboxesOf(draft, members)
  const isServingPod = (pod: Pod) => isReady(pod) && !isHibernateSet(pod)
  const counts = {
    readyAgents: [members.main, ...members.subAgents.values()].filter(pod => pod && isServingPod(pod)).length,
    desiredAgents: 1 + set.spec.agent.replicas,
    readyToolboxes: [...members.toolboxes.values()].filter(
      pod => isServingPod(pod) || annotationOf(pod, podAnnotations.managed) !== 'true',
    ).length,
    desiredToolboxes: set.spec.toolboxes?.length ?? 0,
  }
  const isAllReady = counts.readyAgents >= counts.desiredAgents && counts.readyToolboxes >= counts.desiredToolboxes
  const phase = phaseOf(draft, members, isAllReady)
  const wanted = conditionsOf(draft, phase, counts, isAllReady)
  return {
    ...draft.record,
    observedGeneration: generation,
    phase,
    ...counts,
    ...(agents.length > 0 && { agents }),
    ...(toolboxes.length > 0 && { toolboxes }),
    conditions: merged(set.status?.conditions ?? [], wanted, draft.facts.nowMs, generation),
  }
}

/** The record says what moves (R1); only then the pods say how the set is. */
function phaseOf(draft: PlanDraft, { main }: Members, isAllReady: boolean): SetPhase {
  if (draft.record.migrations?.some(record => record.slot === 0 && isMoving(record))) return 'Migrating'
  if (draft.phase) return draft.phase
  if (!main) return 'Pending'
  // Not Running: the VM runs, but not where the spec wants it.
  if (draft.record.migrations?.some(({ slot }) => slot === 0)) return 'Migrating'
  if (draft.record.migrations) return 'Scaling'
  return isAllReady ? 'Running' : 'Scaling'
}

function runtimeOf(pod: Pod) {
  const vmName = vmNameOfPod(pod)
  const vmId = vmIdOf(pod)
  const ip = annotationOf(pod, podAnnotations.ip)
  return {
    podName: pod.metadata.name,
    ...(vmName !== undefined && { vmName }),
    ...(vmId !== undefined && { vmID: vmId }),
    ...(ip && { ip }),
    ...(pod.status?.phase !== undefined && { phase: pod.status.phase }),
  }
}

/** An agent keeps its entry while it has no pod, as long as something is on record for it (F18). */
function agentsOf(draft: PlanDraft, { main, subAgents }: Members): AgentStatus[] {
  const { set } = draft.facts
  const agents: AgentStatus[] = []
  for (let slot = 0; slot <= Math.max(set.spec.agent.replicas, ...subAgents.keys()); slot++) {
    const pod = slot === 0 ? main : subAgents.get(slot)
    const role = slot === 0 ? 'main' : 'sub-agent'
    const podName = agentPodName(set.metadata.name, slot)
    if (pod) {
      const forkedFrom = annotationOf(pod, podAnnotations.forkFrom)
      agents.push({ slot, role, ...runtimeOf(pod), ...(forkedFrom && { forkedFrom }) })
      continue
    }
    const vmName = draft.move(podName)?.vmName ?? draft.record.debts?.find(debt => debt.podName === podName)?.vmName
    const suspended = draft.record.suspension?.vms.find(vm => vm.podName === podName)?.vmName
    const name = vmName ?? suspended
    if (name) agents.push({ slot, role, podName, vmName: name })
  }
  return agents
}

function toolboxesOf({ facts }: PlanDraft, { toolboxes }: Members): ToolboxStatus[] {
  return (facts.set.spec.toolboxes ?? []).flatMap(toolbox => {
    const pod = toolboxes.get(toolbox.name)
    if (!pod) return []
    const { vncPort } = toolbox
    const entry = { name: toolbox.name, ...runtimeOf(pod), connType: connTypeOf(toolbox) }
    return [{ ...entry, ...(isStatic(toolbox) && vncPort !== undefined && { vncPort }) }]
  })
}

type Wanted = Pick<SetCondition, 'type' | 'status' | 'reason' | 'message'>

const is = (type: string, isTrue: boolean, reason: string, message: string): Wanted => ({
  type,
  status: isTrue ? 'True' : 'False',
  reason,
  message,
})

function conditionsOf(
  draft: PlanDraft,
  phase: SetPhase,
  counts: Pick<CocoonSetStatus, 'readyAgents' | 'desiredAgents' | 'readyToolboxes' | 'desiredToolboxes'>,
  isAllReady: boolean,
): Wanted[] {
  const { readyAgents, desiredAgents, readyToolboxes, desiredToolboxes } = counts
  const text = `${readyAgents}/${desiredAgents} agents ready, ${readyToolboxes}/${desiredToolboxes} toolboxes ready`
  const trouble = isAllReady ? undefined : troubleOf(draft.facts)
  const counted = trouble === undefined ? text : `${text}; ${trouble}`
  const isMovingPhase = MOVING_PHASES.includes(phase)
  const debt = draft.record.debts?.find(({ failure }) => failure !== undefined)
  return [
    is('Ready', isAllReady, isAllReady ? 'AllAgentsReady' : 'AgentsNotReady', draft.message ?? counted),
    is('Progressing', isMovingPhase, isMovingPhase ? 'Reconciling' : 'Stable', phase),
    ...migrating(draft),
    ...optional(draft, 'SnapshotLost', draft.lost !== undefined, 'Missing', draft.lost),
    ...optional(
      draft,
      'GarbageRetained',
      debt !== undefined,
      debt?.failure?.code ?? '',
      debt && `snapshot of ${debt.vmName} cannot be deleted: ${debt.failure?.message}`,
    ),
  ]
}

/** What keeps a pod from running that no other condition speaks of: nobody but a person mends a node. */
function troubleOf({ pods, nodes }: SetFacts): string | undefined {
  const troubles = pods.flatMap(pod => {
    const { nodeName } = pod.spec
    const { name } = pod.metadata
    if (nodeName === undefined) return unschedulable(pod) ? [`pod ${name} finds no node: ${unschedulable(pod)}`] : []
    const node = nodes.find(({ metadata }) => metadata.name === nodeName)
    if (!node) return [`node ${nodeName} of pod ${name} does not exist`]
    return conditionOf(node, 'Ready')?.status === 'True' ? [] : [`node ${nodeName} of pod ${name} is not Ready`]
  })
  return troubles.sort()[0]
}

function migrating(draft: PlanDraft): Wanted[] {
  const record = draft.record.migrations?.[0]
  if (record) {
    const { stage, direction, waitsFor, failure, id, source, target = 'any node' } = record
    const reason = failure?.code ?? (direction === 'Undo' ? 'RollingBack' : stage)
    return [is('Migrating', true, reason, `${id}: from ${source} to ${target}, waits for ${waitsFor ?? 'nothing'}`)]
  }
  const last = draft.record.lastMigrations?.at(-1)
  if (!last) return []
  const { outcome, id, source, target = 'any node', failure } = last
  const times = last.downtimeMs === undefined ? '' : `, down for ${last.downtimeMs} ms of ${last.totalMs} ms`
  return [
    is(
      'Migrating',
      false,
      outcome,
      `${id}: from ${source} to ${target}${times}${failure ? `: ${failure.message}` : ''}`,
    ),
  ]
}

/** A condition that is only there once it was true. */
function optional(
  draft: PlanDraft,
  type: string,
  isTrue: boolean,
  reason: string,
  message: string | undefined,
): Wanted[] {
  if (isTrue) return [is(type, true, reason, message ?? '')]
  const isKnown = draft.facts.set.status?.conditions?.some(condition => condition.type === type)
  return isKnown ? [is(type, false, 'Resolved', 'none')] : []
}

/** Keeps times: a transition is a change of the status. */
export function merged(
  before: readonly SetCondition[],
  wanted: readonly Wanted[],
  nowMs: number,
  generation: number,
): SetCondition[] {
  return wanted.map(condition => {
    const known = before.find(({ type }) => type === condition.type)
    const since = known?.status === condition.status ? known.lastTransitionTime : rfc3339(nowMs)
    return { ...condition, lastTransitionTime: since, observedGeneration: generation }
  })
}
