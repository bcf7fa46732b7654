import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StoreOptions } from '../../src/store/engine.ts'
import { WriteFailed } from '../../src/store/errors.ts'
import {
  type Collection,
  type ObjectKey,
  type Store,
  type Stored,
  type StoreEvent,
  VersionExpired,
} from '../../src/store/types.ts'
import { configMap, keyOf, line } from './builders.ts'

const collections: readonly Collection[] = ['configmaps', 'secrets']

const anyKey = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    fc.constantFrom('ns', 'ns-2', 'other'),
    fc.constantFrom(...collections),
  )
  .map(([name, namespace, collection]) => keyOf(name, namespace, collection))
const anyNamespace = fc.constantFrom(undefined, 'ns', 'ns-2')
const anyCollection = fc.constantFrom(...collections)

const anyStep = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put'), key: anyKey }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove'), key: anyKey }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('same', 'refuse'), key: anyKey }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch'), collection: anyCollection, namespace: anyNamespace }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('list'),
      collection: anyCollection,
      namespace: anyNamespace,
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn page'), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list exactly'), collection: anyCollection, back: fc.nat(15) }) },
)
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never

interface OpenList {
  readonly collection: Collection
  readonly namespace: string | undefined
  readonly limit: number
  readonly version: number
  readonly items: Stored[]
  next: string | undefined
}

interface Replica {
  readonly collection: Collection
  readonly namespace: string | undefined
  readonly states: Map<string, string>
}

/** Plays random steps of several writers and readers against one store and checks what must hold afterwards. */
class History {
  readonly store: Store
  readonly #historyEvents: number
  /** Every event there ever was, as a watcher of everything has seen it. */
  readonly #log: StoreEvent[] = []
  readonly #writes: Promise<void>[] = []
  readonly #acknowledged = new Set<string>()
  readonly #lists: OpenList[] = []
  readonly #replicas: Replica[] = []
  #payloads = 0

  constructor(store: Store, historyEvents: number) {
    this.store = store
    this.#historyEvents = historyEvents
    for (const collection of collections) store.watch(collection, undefined, event => this.#log.push(event))
  }

  async take(step: Step): Promise<void> {
    if ('key' in step) this.#writes.push(this.#write(step.do, step.key))
    else if ('which' in step) this.#turnPage(step.which)
    else if ('limit' in step) this.#openList(step)
    else if ('back' in step) this.#listExactly(step.collection, Math.max(0, this.store.version - step.back))
    else if ('collection' in step) this.#startReplica(step)
    else await this.settle()
  }

  async settle(): Promise<void> {
    await Promise.all(this.#writes.splice(0))
  }

  check(): void {
    this.#log.reduce((before, { version }) => {
      assert.ok(version > before, 'versions strictly increase, over all collections')
      return version
    }, 0)
    const published = new Set(this.#log.map(({ stored }) => `${stored.key.collection} ${line(stored)}`))
    assert.deepEqual(published, this.#acknowledged, 'what was acknowledged was published, and nothing else')
    for (const replica of this.#replicas) {
      const now = this.store.list(replica.collection, scope(replica.namespace)).items
      const replayed = [...replica.states].sort().map(([, text]) => text)
      assert.deepEqual(replayed, now.map(line).sort(), 'a list and the events after it give the newest list')
    }
    for (const list of this.#lists) while (list.next !== undefined) this.#nextPage(list)
  }

  async #write(kind: string, key: ObjectKey): Promise<void> {
    const payload = `w${this.#payloads++}`
    let removed: Stored | undefined
    try {
      const stored = await this.store.mutate(key, current => {
        if (kind === 'refuse') throw new RangeError('refused')
        if (kind === 'same') return { unchanged: current }
        if (kind === 'put') return { put: configMap(key, payload) }
        removed = current
        return current ? { remove: configMap(key, payload) } : { unchanged: undefined }
      })
      if (kind === 'put' && stored) this.#acknowledged.add(`${key.collection} ${line(stored)}`)
      if (removed) this.#acknowledgeRemoval(key, payload)
    } catch (error) {
      if (!(error instanceof WriteFailed || error instanceof RangeError)) throw error
    }
  }

  /** A removal answers without its version: the event, which was published before, has it. */
  #acknowledgeRemoval(key: ObjectKey, payload: string): void {
    const own = this.#log.find(({ stored }) => line(stored).startsWith(`${key.namespace}/${key.name}=${payload}@`))
    assert.equal(own?.type, 'DELETED')
    this.#acknowledged.add(`${key.collection} ${own && line(own.stored)}`)
  }

  #openList(step: { collection: Collection; namespace: string | undefined; limit: number }): void {
    const { collection, namespace, limit } = step
    const { items, version, next } = this.store.list(collection, { ...scope(namespace), limit })
    this.#lists.push({ collection, namespace, limit, version, items: [...items], next })
  }

