/**
 * A cache of one collection that stays true: paged list, then watch from there, over and over. Survives clean ends,
 * resets, failed lists, compaction and server restarts; whoever reads it may only ever see it lag, never lie.
 */
import { type Clock, type Logger, type Random, silentLogger, sleep } from '@godwit/ports'
import type { KubeClient } from './client.ts'
import { isExpired } from './errors.ts'
import type { KubeObject, Ref } from './object.ts'
import { ObjectIndex } from './object-index.ts'
import type { Resource } from './resource.ts'

export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'updated' | 'deleted'
  /** The new state; for `deleted` the last one known. */
  readonly object: T
  readonly previous?: T
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: KubeClient
  readonly resource: Resource
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Drops what nobody reads, before it is kept. managedFields are dropped in any case. */
  readonly transform?: (object: T) => T
}

/** The server ends a watch after this long at the latest; the next one goes on from the last version. */
const WATCH_SECONDS = 290
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 15_000

export class Informer<T extends KubeObject> {
  readonly #options: InformerOptions<T>
  readonly #index = new ObjectIndex<T>()
  readonly #handlers = new Set<(change: Change<T>) => void>()
  readonly #stop = new AbortController()
  readonly #waiting: (() => void)[] = []
  #version: string | undefined
  #failures = 0
  #isSynced = false
  #running: Promise<void> | undefined

  constructor(options: InformerOptions<T>) {
    this.#options = options
  }

  /** Starts once; returns at once. */
  start(): void {
    this.#running ??= this.#run()
  }

  hasSynced(): boolean {
    return this.#isSynced
  }

  /** Resolves after the first complete list; also when `signal` aborts or the informer stops. */
  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#isSynced || this.#stop.signal.aborted || signal?.aborted) return
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  get(ref: Ref): T | undefined {
    return this.#index.get(ref)
  }

  list(namespace?: string): T[] {
    return this.#index.list(namespace)
  }

  /** Before `start`, or at any time: what is cached already is indexed too. */
  addIndex(name: string, keysOf: (object: T) => readonly string[]): void {
    this.#index.addIndex(name, keysOf)
  }

  byIndex(name: string, key: string): T[] {
    return this.#index.byIndex(name, key)
  }

  /** Handlers see every change once, in order; one that throws is logged and harms nobody. Returns the way off. */
  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wakeAll()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#relist()
        await this.#watch()
        this.#failures = 0
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error)
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (isExpired(error)) this.#version = undefined
    const { clock, random, resource, logger = silentLogger } = this.#options
    const grown = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#failures, 10))
    // A compacted version is no fault of the server: the first new list may come at once.
    const delayMs = isExpired(error) && this.#failures === 0 ? 0 : grown * (0.8 + 0.4 * random.next())
    this.#failures++
    logger.debug(
      { resource: resource.plural, retryInMs: Math.round(delayMs), error: String(error) },
      'watch broke, will go on',
    )
    await sleep(clock, delayMs, this.#stop.signal)
  }

  async #relist(): Promise<void> {
    const { client, resource } = this.#options
    const { items, resourceVersion } = await client.list<T>(resource, {
      ...this.#selection(),
      signal: this.#stop.signal,
    })
    const kept = items.map(object => this.#slim(object))
    const present = new Set(kept.map(object => this.#index.keyOf(object.metadata)))
    for (const object of this.#index.list()) if (!present.has(this.#index.keyOf(object.metadata))) this.#remove(object)
    for (const object of kept) this.#put(object)
    this.#version = resourceVersion
    this.#isSynced = true
    this.#wakeAll()
  }

  async #watch(): Promise<void> {
    const { client, resource } = this.#options
    const options = {
      ...this.#selection(),
      resourceVersion: this.#version ?? '',
      timeoutSeconds: WATCH_SECONDS,
      signal: this.#stop.signal,
    }
    for await (const event of client.watch<T>(resource, options)) {
      this.#failures = 0
      if (event.type === 'DELETED') this.#remove(event.object)
      else if (event.type !== 'BOOKMARK') this.#put(this.#slim(event.object))
      this.#version =
        (event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion) ?? this.#version
    }
  }

  #selection() {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace && { namespace }),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    }
  }

  #slim(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { readonly managedFields?: unknown }
    const slim = { ...object, metadata } as T
    return this.#options.transform?.(slim) ?? slim
  }

  /** An older state than the cached one, for instance from a replica that lags, is not taken. */
  #put(object: T): void {
    const previous = this.#index.get(object.metadata)
    if (previous && !isNewer(object, previous)) return
    const isSame = previous?.metadata.uid === object.metadata.uid
    if (previous && !isSame) this.#remove(previous)
    this.#index.put(object)
    this.#tell(previous && isSame ? { type: 'updated', object, previous } : { type: 'added', object })
  }

  #remove(object: T): void {
    const previous = this.#index.get(object.metadata)
    if (!previous) return
    this.#index.remove(previous)
    this.#tell({ type: 'deleted', object: previous, previous })
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change)
      } catch (error) {
        const { resource, logger = silentLogger } = this.#options
        logger.error({ resource: resource.plural, error: String(error) }, 'a handler of an informer threw')
      }
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** Versions are compared within one server only. A re-created object is another one, whatever its version. */
function isNewer(object: KubeObject, than: KubeObject): boolean {
  if (object.metadata.uid !== than.metadata.uid) return true
  const [a, b] = [object, than].map(({ metadata }) => Number(metadata.resourceVersion ?? 0)) as [number, number]
  return !(a <= b)
}
