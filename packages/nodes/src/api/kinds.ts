/** Kinds of Kubernetes itself, reduced to what the operator and node agents read or write. */
import { defineResource, type KubeObject } from '@godwit/kube'
import { GROUP } from './names.ts'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly observedGeneration?: number
}

export type Quantities = Readonly<Record<string, string | number>>

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly NodeSelectorTerm[]
    }
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly weight: number
      readonly preference: NodeSelectorTerm
    }[]
  }
}

export interface Resources {
  readonly requests?: Quantities | undefined
  readonly limits?: Quantities | undefined
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly resources?: Resources
  readonly envFrom?: readonly object[]
}

export interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly effect?: string
  readonly value?: string
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly affinity?: Affinity
    readonly tolerations?: readonly Toleration[]
    readonly terminationGracePeriodSeconds?: number
    readonly serviceAccountName?: string
    readonly containers: readonly Container[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly { readonly name: string; readonly state?: { readonly running?: object } }[]
  }
}

export interface Node extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  }
  readonly status?: { readonly allocatable?: Quantities; readonly conditions?: readonly Condition[] }
}

export const cocoon = {
  sets: defineResource(`${GROUP}/v1`, 'CocoonSet', 'cocoonsets', 'Namespaced'),
  hibernations: defineResource(`${GROUP}/v1`, 'CocoonHibernation', 'cocoonhibernations', 'Namespaced'),
} as const

export const conditionOf = (
  object: { readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined } | undefined,
  type: string,
): Condition | undefined => object?.status?.conditions?.find(condition => condition.type === type)
