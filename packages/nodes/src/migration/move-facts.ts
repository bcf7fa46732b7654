import type { MoveRecord, Pod } from '../api/index.ts'
import type { FitProblem } from '../pod/node-fit.ts'
import { claimOf, isHibernated, isLive, isTerminating, lifecycleOf } from '../pod/pod-view.ts'

/** One look at a tag. "Unknown" permits nothing. */
export type TagFact =
  | { readonly kind: 'unasked' }
  | { readonly kind: 'unknown'; readonly message: string }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'present'
      readonly digest: string
      /** Of the manifest, where it was read. */
      readonly isComplete?: boolean
      readonly snapshotId?: string | undefined
      readonly baseImage?: string | undefined
    }

/** What one look showed of one VM that is to move. */
export interface MoveFacts {
  readonly record: MoveRecord
  /** Host that the spec asks for now; undefined: none. */
  readonly wanted: string | undefined
  readonly isSuspending: boolean
  /** Read from the server, not from a cache; a terminating one too. */
  readonly pod: Pod | undefined
  readonly tag: TagFact
  /** Why the target cannot take the VM; undefined: it can, as far as one can tell. */
  readonly misfit: FitProblem | undefined
  /** Hosts that could take it, best first, without those that were tried. */
  readonly otherHosts: readonly string[]
  /** Image of the spec. */
  readonly image: string
  /** A CocoonHibernation has the VM, or has not finished with it. */
  readonly isHeldByHibernation: boolean
  /** The user gives up the snapshot of this migration. */
  readonly isLossAccepted: boolean
}

export type MoveEffect =
  | {
      readonly kind: 'dropLeftover'
      readonly vmName: string
      readonly digest: string
      /** The pod whose VM runs while the tag shows this digest. */
      readonly witness: Pod
    }
  | { readonly kind: 'quiesce'; readonly pod: Pod; readonly claim: string }
  | { readonly kind: 'wake'; readonly pod: Pod; readonly claim: string }
  | { readonly kind: 'releaseClaim'; readonly pod: Pod }
  | { readonly kind: 'deletePod'; readonly pod: Pod; readonly isKeepingSnapshot: boolean }
  | {
      readonly kind: 'createRestored'
      readonly slot: number
      readonly host: string | undefined
      readonly vmName: string
      readonly claim: string
    }

export const claimIdOf = ({ id }: Pick<MoveRecord, 'id'>) => `migration/${id}`

export const isOldPod = ({ pod, record }: MoveFacts) => pod !== undefined && pod.metadata.uid === record.oldPodUid

/** The pod that stands for the VM after the old one; not a terminating one. */
export function newPod({ pod, record }: MoveFacts): Pod | undefined {
  return pod && pod.metadata.uid !== record.oldPodUid && !isTerminating(pod) ? pod : undefined
}

export const hasClaim = (pod: Pod, record: MoveRecord) => claimOf(pod) === claimIdOf(record)

export const isFreeFor = (pod: Pod, record: MoveRecord) => {
  const claim = claimOf(pod)
  // What a suspension hibernated, a migration may go on with: both belong to the same set and the same pass.
  return claim === undefined || claim === claimIdOf(record) || claim.startsWith('suspend/')
}

/** The VM runs and the agent has finished whatever it was doing. */
export const isSettledLive = (pod: Pod) => isLive(pod) && lifecycleOf(pod) === 'ready'

/** The recorded snapshot is there, whole, and newer than what was there before. */
export function receiptProblem(facts: MoveFacts): string | undefined {
  const { record, tag, pod } = facts
  if (pod && isOldPod(facts) && !isHibernated(pod, record.generation))
    return 'the node agent to say that the VM is saved and gone'
  switch (tag.kind) {
    case 'unasked':
      return 'the registry to be asked'
    case 'unknown':
      return `the registry to answer: ${tag.message}`
    case 'absent':
      return 'the snapshot in the registry'
    case 'present':
      if (tag.digest === record.oldDigest) return 'a snapshot newer than the one that was there before'
      return tag.isComplete === false ? 'all parts of the snapshot in the registry' : undefined
  }
}
