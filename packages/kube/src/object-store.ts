import { type KubeObject, keyOf, type Ref } from './object.ts'

export type KeysOf<T> = (object: T) => readonly string[]

/** Objects by name, by namespace and by any number of further keys. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #namespaces = new Index<T>(({ metadata }) => [metadata.namespace ?? ''])
  readonly #indexes = new Map<string, Index<T>>()

  get size(): number {
    return this.#objects.size
  }

  get(ref: Ref): T | undefined {
    return this.#objects.get(keyOf(ref))
  }

  /** A new array each time. */
  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.#namespaces.get(namespace)
  }

  /** Throws a RangeError for an index that was never added. */
  byIndex(name: string, key: string): T[] {
    const index = this.#indexes.get(name)
    if (!index) throw new RangeError(`there is no index ${JSON.stringify(name)}: add it first`)
    return index.get(key)
  }

  /** What is stored already is indexed too. An index of the same name is replaced. */
  addIndex(name: string, keysOf: KeysOf<T>): void {
    const index = new Index(keysOf)
    for (const [key, object] of this.#objects) index.put(key, object)
    this.#indexes.set(name, index)
  }

  put(object: T): void {
    const key = keyOf(object.metadata)
    this.#objects.set(key, object)
    this.#namespaces.put(key, object)
    for (const index of this.#indexes.values()) index.put(key, object)
  }

  remove(ref: Ref): void {
    const key = keyOf(ref)
    this.#objects.delete(key)
    this.#namespaces.remove(key)
    for (const index of this.#indexes.values()) index.remove(key)
  }
}

class Index<T> {
  readonly #keysOf: KeysOf<T>
  readonly #entries = new Map<string, Map<string, T>>()
  /** Under which keys an object was entered: asking again could give another answer. */
  readonly #entered = new Map<string, readonly string[]>()

  constructor(keysOf: KeysOf<T>) {
    this.#keysOf = keysOf
  }

  get(key: string): T[] {
    return [...(this.#entries.get(key)?.values() ?? [])]
  }

  put(name: string, object: T): void {
    this.remove(name)
    const keys = this.#keysOf(object)
    this.#entered.set(name, keys)
    for (const key of keys) {
      const entry = this.#entries.get(key) ?? new Map<string, T>()
      this.#entries.set(key, entry.set(name, object))
    }
  }

  remove(name: string): void {
    for (const key of this.#entered.get(name) ?? []) {
      const entry = this.#entries.get(key)
      entry?.delete(name)
      if (entry?.size === 0) this.#entries.delete(key)
    }
    this.#entered.delete(name)
  }
}
