/**
 * A cache of one collection that stays true: a paged list, then a watch from there, over and over. It survives clean
 * ends, resets, silence, failed lists, compaction, restarted servers and lagging replicas. Its readers may see it lag.
 */
import { type Clock, type Logger, type Random, silentLogger, sleep } from '@godwit/ports'
import { Backoff, type BackoffLimits } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { type Change, CollectionCache } from './collection-cache.ts'
import { isExpired, KubeError } from './errors.ts'
import type { ObjectList } from './list.ts'
import type { KubeObject, Ref } from './object.ts'
import type { KeysOf } from './object-store.ts'
import { type Resource, resourceName } from './resource.ts'

export interface InformerOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'version' | 'watch'>
  readonly resource: Resource
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Drops what nobody reads, before it is kept. managedFields are dropped in any case. Must keep the metadata. */
  readonly transform?: (object: T) => T
  /** Delays after failures. Default: 100 ms doubling up to 10 s. */
  readonly backoff?: BackoffLimits
  /**
   * How long a server that shows an older version than was seen before is taken for a replica that lags. After that
   * it is believed to have gone back (a restored backup), and its state is taken over. Default 60 s. A server that was
   * restored and has passed the version seen before by the time it answers again cannot be told from one that stayed.
   */
  readonly acceptOlderAfterMs?: number
}

export type Handler<T extends KubeObject> = (change: Change<T>) => void

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 100, maxMs: 10_000 }
const DEFAULT_ACCEPT_OLDER_AFTER_MS = 60_000
/** A watch that lasted this long worked, even when nothing happened in it. */
const LASTING_MS = 5_000
/** Short: a connection that died without a word is noticed only when the watch should have ended. */
const WATCH_SECONDS = 120
/** Watches that failed in a row before the list is read again. */
const MAX_WATCH_FAILURES = 3
/** A server's request for patience is followed up to here. */
const MAX_RETRY_AFTER_MS = 30_000

type Step = 'list' | 'verify' | 'watch'

export class Informer<T extends KubeObject> {
  /** For those who wait on the informer's facts for a bounded time. */
  readonly clock: Clock
  readonly #options: InformerOptions<T>
  readonly #logger: Logger
  readonly #cache = new CollectionCache<T>(change => this.#tell(change))
  readonly #handlers = new Set<Handler<T>>()
  readonly #stopping = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  readonly #listBackoff: Backoff
  readonly #watchBackoff: Backoff
  #running: Promise<void> | undefined
  #hasSynced = false
  /** Waited so far for a server that shows an older version. */
  #behindForMs = 0

  constructor(options: InformerOptions<T>) {
    const { clock, random, backoff = DEFAULT_BACKOFF, logger = silentLogger } = options
    this.clock = clock
    this.#options = options
    this.#logger = logger
    this.#listBackoff = new Backoff(random, backoff)
    this.#watchBackoff = new Backoff(random, backoff)
  }

