/** The pods of a set by what they stand for. A terminating pod counts as absent, but its name is still taken. */
import { agentPodName, type CocoonSet, labels, type Pod, toolboxPodName } from '../api/index.ts'
import { isTerminating, roleOf, vmNameOfPod } from '../pod/pod-view.ts'

export interface Members {
  readonly main: Pod | undefined
  /** By slot, without the main. */
  readonly subAgents: ReadonlyMap<number, Pod>
  /** By toolbox name. */
  readonly toolboxes: ReadonlyMap<string, Pod>
  /** All that are not terminating, in the order of their names, those of unknown roles too. */
  readonly all: readonly Pod[]
}

export function membersOf(pods: readonly Pod[]): Members {
  const all = pods.filter(pod => !isTerminating(pod)).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const slotOf = (pod: Pod) => pod.metadata.labels?.[labels.slot] ?? ''
  const ofRole = (role: string) => all.filter(pod => roleOf(pod) === role)
  return {
    main: ofRole('main')[0],
    subAgents: new Map(ofRole('sub-agent').map(pod => [Number(slotOf(pod)), pod])),
    toolboxes: new Map(ofRole('toolbox').map(pod => [slotOf(pod), pod])),
    all,
  }
}

export const isOwnedBy = ({ metadata: { uid } }: CocoonSet, pod: Pod) =>
  pod.metadata.ownerReferences?.some(owner => owner.controller === true && owner.uid === uid) ?? false

/** Names that pods of this set have by its spec. */
export function podNamesOf({ metadata: { name }, spec }: CocoonSet): string[] {
  const slots = Array.from({ length: spec.agent.replicas + 1 }, (_, slot) => agentPodName(name, slot))
  return [...slots, ...(spec.toolboxes ?? []).map(toolbox => toolboxPodName(name, toolbox.name))]
}

export const vmNamesOf = (pods: readonly Pod[]) => pods.flatMap(pod => vmNameOfPod(pod) ?? [])
