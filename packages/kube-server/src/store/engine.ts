import { type Clock, type Logger, type Random, silentLogger, systemRandom } from '@godwit/ports'
import type { KubeObject } from '../api/object.ts'
import { CommitQueue } from './commit-queue.ts'
import { type Cursor, decodeCursor, encodeCursor, newestVersion } from './continue-token.ts'
import type { DurableLog } from './durable-log.ts'
import { InvalidContinue, StoreClosed, VersionNotReached } from './errors.ts'
import { EventRing, type RingLimits } from './event-ring.ts'
import { cutPage } from './list-pages.ts'
import { placeAfter, placeId, stretchOf } from './place.ts'
import { SortedCollection } from './sorted-collection.ts'
import { StoredState, stateAt } from './stored-state.ts'
import {
  type Collection,
  type ListOptions,
  type Mutation,
  type ObjectKey,
  type Page,
  type Store,
  type Stored,
  type StoreEvent,
  VersionExpired,
} from './types.ts'
import { VersionWaiters } from './version-waiters.ts'
import { WatchHub } from './watch-hub.ts'

/** Events kept per collection: what informers of a busy server need to catch up after a short break. */
const HISTORY_EVENTS = 10_000
/** Large objects (1 MiB Secrets) must not turn the history into the largest user of memory. */
const HISTORY_BYTES = 32 * 1024 * 1024

export interface StoreOptions {
  readonly clock: Clock
  /** Default: the machine's randomness. Continue tokens carry a value made from it and from the clock. */
  readonly random?: Random
  readonly logger?: Logger
  /** Events kept per collection for watches and for the later pages of a list; default 10,000, at least 1. */
  readonly historyEvents?: number
  /** Bound on the JSON of those events, in bytes per collection; default 32 MiB. */
  readonly historyBytes?: number
}

interface CollectionState {
  readonly items: SortedCollection
  readonly ring: EventRing
  readonly watchers: WatchHub
}

/** The authority: decides writes in memory, has them made durable by the log, then shows and publishes them. */
export class StoreEngine implements Store {
  readonly #collections = new Map<Collection, CollectionState>()
  /** Newest undurable event of each object that has one: what `head` shows. */
  readonly #undurable = new Map<string, StoreEvent>()
  readonly #waiters = new VersionWaiters()
  readonly #log: DurableLog
  readonly #queue: CommitQueue
  readonly #logger: Logger
  readonly #limits: RingLimits
  readonly #instance: string
  /** Version at the start: no history reaches further back. */
  readonly #base: number
  #visible: number
  /** Newest version given out. Never set back, not even when a commit failed: its bytes may be on the disk. */
  #decided: number
  #isDeciding = false
  #closing: Promise<void> | undefined

