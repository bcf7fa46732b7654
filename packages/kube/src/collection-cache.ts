/**
 * What is known of one collection, fed by lists and watch events in any order and repetition. It never goes back: an
 * object is not replaced by an older state of itself, and a deleted one is not brought back by a replay. Every change
 * is told once: added before updated before deleted, and `previous` is what was told last.
 */
import type { ObjectList } from './list.ts'
import { type KubeObject, keyOf, type Ref } from './object.ts'
import { type KeysOf, ObjectStore } from './object-store.ts'
import { compareVersions, isOlder, laterVersion } from './version.ts'
import type { WatchEvent } from './watch.ts'

export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'updated' | 'deleted'
  /** The new state; for `deleted` the last one known. Shared by all readers: never change it. */
  readonly object: T
  readonly previous?: T
}

export class CollectionCache<T extends KubeObject> {
  readonly #store = new ObjectStore<T>()
  readonly #tell: (change: Change<T>) => void
  #version: string | undefined

  /** @param tell called after the cache holds the change; must not throw */
  constructor(tell: (change: Change<T>) => void) {
    this.#tell = tell
  }

  /** The latest version seen: a watch goes on from here. Undefined before the first list. */
  get version(): string | undefined {
    return this.#version
  }

  get size(): number {
    return this.#store.size
  }

  get(ref: Ref): T | undefined {
    return this.#store.get(ref)
  }

  list(namespace?: string): T[] {
    return this.#store.list(namespace)
  }

  addIndex(name: string, keysOf: KeysOf<T>): void {
    this.#store.addIndex(name, keysOf)
  }

  byIndex(name: string, key: string): T[] {
    return this.#store.byIndex(name, key)
  }

  /** True when a list of this version would show less than what is known already. */
  isBehind(listVersion: string): boolean {
    return this.#version !== undefined && isOlder(listVersion, this.#version)
  }

  /** Takes over a complete list that is not behind; an item that is older than what is known is left out all the same. */
  merge({ items, resourceVersion }: ObjectList<T>): void {
    this.#removeAllBut(items, cached => !isOlder(resourceVersion, cached.metadata.resourceVersion))
    for (const item of items) if (!this.#knowsBetter(item)) this.#put(item)
    this.#version = laterVersion(this.#version, resourceVersion)
  }

  /** Takes over a complete list whatever its version: the server itself went back, for instance to a backup. */
  reset({ items, resourceVersion }: ObjectList<T>): void {
    this.#removeAllBut(items, () => true)
    for (const item of items) if (!isSameState(item, this.#store.get(item.metadata))) this.#put(item)
    this.#version = resourceVersion
  }

  observe(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#version = laterVersion(this.#version, event.resourceVersion)
      return
    }
    const { type, object } = event
    if (type === 'DELETED') this.#observeDeletion(object)
    else if (!this.#isReplay(object)) this.#put(object)
    const { resourceVersion } = object.metadata
    if (resourceVersion !== undefined) this.#version = laterVersion(this.#version, resourceVersion)
  }

  #observeDeletion(object: T): void {
    const cached = this.#store.get(object.metadata)
    if (!cached || isOlder(object.metadata.resourceVersion, cached.metadata.resourceVersion)) return
    this.#remove(cached, cached.metadata.uid === object.metadata.uid ? object : cached)
  }

  /** An unknown object that changed no later than the latest version seen has been deleted since. */
  #isReplay(object: T): boolean {
    if (this.#store.get(object.metadata)) return this.#knowsBetter(object)
    return (compareVersions(object.metadata.resourceVersion, this.#version) ?? 1) <= 0
  }

  #knowsBetter(object: T): boolean {
    const cached = this.#store.get(object.metadata)
    if (!cached) return false
    return isOlder(object.metadata.resourceVersion, cached.metadata.resourceVersion) || isSameState(object, cached)
  }

  #put(object: T): void {
    const cached = this.#store.get(object.metadata)
    const previous = cached?.metadata.uid === object.metadata.uid ? cached : undefined
    // A new object under an old name: its predecessor's end was not seen, and handlers must not take it for a change.
    if (cached && !previous) this.#remove(cached, cached)
    this.#store.put(object)
    this.#tell(previous ? { type: 'updated', object, previous } : { type: 'added', object })
  }

  #remove(cached: T, last: T): void {
    this.#store.remove(cached.metadata)
    this.#tell({ type: 'deleted', object: last, previous: cached })
  }

  #removeAllBut(items: readonly T[], mayGo: (cached: T) => boolean): void {
    const present = new Set(items.map(({ metadata }) => keyOf(metadata)))
    for (const cached of this.#store.list())
      if (!present.has(keyOf(cached.metadata)) && mayGo(cached)) this.#remove(cached, cached)
  }
}

const isSameState = (object: KubeObject, cached: KubeObject | undefined) =>
  cached !== undefined &&
  object.metadata.uid === cached.metadata.uid &&
  object.metadata.resourceVersion !== undefined &&
  object.metadata.resourceVersion === cached.metadata.resourceVersion
