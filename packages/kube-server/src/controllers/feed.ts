/** Events of all collections there are, those of later custom resources included: what whole-store controllers follow. */
import type { Registry } from '../registry/registry.ts'
import type { Resource } from '../registry/resource.ts'
import type { Store, Stored, StoreEvent } from '../store/types.ts'

export interface FeedListener {
  /** An object that was there when its collection was first followed. */
  onExisting(stored: Stored, resource: Resource): void
  onEvent(event: StoreEvent, resource: Resource): void
}

export class Feed {
  readonly #store: Store
  readonly #registry: Registry
  readonly #listeners: FeedListener[] = []
  readonly #stops = new Map<string, () => void>()
  /** The resource through which a collection is written, newest schema. */
  #resources = new Map<string, Resource>()
  readonly #leave: () => void

  constructor(store: Store, registry: Registry) {
    this.#store = store
    this.#registry = registry
    this.#leave = registry.onChange(() => this.#follow())
  }

  /** All listeners must be there before `start`. */
  listen(listener: FeedListener): void {
    this.#listeners.push(listener)
  }

  start(): void {
    this.#follow()
  }

  /** Collections that are served now, with the resource to use for each. */
  get collections(): ReadonlyMap<string, Resource> {
    return this.#resources
  }

  stop(): void {
    this.#leave()
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
  }

  #follow(): void {
    this.#resources = this.#registry.collections()
    for (const [collection, stop] of this.#stops)
      if (!this.#resources.has(collection)) {
        stop()
        this.#stops.delete(collection)
      }
    for (const [collection, resource] of this.#resources) {
      if (this.#stops.has(collection)) continue
      for (const stored of this.#store.scan(collection))
        for (const listener of this.#listeners) listener.onExisting(stored, resource)
      const stop = this.#store.watch(collection, undefined, event => {
        const current = this.#resources.get(collection) ?? resource
        for (const listener of this.#listeners) listener.onEvent(event, current)
      })
      this.#stops.set(collection, stop)
    }
  }
}