  /** Begins in the background; a second call does nothing. A stopped informer does not start again. */
  start(): void {
    this.#running ??= this.#run()
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  /** Resolves after the first complete list; early when `signal` aborts or the informer stops: see `hasSynced`. */
  async synced(signal?: AbortSignal): Promise<void> {
    if (!signal) return await this.#synced.promise
    const { promise, resolve } = Promise.withResolvers<void>()
    const finish = () => resolve()
    if (signal.aborted) finish()
    signal.addEventListener('abort', finish, { once: true })
    await Promise.race([this.#synced.promise, promise])
    signal.removeEventListener('abort', finish)
  }

  get(ref: Ref): T | undefined {
    return this.#cache.get(ref)
  }

  /** @param namespace default: all */
  list(namespace?: string): T[] {
    return this.#cache.list(namespace)
  }

  /** At any time: what is cached already is indexed too. */
  addIndex(name: string, keysOf: KeysOf<T>): void {
    const { resource } = this.#options
    this.#cache.addIndex(name, object => {
      try {
        return keysOf(object)
      } catch (error) {
        this.#logger.error({ resource: resourceName(resource), index: name, error }, 'an index function threw')
        return []
      }
    })
  }

  /** Objects under a key, in no particular order. Throws a RangeError for an unknown index. */
  byIndex(name: string, key: string): T[] {
    return this.#cache.byIndex(name, key)
  }

  /**
   * Handlers see every change once, in order; one that throws is logged and harms nobody. One that comes late is told
   * at once of all that is cached, as added, unless `replay` is false. Returns the way off.
   */
  onChange(handler: Handler<T>, { replay = true } = {}): () => void {
    // Each registration is its own, even of a function that is registered already.
    const registered: Handler<T> = change => handler(change)
    this.#handlers.add(registered)
    if (replay) for (const object of this.#cache.list()) this.#handle(registered, { type: 'added', object })
    return () => {
      this.#handlers.delete(registered)
    }
  }

  /** Resolves when nothing is under way any more. No handler is called after this call. The cache stays readable. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#synced.resolve()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let step: Step = 'list'
    while (!signal.aborted) {
      if (step === 'list') step = await this.#list()
      else if (step === 'verify') step = await this.#verify()
      else step = await this.#watch()
    }
  }

  async #list(): Promise<Step> {
    const { version } = this.#cache
    const isGivenUp = this.#behindForMs >= (this.#options.acceptOlderAfterMs ?? DEFAULT_ACCEPT_OLDER_AFTER_MS)
    try {
      const list = await this.#fetch(isGivenUp ? undefined : version)
      if (this.#cache.isBehind(list.resourceVersion) && !isGivenUp) return await this.#waitForCatchUp()
      this.#takeOver(list)
      return 'watch'
    } catch (error) {
      if (version !== undefined && isTooLarge(error)) return await this.#waitForCatchUp()
      await this.#pause(this.#listBackoff.fail(), error, 'the list failed')
      return 'list'
    }
  }

  #fetch(notOlderThan: string | undefined): Promise<ObjectList<T>> {
    const { client, resource } = this.#options
    return client.list<T>(resource, {
      ...this.#selection(),
      transform: object => this.#slim(object),
      signal: this.#stopping.signal,
      ...(notOlderThan !== undefined && { notOlderThan }),
    })
  }

  #takeOver(list: ObjectList<T>): void {
    const resource = resourceName(this.#options.resource)
    if (this.#cache.isBehind(list.resourceVersion)) {
      const from = this.#cache.version
      this.#logger.warn(
        { resource, from, to: list.resourceVersion },
        'recovered: the server went back, its state is taken over',
      )
      this.#cache.reset(list)
    } else this.#cache.merge(list)
    if (this.#listBackoff.failures > 0)
      this.#logger.info({ resource, attempts: this.#listBackoff.failures + 1 }, 'recovered: the list was read')
    this.#listBackoff.succeed()
    this.#behindForMs = 0
    this.#hasSynced = true
    this.#synced.resolve()
  }

  /** What is known stays: it is newer than what this server shows. */
  async #waitForCatchUp(): Promise<Step> {
    const delayMs = this.#listBackoff.fail()
    this.#logger.debug(
      { resource: resourceName(this.#options.resource) },
      'the server shows an older version than before',
    )
    await sleep(this.clock, delayMs, this.#stopping.signal)
    this.#behindForMs += delayMs
    return 'list'
  }

  /** A watch from a version that the server does not have yet is silent: after a break, look who answers now. */
  async #verify(): Promise<Step> {
    const { client, resource } = this.#options
    try {
      const version = await client.version(resource, { ...this.#selection(), signal: this.#stopping.signal })
      return this.#cache.isBehind(version) ? 'list' : 'watch'
    } catch (error) {
      await this.#pause(this.#watchBackoff.fail(), error, 'the version could not be read')
      return 'verify'
    }
  }

  async #watch(): Promise<Step> {
    const openedAt = this.clock.now()
    const progress = { seen: false }
    try {
      await this.#follow(progress)
      const isLasting = progress.seen || Math.abs(this.clock.now() - openedAt) >= LASTING_MS
      if (isLasting) this.#watchBackoff.succeed()
      else await this.#pause(this.#watchBackoff.fail(), undefined, 'the watch ended at once')
      return progress.seen ? 'watch' : 'verify'
    } catch (error) {
      if (progress.seen) this.#watchBackoff.succeed()
      return await this.#afterFailure(error)
    }
  }

  async #follow(progress: { seen: boolean }): Promise<void> {
    const { client, resource, random } = this.#options
    const { signal } = this.#stopping
    const options = {
      ...this.#selection(),
      resourceVersion: this.#cache.version ?? '',
      timeoutSeconds: Math.round(WATCH_SECONDS * (1 + random.next() / 2)),
      signal,
    }
    for await (const event of client.watch<T>(resource, options)) {
      progress.seen = true
      this.#cache.observe(event.type === 'BOOKMARK' ? event : { ...event, object: this.#slim(event.object) })
    }
  }

  async #afterFailure(error: unknown): Promise<Step> {
    const isFirst = this.#watchBackoff.failures === 0
    const delayMs = this.#watchBackoff.fail()
    // Compaction is nobody's fault: the first new list may come at once.
    await this.#pause(isExpired(error) && isFirst ? 0 : delayMs, error, 'the watch broke')
    if (isExpired(error) || this.#watchBackoff.failures >= MAX_WATCH_FAILURES) return 'list'
    return 'verify'
  }

  async #pause(delayMs: number, error: unknown, what: string): Promise<void> {
    const { signal } = this.#stopping
    if (signal.aborted) return
    const asked = error instanceof KubeError ? Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0
    const retryInMs = Math.round(Math.max(delayMs, asked))
    this.#logger.debug({ resource: resourceName(this.#options.resource), retryInMs, error }, what)
    await sleep(this.clock, retryInMs, signal)
  }

  #selection() {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    }
  }

  #slim(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { readonly managedFields?: unknown }
    const slim = { ...object, metadata }
    const { transform, resource } = this.#options
    if (!transform) return slim
    try {
      return transform(slim)
    } catch (error) {
      this.#logger.error({ resource: resourceName(resource), name: metadata.name, error }, 'a transform threw')
      return slim
    }
  }

  #tell(change: Change<T>): void {
    // A copy: a handler that registers while it handles is told by its own replay.
    for (const handler of [...this.#handlers]) this.#handle(handler, change)
  }

  #handle(handler: Handler<T>, change: Change<T>): void {
    if (this.#stopping.signal.aborted) return
    try {
      const returned: unknown = handler(change)
      // An async function is a handler too; its rejection would otherwise end the process.
      if (returned instanceof Promise) returned.catch(error => this.#blame(change, error))
    } catch (error) {
      this.#blame(change, error)
    }
  }

  #blame({ object: { metadata } }: Change<T>, error: unknown): void {
    const { namespace, name } = metadata
    this.#logger.error(
      { resource: resourceName(this.#options.resource), namespace, name, error },
      'a handler of an informer threw',
    )
  }
}

/** 504: the version asked for is one that this server has not reached. */
const isTooLarge = (error: unknown) =>
  error instanceof KubeError &&
  error.status === 504 &&
  (error.details?.causes?.some(cause => cause.reason === 'ResourceVersionTooLarge') ?? false)
