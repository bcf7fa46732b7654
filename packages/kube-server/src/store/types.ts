import type { KubeObject } from '../api/object.ts'

/** Which collection an object lives in: `plural` or `plural.group`, for instance `secrets`, `leases.coordination.k8s.io`. */
export type Collection = string

export interface ObjectKey {
  readonly collection: Collection
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
}

/**
 * One committed state of one object. Deeply frozen: whoever wants to change it makes a new one. `object` may be read
 * back from `json` on demand, so two reads of an old state can give two equal objects; do not spread a `Stored`.
 */
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

/**
 * What a mutation wants: a new state, the removal with the final state its watchers shall see, or nothing. The store
 * fills in metadata.resourceVersion of new and final states and freezes what it is given.
 */
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

export interface ListOptions {
  readonly namespace?: string
  readonly limit?: number
  /** `Page.next` of the page before; then `exactVersion` is not looked at. */
  readonly continue?: string
  readonly exactVersion?: number
  /** Only these states fill the page; must depend on nothing but the state. */
  readonly matches?: (stored: Stored) => boolean
}

/** Thrown by `list` and `watch` when the asked version is no longer held; answered as 410 Expired. */
export class VersionExpired extends Error {
  override readonly name = 'VersionExpired'
  readonly asked: number
  readonly oldest: number
  /** For an expired continue token: a token for the rest of the list at the newest version (inconsistent with page 1). */
  readonly inconsistentNext?: string
  constructor(asked: number, oldest: number, inconsistentNext?: string) {
    super(`too old resource version: ${asked} (${oldest})`)
    this.asked = asked
    this.oldest = oldest
    if (inconsistentNext !== undefined) this.inconsistentNext = inconsistentNext
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
   * stored state after it is durable and published (undefined after a removal or when nothing was there). `unchanged`
   * and a refusal are answered as soon as the state they looked at is durable. Rejects with WriteFailed when the write,
   * or one it was decided on top of, could not be made durable: nothing of it is visible then.
   */
  mutate(key: ObjectKey, decide: (current: Stored | undefined) => Mutation): Promise<Stored | undefined>
  /**
   * All keys order by namespace, then name. `namespace` undefined lists all namespaces, `limit` undefined or 0 all
   * items. Throws VersionExpired, InvalidContinue (malformed token, or one of another list) or VersionNotReached
   * (`exactVersion` in the future).
   */
  list(collection: Collection, options: ListOptions): Page
  /** Iterates the newest visible states without copying; for controllers and indexes. */
  scan(collection: Collection, namespace?: string): Iterable<Stored>
  collections(): Iterable<Collection>
  /**
   * Calls `onEvent` for each event with version > `after` (history first, synchronously, then live), in version order.
   * `after` undefined: live only; in the future: silence until then. Throws VersionExpired when history no longer
   * reaches back to `after`. What `onEvent` throws is logged and harms nobody.
   */
  watch(collection: Collection, after: number | undefined, onEvent: (event: StoreEvent) => void): () => void
  /** Resolves when `version` is visible; rejects with the reason of `signal`, or StoreClosed. */
  reached(version: number, signal: AbortSignal): Promise<void>
  /** Waits for the writes already decided, then lets go of everything. Closing twice does nothing. */
  close(): Promise<void>
}
