/** Whether a node could take a VM: asked before anything is stopped. The scheduler has the last word. Pure. */
import { type CocoonSet, conditionOf, type Node, nodeLabels, type Pod, PROVIDER_TAINT } from '../api/index.ts'
import { nodeSelectorOf, resourcesOf } from './build-pod.ts'
import { isTerminating } from './pod-view.ts'
import { quantity } from './quantity.ts'

export type Misfit =
  | 'NodeMissing'
  | 'NodeNotReady'
  | 'NodeUnschedulable'
  | 'NodeWrongPool'
  | 'NodeWrongCpuClass'
  | 'NodeFull'

export interface FitProblem {
  readonly code: Misfit
  readonly message: string
}

const problem = (code: Misfit, message: string): FitProblem => ({ code, message })

/** @param podsThere of all namespaces, on that node */
export function misfitOf(
  set: CocoonSet,
  host: string,
  node: Node | undefined,
  podsThere: readonly Pod[],
): FitProblem | undefined {
  if (!node) return problem('NodeMissing', `node ${host} does not exist`)
  if (conditionOf(node, 'Ready')?.status !== 'True') return problem('NodeNotReady', `node ${host} is not Ready`)
  if (node.spec?.unschedulable) return problem('NodeUnschedulable', `node ${host} is cordoned`)
  const taint = node.spec?.taints?.find(({ key, effect }) => key !== PROVIDER_TAINT && effect !== 'PreferNoSchedule')
  if (taint) return problem('NodeUnschedulable', `node ${host} has taint ${taint.key}`)
  return labelProblem(set, host, node) ?? capacityProblem(set, host, node, podsThere)
}

function labelProblem(set: CocoonSet, host: string, node: Node): FitProblem | undefined {
  const labelOf = (key: string) => node.metadata.labels?.[key]
  for (const [key, wanted] of Object.entries(nodeSelectorOf(set))) {
    if (labelOf(key) === wanted) continue
    const code = key === nodeLabels.cpuClass ? 'NodeWrongCpuClass' : 'NodeWrongPool'
    return problem(code, `node ${host} has ${key}=${labelOf(key) ?? ''}, the set wants ${wanted}`)
  }
  return undefined
}

function capacityProblem(set: CocoonSet, host: string, node: Node, podsThere: readonly Pod[]): FitProblem | undefined {
  const { requests, limits } = resourcesOf(set.spec.agent)
  const wanted = { ...limits, ...requests }
  for (const [name, amount] of Object.entries(wanted)) {
    const allocatable = quantity(node.status?.allocatable?.[name])
    if (allocatable === undefined) continue
    const used = podsThere.filter(pod => !isTerminating(pod)).reduce((sum, pod) => sum + requestOf(pod, name), 0)
    if (used + (quantity(amount) ?? 0) > allocatable)
      return problem(
        'NodeFull',
        `node ${host} has too little ${name}: ${used} of ${allocatable} used, ${amount} wanted`,
      )
  }
  return undefined
}

const requestOf = (pod: Pod, name: string) =>
  pod.spec.containers.reduce(
    (sum, { resources }) => sum + (quantity(resources?.requests?.[name] ?? resources?.limits?.[name]) ?? 0),
    0,
  )

/** A node's host name, by which pins find it. */
export const hostOf = (node: Node) => node.metadata.labels?.[nodeLabels.hostname] ?? node.metadata.name
