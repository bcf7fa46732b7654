/** A node as a VM agent registers it, and whether a pod may run on it. Pure. */
import type { KubeObject } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import { nodeNames } from './names.ts'
import type { Expression, NodeTerm, Toleration, VmPod } from './pod.ts'
import { quantityOf } from './quantity.ts'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

export interface VmNode extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] }
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

export interface NodeOptions {
  readonly name: string
  /** Default `default`. */
  readonly pool?: string
  readonly cpuClass?: string
  /** Cores. Default 64. */
  readonly cpu?: string
  /** Default 256Gi. */
  readonly memory?: string
  /** How many pods. Default 10,000. */
  readonly pods?: number
}

export function nodeObject(options: NodeOptions, nowMs: number): VmNode {
  const { name, pool = 'default', cpuClass, cpu = '64', memory = '256Gi', pods = 10_000 } = options
  const allocatable = { cpu, memory, pods: String(pods) }
  const status = {
    allocatable,
    capacity: allocatable,
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: rfc3339(nowMs) }],
  }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        [nodeNames.hostname]: name,
        [nodeNames.pool]: pool,
        [nodeNames.vm]: '',
        ...(cpuClass !== undefined && { [nodeNames.cpuClass]: cpuClass }),
      },
    },
    spec: { taints: [{ key: nodeNames.taint, value: 'cocoon', effect: 'NoSchedule' }] },
    status,
  }
}

/** What pods on a node ask for together. */
export interface Load {
  readonly cpu: number
  readonly memory: number
  readonly pods: number
}

export function loadOf(pods: Iterable<VmPod>): Load {
  let [cpu, memory, count] = [0, 0, 0]
  for (const { spec, status } of pods) {
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') continue
    count++
    for (const { resources } of spec?.containers ?? []) {
      cpu += quantityOf(resources?.requests?.['cpu'])
      memory += quantityOf(resources?.requests?.['memory'])
    }
  }
  return { cpu, memory, pods: count }
}

/** Why the pod may not run on the node, in the scheduler's words; undefined: it may. */
export function misfit(pod: VmPod, node: VmNode, load: Load): string | undefined {
  if (node.spec?.unschedulable) return 'were unschedulable'
  const isReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  if (!isReady) return 'had untolerated taint {node.kubernetes.io/not-ready: }'
  const taint = node.spec?.taints?.find(each => each.effect !== 'PreferNoSchedule' && !isTolerated(pod, each))
  if (taint) return `had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
  if (!isSelected(pod, node)) return "didn't match Pod's node affinity/selector"
  const wanted = loadOf([{ ...pod, status: {} }])
  const { cpu, memory, pods } = node.status?.allocatable ?? {}
  if (load.cpu + wanted.cpu > quantityOf(cpu)) return 'had Insufficient cpu'
  if (load.memory + wanted.memory > quantityOf(memory)) return 'had Insufficient memory'
  return load.pods + 1 > quantityOf(pods) ? 'had Too many pods' : undefined
}

/** Sum of the weights of preferences that the node meets. */
export function preference(pod: VmPod, { metadata }: VmNode): number {
  const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const met = preferred.filter(({ preference: term }) => matches(term, metadata.labels ?? {}))
  return met.reduce((sum, { weight }) => sum + weight, 0)
}

function isTolerated({ spec }: VmPod, taint: Taint): boolean {
  return (spec?.tolerations ?? []).some((toleration: Toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false
    if (toleration.operator === 'Exists') return toleration.key === undefined || toleration.key === taint.key
    return toleration.key === taint.key && (toleration.value ?? '') === (taint.value ?? '')
  })
}

function isSelected({ spec }: VmPod, { metadata }: VmNode): boolean {
  const labels = metadata.labels ?? {}
  const isPicked = Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return isPicked && (required?.nodeSelectorTerms.some(term => matches(term, labels)) ?? true)
}

const matches = ({ matchExpressions = [] }: NodeTerm, labels: Readonly<Record<string, string>>) =>
  matchExpressions.length > 0 && matchExpressions.every(expression => holds(expression, labels))

function holds({ key, operator, values = [] }: Expression, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
