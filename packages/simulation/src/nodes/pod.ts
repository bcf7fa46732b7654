/** A pod as the simulated parties read it, and what a VM agent makes of it. */
import type { KubeObject } from '@godwit/kube'
import { podNames, ROLE_LABEL } from './names.ts'

export interface Expression {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

export interface NodeTerm {
  readonly matchExpressions?: readonly Expression[]
}

export interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
}

export interface PodCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface VmPod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms: readonly NodeTerm[] }
        readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
          readonly weight: number
          readonly preference: NodeTerm
        }[]
      }
    }
    readonly tolerations?: readonly Toleration[]
    readonly containers?: readonly {
      readonly name: string
      readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> }
    }[]
  }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly PodCondition[] }
}

/** What an agent knows of a pod on its node. */
export interface PodView {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly image: string
  readonly isManaged: boolean
  readonly isMain: boolean
  readonly isMac: boolean
  readonly hibernate: boolean
  readonly restore: boolean
  readonly keepSnapshot: boolean
  readonly isFork: boolean
  /** Generation of the set, as stamped on the pod; 0 when it is not. */
  readonly generation: number
  readonly snapshotPolicy: 'always' | 'main-only' | 'never'
  readonly isDeleting: boolean
  /** What an agent wrote before, read back after a restart. */
  readonly lifecycle: string | undefined
  readonly lifecycleGeneration: number
  readonly vmId: string | undefined
}

export function podViewOf({ metadata }: VmPod): PodView {
  const { annotations = {}, labels = {} } = metadata
  const is = (name: string) => annotations[name] === 'true'
  const policy = annotations[podNames.snapshotPolicy]
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    image: annotations[podNames.image] ?? '',
    isManaged: is(podNames.managed),
    isMain: labels[ROLE_LABEL] === 'main',
    isMac: annotations[podNames.os] === 'macos',
    hibernate: is(podNames.hibernate),
    restore: is(podNames.restore),
    keepSnapshot: is(podNames.keepSnapshot),
    isFork: (annotations[podNames.forkFrom] ?? '') !== '',
    generation: whole(annotations[podNames.generation]),
    snapshotPolicy: policy === 'main-only' || policy === 'never' ? policy : 'always',
    isDeleting: metadata.deletionTimestamp !== undefined,
    lifecycle: annotations[podNames.lifecycle],
    lifecycleGeneration: whole(annotations[podNames.lifecycleGeneration]),
    vmId: annotations[podNames.vmId],
  }
}

function whole(text: string | undefined): number {
  const value = Number(text)
  return Number.isInteger(value) ? value : 0
}
