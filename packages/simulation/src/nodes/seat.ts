/**
 * One VM name on one node: what the node has on disk, and what its agent knows and does about it. Plain values, changed
 * only by `stepSeat`.
 */
import type { PodView } from './pod.ts'

/** A guest that counts while it runs; whoever asks it is told the count and may rely on it. */
export interface Guest {
  readonly id: string
  /** Count at `sinceMs`. */
  readonly base: number
  readonly sinceMs: number
  /** Set while it does not run on: after a save that is atomic with the removal. */
  readonly frozenAtMs?: number
}

export interface LocalSnapshot {
  readonly snapshotId: string
  readonly counter: number
  readonly image: string
  readonly fromNode: string
}

/** Survives the agent. */
export interface Disk {
  readonly vm?: Guest
  readonly snapshot?: LocalSnapshot
}

export type Lifecycle = 'creating' | 'ready' | 'hibernating' | 'hibernated' | 'failed'

/** What was, or is to be, written on the pod in one patch. */
export interface Published {
  readonly state: Lifecycle
  readonly generation: number
  readonly message: string
}

export type WorkPoint = 'save' | 'push' | 'remove' | 'fetch' | 'clone' | 'boot' | 'fixUp'

/** A snapshot that the registry holds. */
export interface Found extends LocalSnapshot {
  readonly digest: string
}

/** What the agent wants done. Each is answered by an observation with the same ticket. */
export type SeatAction = { readonly ticket: number } & (
  | { readonly type: 'work'; readonly point: WorkPoint }
  /** Lifecycle in one patch; `vm` null clears id and address, undefined leaves them. */
  | { readonly type: 'publish'; readonly pod: PodView; readonly what: Published; readonly vm?: Guest | null }
  | { readonly type: 'status'; readonly pod: PodView; readonly as: 'running' | 'ready' | 'pending' | 'failed' }
  /** Is there a snapshot of this VM in the registry? */
  | { readonly type: 'look' }
  | { readonly type: 'store'; readonly tag: string; readonly snapshot: LocalSnapshot }
  | { readonly type: 'unstore'; readonly digest: string }
  /** The pod has ended: its object may go. */
  | { readonly type: 'forget'; readonly pod: PodView }
)

export type Answer =
  | { readonly ok: true; readonly found?: Found; readonly digest?: string; readonly freshId?: string }
  | { readonly ok: false; readonly error: string }

export type Observation =
  /** Undefined: the pod is gone, or not on this node. */
  | { readonly type: 'pod'; readonly pod: PodView | undefined }
  | { readonly type: 'answered'; readonly ticket: number; readonly answer: Answer }
  | { readonly type: 'tick' }
  /** The agent's process ended; what it had under way is forgotten. */
  | { readonly type: 'crashed' }
  /** A new process of the agent has listed its pods. */
  | { readonly type: 'started'; readonly pod: PodView | undefined }
  /** The guest crashed, or somebody destroyed the VM behind the agent's back. */
  | { readonly type: 'vmGone' }
  /** The machine is gone with everything on it. */
  | { readonly type: 'destroyed' }

/** What happened to the guest, for whoever keeps the books. */
export type Note =
  | { readonly type: 'started'; readonly guest: Guest; readonly how: 'fresh' | 'restored'; readonly podUid: string }
  | { readonly type: 'saved'; readonly snapshot: LocalSnapshot; readonly tag: string }
  | {
      readonly type: 'stopped'
      readonly counter: number
      readonly why: 'hibernated' | 'deleted' | 'orphaned' | 'crashed' | 'destroyed'
      /** It stood still for a save that has not ended. */
      readonly isFrozen?: boolean
    }

export type OperationKind = 'create' | 'wake' | 'hibernate' | 'delete' | 'resume' | 'sweep' | 'evict'

export type Stage =
  | 'announce'
  | 'look'
  | 'fetch'
  | 'clone'
  | 'boot'
  | 'save'
  | 'push'
  | 'store'
  | 'clear'
  | 'remove'
  | 'unstore'
  | 'identify'
  | 'conclude'
  | 'status'
  | 'forget'
  | 'fail'

export interface Operation {
  readonly kind: OperationKind
  readonly at: Stage
  readonly ticket: number
  /** As it was when the operation began. */
  readonly pod: PodView | undefined
  readonly snapshot?: LocalSnapshot
  readonly found?: Found
  readonly digest?: string
  /** The patch that takes id and address away was lost. */
  readonly isClearOwed?: boolean
  readonly error?: string
}

/** Work that goes on after a VM was started: network fix-up, then readiness. */
export interface Boot {
  readonly at: 'fixUp' | 'status' | 'ready'
  readonly ticket: number
}

/** Lost with the agent's process. */
export interface Memory {
  readonly pod?: PodView
  /** Uid of the pod that was taken up. */
  readonly tracked?: string
  readonly published?: Published
  /** Ticket of a patch on its way that no operation waits for. */
  readonly noteTicket?: number
  /** The last patch was lost: when to write it again. */
  readonly flushAtMs?: number
  /** The pod changed since the last operation began. */
  readonly hasUpdate: boolean
  readonly operation?: Operation
  readonly boot?: Boot
  readonly failures: number
  readonly retryAtMs?: number
  readonly sweepAtMs?: number
  /** What was begun last: a wake that failed is tried again as a wake, never as a boot. */
  readonly lastKind?: OperationKind
  /** The VM vanished, and the pod has not been told yet. */
  readonly isVmLost?: boolean
  /** The pod whose VM vanished: nothing is done for it any more. */
  readonly evicted?: string
}

export interface SeatKnobs {
  /** The guest counts once in this time. */
  readonly tickMs: number
  /** The guest stands still from the save to its removal: no write is acknowledged that a restore would not have. */
  readonly atomicHibernate: boolean
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** Between attempts to write a lifecycle that was lost. */
  readonly flushMs: number
  /** How often local snapshots that nobody needs are looked for. */
  readonly sweepMs: number
}

export interface SeatState {
  readonly node: string
  readonly vmName: string
  readonly knobs: SeatKnobs
  readonly disk: Disk
  /** Undefined: the agent is down. */
  readonly memory: Memory | undefined
  /** The last ticket given out; never reused, so that answers to a dead process are dropped. */
  readonly ticket: number
}

export interface SeatStep {
  readonly state: SeatState
  readonly actions: readonly SeatAction[]
  readonly notes: readonly Note[]
}

export const counterAt = ({ base, sinceMs, frozenAtMs }: Guest, nowMs: number, tickMs: number) =>
  base + Math.max(0, Math.floor(((frozenAtMs ?? nowMs) - sinceMs) / tickMs))

export function newSeat(node: string, vmName: string, knobs: SeatKnobs): SeatState {
  return { node, vmName, knobs, disk: {}, memory: { hasUpdate: false, failures: 0 }, ticket: 0 }
}
