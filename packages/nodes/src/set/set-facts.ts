/** What one look showed of one CocoonSet, and the plan that follows from it. */
import type { CocoonHibernation, CocoonSet, CocoonSetStatus, Node, Pod, SnapshotDebt } from '../api/index.ts'
import type { MoveEffect, TagFact } from '../migration/move-facts.ts'
import type { MoveDeadlines, MoveEvent } from '../migration/step-move.ts'

export interface SetFacts {
  /** Read from the server before anything is written. */
  readonly set: CocoonSet
  /** Owned by this set, terminating ones too. */
  readonly pods: readonly Pod[]
  /** Of the namespace. */
  readonly hibernations: readonly CocoonHibernation[]
  readonly nodes: readonly Node[]
  /** Of all namespaces, by node name; empty where nobody asks. */
  readonly podsOn: (nodeName: string) => readonly Pod[]
  /** By VM name; what is missing was not asked yet. */
  readonly tags: ReadonlyMap<string, TagFact>
  readonly nowMs: number
  readonly limits: SetLimits
  /** How many VMs are leaving a node now, of all sets. */
  readonly leaving: (host: string) => number
}

export interface SetLimits {
  readonly deadlines: MoveDeadlines
  readonly suspendMs: number
  /** How long a restored VM must serve before its snapshot goes. */
  readonly soakMs: number
  /** Sub-agents of one set that move at a time. */
  readonly maxSubMoves: number
  /** VMs that leave one drained node at a time. */
  readonly maxDrainMoves: number
}

export const DEFAULT_SET_LIMITS: SetLimits = {
  deadlines: {},
  suspendMs: 3 * 60_000,
  soakMs: 1000,
  maxSubMoves: 2,
  maxDrainMoves: 5,
}

export type SetEffect =
  | MoveEffect
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' }
  | { readonly kind: 'stamp'; readonly pod: Pod }
  | { readonly kind: 'createPod'; readonly pod: Pod }
  | { readonly kind: 'parkPod'; readonly pod: Pod }
  | {
      readonly kind: 'payDebt'
      readonly debt: SnapshotDebt
      readonly digest: string
      /** The pod whose VM serves while the tag shows this digest; absent where the digest is on record as an older one. */
      readonly witness: Pod | undefined
    }
  | { readonly kind: 'deleteTag'; readonly vmName: string; readonly tag: string; readonly isNeeded: boolean }

export interface SetPlan {
  readonly status: CocoonSetStatus
  /** Annotations of the set that are durable before the effects; null removes one. */
  readonly annotations: Readonly<Record<string, string | null>>
  readonly effects: readonly SetEffect[]
  readonly events: readonly MoveEvent[]
  /** VM names whose tag has to be known: ask the registry and decide again. */
  readonly needs: readonly string[]
  /** Look again after so long, whatever happens; undefined: only when something changes. */
  readonly afterMs: number | undefined
}
