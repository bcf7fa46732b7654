/** What a pod says of its VM, in the words of the decision tables. Pure. */
import { conditionOf, type LifecycleState, labels, lifecycleStates, type Pod, podAnnotations } from '../api/index.ts'

export const annotationOf = (pod: Pod, key: string): string | undefined => pod.metadata.annotations?.[key]

export const vmNameOfPod = (pod: Pod) => annotationOf(pod, podAnnotations.vmName)
export const vmIdOf = (pod: Pod) => annotationOf(pod, podAnnotations.vmId) || undefined
export const claimOf = (pod: Pod) => annotationOf(pod, podAnnotations.claim) || undefined
export const roleOf = (pod: Pod) => pod.metadata.labels?.[labels.role]

export const isTerminating = (pod: Pod) => pod.metadata.deletionTimestamp !== undefined
export const isHibernateSet = (pod: Pod) => annotationOf(pod, podAnnotations.hibernate) === 'true'
export const isRestoring = (pod: Pod) => annotationOf(pod, podAnnotations.restoreFromHibernate) === 'true'
export const isManaged = (pod: Pod) => annotationOf(pod, podAnnotations.managed) === 'true'
export const isReady = (pod: Pod) => conditionOf(pod, 'Ready')?.status === 'True'

/** There is a VM, and the node agent says that it runs. Not yet that it serves. */
export const isLive = (pod: Pod) =>
  vmIdOf(pod) !== undefined &&
  (pod.status?.containerStatuses?.some(({ state }) => state?.running !== undefined) ?? false)

export const lifecycleOf = (pod: Pod): LifecycleState | undefined => {
  const text = annotationOf(pod, podAnnotations.lifecycleState)?.toLowerCase()
  return lifecycleStates.find(state => state === text)
}

function count(text: string | undefined): number {
  const value = Number(text ?? 0)
  return Number.isSafeInteger(value) && value >= 0 ? value : 0
}

/** The generation that the node agent has answered; 0 when it has not, or not readably. */
export const answeredGeneration = (pod: Pod) => count(annotationOf(pod, podAnnotations.lifecycleGeneration))
export const stampedGeneration = (pod: Pod) => count(annotationOf(pod, podAnnotations.generation))

/** The node agent will not go on by itself. */
export const isTerminal = (pod: Pod) => lifecycleOf(pod) === 'failed' || pod.status?.phase === 'Failed'

/** The VM runs and serves, and the agent says so of this generation: newer than any snapshot of it. */
export const isServing = (pod: Pod, generation: number) =>
  !isTerminating(pod) &&
  !isHibernateSet(pod) &&
  isLive(pod) &&
  lifecycleOf(pod) === 'ready' &&
  answeredGeneration(pod) >= generation &&
  isReady(pod)

/** The agent says of this generation that the VM is saved and gone. */
export const isHibernated = (pod: Pod, generation: number) =>
  isHibernateSet(pod) &&
  lifecycleOf(pod) === 'hibernated' &&
  answeredGeneration(pod) >= generation &&
  vmIdOf(pod) === undefined

/** The scheduler's words when it found no node. */
export function unschedulable(pod: Pod): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined
  return scheduled.message ?? 'no node fits'
}

/** Host names that the pod demands; undefined when it demands none. */
export function requiredHosts(pod: Pod): readonly string[] | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms
    .flatMap(term => term.matchExpressions ?? [])
    .find(({ key, operator }) => key === 'kubernetes.io/hostname' && operator === 'In')?.values
}