  constructor(log: DurableLog, options: StoreOptions) {
    const { clock, random = systemRandom, logger = silentLogger } = options
    const { historyEvents = HISTORY_EVENTS, historyBytes = HISTORY_BYTES } = options
    if (!(historyEvents >= 1)) throw new RangeError(`historyEvents must be at least 1, not ${historyEvents}`)
    this.#log = log
    this.#logger = logger
    this.#limits = { events: historyEvents, bytes: historyBytes }
    // The clock too: simulated servers restart with the same seed.
    this.#instance = `${clock.now().toString(36)}-${Math.floor(random.next() * 2 ** 32).toString(36)}`
    this.#queue = new CommitQueue({
      log,
      publish: event => this.#publish(event),
      giveUp: () => this.#undurable.clear(),
    })
    const recovered = log.recover()
    this.#base = this.#visible = this.#decided = recovered.version
    for (const { key, version, json, object } of recovered.states) {
      this.#collection(key.collection).items.set(new StoredState(key, version, json, object))
    }
  }

  get version(): number {
    return this.#visible
  }

  get(key: ObjectKey): Stored | undefined {
    return this.#collections.get(key.collection)?.items.get(key)
  }

  head(key: ObjectKey): Stored | undefined {
    const undurable = this.#undurable.size > 0 ? this.#undurable.get(objectId(key)) : undefined
    if (!undurable) return this.get(key)
    return undurable.type === 'DELETED' ? undefined : undurable.stored
  }

  async mutate(key: ObjectKey, decide: (current: Stored | undefined) => Mutation): Promise<Stored | undefined> {
    if (this.#closing) throw new StoreClosed()
    let decided: StoreEvent | { readonly unchanged: Stored | undefined }
    try {
      decided = this.#decide(key, decide)
    } catch (refusal) {
      await this.#queue.settled()
      throw refusal
    }
    if ('unchanged' in decided) {
      await this.#queue.settled()
      return decided.unchanged
    }
    this.#decided = decided.version
    this.#undurable.set(objectId(key), decided)
    await this.#queue.add(decided)
    return decided.type === 'DELETED' ? undefined : decided.stored
  }

  list(collection: Collection, options: ListOptions): Page {
    const { namespace, limit = 0, matches } = options
    const state = this.#collections.get(collection) ?? this.#newCollection()
    const cursor = this.#cursor(state, collection, options)
    const version = this.#snapshotVersion(state, cursor, options.exactVersion)
    const whole = stretchOf(namespace)
    const page = cutPage({
      items: state.items,
      newer: version === this.#visible ? [] : state.ring.after(version),
      stretch: cursor ? { start: placeAfter(cursor.last), end: whole.end } : whole,
      limit: limit > 0 ? limit : Number.POSITIVE_INFINITY,
      matches,
    })
    const { items, remaining, last } = page
    if (!last) return { items, version, remaining }
    const next = encodeCursor({ collection, namespace, version, last, instance: this.#instance })
    return { items, version, remaining, next }
  }

  scan(collection: Collection, namespace?: string): Iterable<Stored> {
    return this.#collections.get(collection)?.items.range(stretchOf(namespace)) ?? []
  }

  /** Those that hold at least one object. */
  collections(): Iterable<Collection> {
    return [...this.#collections].filter(([, { items }]) => items.size > 0).map(([name]) => name)
  }

  watch(collection: Collection, after: number | undefined, onEvent: (event: StoreEvent) => void): () => void {
    const state = this.#collection(collection)
    const start = after ?? this.#visible
    if (start < state.ring.floor) throw new VersionExpired(start, state.ring.floor)
    return state.watchers.add(Math.max(start, this.#visible), state.ring.after(start), onEvent)
  }

  async reached(version: number, signal: AbortSignal): Promise<void> {
    if (version <= this.#visible) return
    if (this.#closing) throw new StoreClosed()
    await this.#waiters.wait(version, signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.drained()
    this.#waiters.fail(new StoreClosed())
    for (const { watchers } of this.#collections.values()) watchers.clear()
    this.#log.close()
  }

  #decide(
    key: ObjectKey,
    decide: (current: Stored | undefined) => Mutation,
  ): StoreEvent | { readonly unchanged: Stored | undefined } {
    // A write decided inside another decision would be built upon a state the outer one is about to replace.
    if (this.#isDeciding) throw new Error('mutate must not be called from inside a decision')
    const current = this.head(key)
    const mutation = this.#askUndisturbed(() => decide(current))
    if ('unchanged' in mutation) return mutation
    const version = this.#decided + 1
    const state = (object: KubeObject) => stateAt(current?.key ?? ownKey(key), version, object)
    if ('put' in mutation) {
      const stored = state(mutation.put)
      return current ? { type: 'MODIFIED', version, stored, previous: current } : { type: 'ADDED', version, stored }
    }
    if (!current) throw new Error(`cannot remove ${key.collection} ${key.namespace}/${key.name}: it does not exist`)
    return { type: 'DELETED', version, stored: state(mutation.remove), previous: current }
  }

  #askUndisturbed(decide: () => Mutation): Mutation {
    this.#isDeciding = true
    try {
      return decide()
    } finally {
      this.#isDeciding = false
    }
  }

  #publish(event: StoreEvent): void {
    const { stored, previous } = event
    const state = this.#collection(stored.key.collection)
    if (event.type === 'DELETED') state.items.delete(stored.key)
    else state.items.set(stored)
    state.ring.push(event)
    this.#visible = event.version
    const id = objectId(stored.key)
    if (this.#undurable.get(id) === event) this.#undurable.delete(id)
    state.watchers.deliver(event)
    if (previous instanceof StoredState) previous.supersede()
    if (event.type === 'DELETED' && stored instanceof StoredState) stored.supersede()
    this.#waiters.advance(event.version)
  }

  /** What the continue token says; throws VersionExpired for one that was made before a restart. */
  #cursor(state: CollectionState, collection: Collection, options: ListOptions): Cursor | undefined {
    if (options.continue === undefined) return undefined
    const cursor = decodeCursor(options.continue, { collection, namespace: options.namespace })
    if (cursor.version === newestVersion) return cursor
    const isOurs = cursor.instance === this.#instance
    if (isOurs && cursor.version > this.#visible) throw new InvalidContinue('no version')
    if (!isOurs || cursor.version < state.ring.floor) {
      const rest = encodeCursor({ ...cursor, version: newestVersion, instance: this.#instance })
      throw new VersionExpired(cursor.version, state.ring.floor, rest)
    }
    return cursor
  }

  #snapshotVersion(state: CollectionState, cursor: Cursor | undefined, exact: number | undefined): number {
    if (cursor) return cursor.version === newestVersion ? this.#visible : cursor.version
    if (exact === undefined) return this.#visible
    if (exact > this.#visible) throw new VersionNotReached(exact, this.#visible)
    if (exact < state.ring.floor) throw new VersionExpired(exact, state.ring.floor)
    return exact
  }

  #collection(name: Collection): CollectionState {
    const known = this.#collections.get(name)
    if (known) return known
    const made = this.#newCollection()
    this.#collections.set(name, made)
    return made
  }

  #newCollection(): CollectionState {
    return {
      items: new SortedCollection(),
      ring: new EventRing(this.#limits, this.#base),
      watchers: new WatchHub(this.#logger),
    }
  }
}

function objectId(key: ObjectKey): string {
  return `${key.collection}\0${placeId(key)}`
}

/** A key that nobody else can change and that carries nothing but itself. */
function ownKey({ collection, namespace, name }: ObjectKey): ObjectKey {
  return Object.freeze({ collection, namespace, name })
}