  #turnPage(which: number): void {
    const list = this.#lists[which % Math.max(1, this.#lists.length)]
    if (list?.next !== undefined) this.#nextPage(list)
  }

  #nextPage(list: OpenList): void {
    const { collection, namespace, limit, version } = list
    const ask = { ...scope(namespace), limit, continue: list.next ?? '' }
    list.next = undefined
    if (this.#isForgotten(collection, version)) {
      assert.throws(() => this.store.list(collection, ask), VersionExpired)
      return
    }
    const page = this.store.list(collection, ask)
    assert.equal(page.version, version)
    list.items.push(...page.items)
    list.next = page.next
    const snapshot = this.#snapshot(collection, namespace, version)
    assert.equal(list.items.length + page.remaining, snapshot.length)
    assert.deepEqual(list.items.map(line), snapshot.slice(0, list.items.length))
  }

  #listExactly(collection: Collection, version: number): void {
    if (this.#isForgotten(collection, version)) {
      assert.throws(() => this.store.list(collection, { exactVersion: version }), VersionExpired)
      return
    }
    const { items } = this.store.list(collection, { exactVersion: version })
    assert.deepEqual(items.map(line), this.#snapshot(collection, undefined, version))
  }

  #startReplica(step: { collection: Collection; namespace: string | undefined }): void {
    const { collection, namespace } = step
    const page = this.store.list(collection, scope(namespace))
    const states = new Map(page.items.map(stored => [stored.key.namespace + stored.key.name, line(stored)]))
    this.store.watch(collection, page.version, ({ type, stored }) => {
      if (namespace !== undefined && stored.key.namespace !== namespace) return
      if (type === 'DELETED') states.delete(stored.key.namespace + stored.key.name)
      else states.set(stored.key.namespace + stored.key.name, line(stored))
    })
    this.#replicas.push({ collection, namespace, states })
  }

  #isForgotten(collection: Collection, version: number): boolean {
    const newer = this.#log.filter(({ stored, version: at }) => stored.key.collection === collection && at > version)
    return newer.length > this.#historyEvents
  }

  /** The lines a list at `version` must show, worked out from all events. */
  #snapshot(collection: Collection, namespace: string | undefined, version: number): string[] {
    const states = new Map<string, string>()
    for (const { type, stored, version: at } of this.#log) {
      if (stored.key.collection !== collection || at > version) continue
      if (namespace !== undefined && stored.key.namespace !== namespace) continue
      const id = `${stored.key.namespace}\0${stored.key.name}`
      if (type === 'DELETED') states.delete(id)
      else states.set(id, line(stored))
    }
    return [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  }
}

function scope(namespace: string | undefined): { namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}

/** The property test; `open` may give a store whose commits fail now and then. */
export function testRandomHistories(
  open: (options: Partial<StoreOptions>) => Store,
  options: { readonly runs: number; readonly afterwards?: (store: Store) => Promise<void> },
): void {
  test('random histories lose nothing, keep every snapshot, and never go back', async () => {
    const steps = fc.array(anyStep, { minLength: 5, maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 30 }), async (script, historyEvents) => {
        const store = open({ historyEvents })
        try {
          const history = new History(store, historyEvents)
          for (const step of script) await history.take(step)
          await history.settle()
          history.check()
          await options.afterwards?.(store)
        } finally {
          await store.close()
        }
      }),
      { numRuns: options.runs },
    )
  })
}
