import type { KubeObject } from '../api/object.ts'

/** Which collection an object lives in: `plural` or `plural.group`, for instance `secrets`, `leases.coordination.k8s.io`. */
export type Collection = string

export interface ObjectKey {
  readonly collection: Collection
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
}

/** One committed state of one object. Frozen: whoever wants to change it makes a new one. */
export interface Stored {
  readonly key: ObjectKey
  /** The resourceVersion as a number; equals `object.metadata.resourceVersion`. */
  readonly version: number
  readonly object: KubeObject
  /** `JSON.stringify(object)`, made once and reused for get, list, watch and disk. */
  readonly json: string
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly version: number
  /** State after the change; for DELETED the last state, carrying the version of the deletion. */
  readonly stored: Stored
  /** State before the change; absent for ADDED. Selectors need it: "stopped matching" is a DELETED to that watcher. */
  readonly previous?: Stored
}

/** What a mutation wants: a new state (metadata.resourceVersion is filled in by the store), removal, or nothing. */
export type Mutation =
  | { readonly put: KubeObject }
  | { readonly remove: KubeObject }
  | { readonly unchanged: Stored | undefined }

export interface Page {
  readonly items: readonly Stored[]
  /** Version of the snapshot; the same for all pages of one list. */
  readonly version: number
  /** Opaque token for the next page; absent on the last. */
  readonly next?: string
  /** How many items are left after this page, counted without selector. */
  readonly remaining: number
}

/** Thrown by `list` and `watch` when the asked version is no longer held; answered as 410 Expired. */
export class VersionExpired extends Error {
  override readonly name = 'VersionExpired'
  readonly asked: number
  readonly oldest: number
  constructor(asked: number, oldest: number) {
    super(`too old resource version: ${asked} (${oldest})`)
    this.asked = asked
    this.oldest = oldest
  }
}

/**
 * The authority of one server. One counter for all collections; writes are decided one after another against the
 * newest state (`head`), become visible to reads and watches only once durable, in version order.
 */
export interface Store {
  /** Version of the newest visible (durable) state. */
  readonly version: number
  /** Newest visible state. */
  get(key: ObjectKey): Stored | undefined
  /** Newest decided state, which may not be durable yet. For admission decisions inside `mutate` only. */
  head(key: ObjectKey): Stored | undefined
  /**
   * Decides one write: `decide` runs synchronously against the head state and may throw to refuse. Resolves with the
   * stored state after it is durable and published (undefined after a removal or when nothing was there).
   */
  mutate(key: ObjectKey, decide: (current: Stored | undefined) => Mutation): Promise<Stored | undefined>
  /** All keys order by namespace, then name. `namespace` undefined lists all namespaces. */
  list(
    collection: Collection,
    options: {
      readonly namespace?: string
      readonly limit?: number
      readonly continue?: string
      readonly exactVersion?: number
    },
  ): Page
  /** Iterates the newest visible states without copying; for controllers and indexes. */
  scan(collection: Collection, namespace?: string): Iterable<Stored>
  collections(): Iterable<Collection>
  /**
   * Calls `onEvent` for each event with version > `after` (history first, synchronously, then live), in version order.
   * `after` undefined: live only. Throws VersionExpired when history no longer reaches back to `after`.
   */
  watch(collection: Collection, after: number | undefined, onEvent: (event: StoreEvent) => void): () => void
  /** Resolves when `version` is visible; rejects on `signal`. */
  reached(version: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
