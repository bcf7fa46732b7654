import type { KubeObject, Ref } from './object.ts'

interface Index<T> {
  readonly keysOf: (object: T) => readonly string[]
  readonly entries: Map<string, Set<T>>
}

/** Objects by name, by namespace and by any number of further keys. */
export class ObjectIndex<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()

  constructor() {
    this.addIndex('', object => [object.metadata.namespace ?? ''])
  }

  keyOf({ namespace = '', name }: Ref): string {
    return `${namespace}/${name}`
  }

  get(ref: Ref): T | undefined {
    return this.#objects.get(this.keyOf(ref))
  }

  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex('', namespace)
  }

  byIndex(name: string, key: string): T[] {
    const index = this.#indexes.get(name)
    if (!index) throw new RangeError(`there is no index ${name}: add it first`)
    return [...(index.entries.get(key) ?? [])]
  }

  addIndex(name: string, keysOf: (object: T) => readonly string[]): void {
    const index = { keysOf, entries: new Map<string, Set<T>>() }
    this.#indexes.set(name, index)
    for (const object of this.#objects.values()) enter(index, object)
  }

  put(object: T): void {
    const previous = this.get(object.metadata)
    if (previous) this.remove(previous)
    this.#objects.set(this.keyOf(object.metadata), object)
    for (const index of this.#indexes.values()) enter(index, object)
  }

  /** `object` must be the very state that was put. */
  remove(object: T): void {
    this.#objects.delete(this.keyOf(object.metadata))
    for (const index of this.#indexes.values()) leave(index, object)
  }
}

function enter<T>(index: Index<T>, object: T): void {
  for (const key of index.keysOf(object)) {
    const entry = index.entries.get(key)
    if (entry) entry.add(object)
    else index.entries.set(key, new Set([object]))
  }
}

function leave<T>(index: Index<T>, object: T): void {
  for (const key of index.keysOf(object)) {
    const entry = index.entries.get(key)
    entry?.delete(object)
    if (entry?.size === 0) index.entries.delete(key)
  }
}
