/** Kubernetes Events for people, written in the background. A courtesy: bounded, dropped when in doubt, never in the way. */
import {
  type Clock,
  type Logger,
  type Random,
  rfc3339,
  silentLogger,
  sleep,
  systemClock,
  systemRandom,
} from '@godwit/ports'
import { Backoff } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { isAlreadyExists, isNotFound, KubeError } from './errors.ts'
import { type EventInput, EventLedger, type EventSeries } from './event-series.ts'
import { type Limiter, rateLimiter } from './limiter.ts'
import type { KubeObject } from './object.ts'
import { apiVersionOf, resources } from './resource.ts'

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>
  /** Who reports: `godwit-hubs-controller`. */
  readonly component: string
  /** Which one of them: host or pod. */
  readonly instance: string
  /** Writes a second in the long run. Default 20. */
  readonly perSecond?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

interface CoreEvent extends KubeObject {
  readonly involvedObject: object
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
}

/** Series that wait to be written; beyond, occurrences of new ones are dropped. */
const MAX_QUEUE = 1024
/** The count of a series is written at most this often, and at the latest by `flush`. */
const REPEAT_MS = 10_000
const PER_SECOND = 20
const BURST = 100
const MAX_ATTEMPTS = 4
const WRITE_TIMEOUT_MS = 5_000

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limiter: Limiter
  readonly #ledger = new EventLedger()
  readonly #queue = new Set<EventSeries>()
  readonly #backoff: Backoff
  #hurry = new AbortController()
  #draining: Promise<void> | undefined
  #sequence = 0
  #dropped = 0

  constructor(options: EventRecorderOptions) {
    const { clock = systemClock, random = systemRandom, logger = silentLogger, perSecond = PER_SECOND } = options
    this.#options = options
    this.#clock = clock
    this.#logger = logger
    this.#limiter = rateLimiter({ clock, perSecond, burst: BURST })
    this.#backoff = new Backoff(random, { baseMs: 500, maxMs: 10_000 })
  }

  /** Events that were not written: too many at a time, or refused by the server. */
  get dropped(): number {
    return this.#dropped
  }

  /** Returns at once; never throws. */
  record(input: EventInput): void {
    try {
      const now = this.#clock.now()
      const series = this.#ledger.note(input, now)
      const isDue = series.writtenCount === 0 || now - series.writtenAt >= REPEAT_MS
      if (isDue) this.#enqueue(series)
    } catch (error) {
      this.#dropped += 1
      this.#logger.error({ reason: input?.reason, error }, 'an event could not be recorded')
    }
  }

  /** Resolves when everything recorded so far is written or given up; does not wait for rates and back-off. */
  async flush(): Promise<void> {
    this.#hurry.abort()
    for (const series of this.#ledger.unwritten()) this.#enqueue(series)
    await this.#draining
    this.#hurry = new AbortController()
  }

  #enqueue(series: EventSeries): void {
    if (this.#queue.has(series)) return
    if (this.#queue.size >= MAX_QUEUE) {
      this.#dropped += 1
      return
    }
    this.#queue.add(series)
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
  }

  async #drain(): Promise<void> {
    for (const series of this.#queue) {
      await this.#limiter.take(this.#hurry.signal)
      const isServerThere = await this.#deliver(series)
      this.#queue.delete(series)
      // In a hurry nobody waits for a server that does not answer.
      if (isServerThere || !this.#hurry.signal.aborted) continue
      this.#dropped += this.#queue.size
      this.#queue.clear()
    }
  }

  /** @returns false when no answer came */
  async #deliver(series: EventSeries): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#write(series)
        this.#backoff.succeed()
        return true
      } catch (error) {
        // Taken names: another process of the same component picked the same one in the same millisecond.
        const isRetryable = error instanceof KubeError && (error.isRetryable() || isAlreadyExists(error))
        if (!isRetryable || attempt === MAX_ATTEMPTS || this.#hurry.signal.aborted) {
          this.#dropped += 1
          this.#logger.debug({ reason: series.input.reason, error }, 'an event was given up')
          return error instanceof KubeError && error.status !== 0
        }
        await sleep(this.#clock, Math.max(this.#backoff.fail(), error.retryAfterMs ?? 0), this.#hurry.signal)
      }
    }
  }

  async #write(series: EventSeries): Promise<void> {
    const { count } = series
    if (series.name === undefined || !(await this.#countUp(series, series.name))) await this.#create(series)
    series.writtenCount = count
    series.writtenAt = this.#clock.now()
  }

  /** @returns false when the Event is gone: servers keep them for an hour */
  async #countUp({ input, count, lastAt, message }: EventSeries, name: string): Promise<boolean> {
    const namespace = namespaceOf(input)
    const patch = { count, message, lastTimestamp: rfc3339(lastAt) }
    try {
      await this.#options.client.patch(resources.events, { name, namespace }, patch, { timeoutMs: WRITE_TIMEOUT_MS })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async #create(series: EventSeries): Promise<void> {
    const name = this.#nameFor(series)
    // Kept before it is known to exist: after a lost answer the next attempt counts up instead of writing a second one.
    series.name = name
    try {
      await this.#options.client.create(resources.events, this.#eventOf(series, name), { timeoutMs: WRITE_TIMEOUT_MS })
    } catch (error) {
      if (!(error instanceof KubeError && error.isOutcomeUnknown())) series.name = undefined
      throw error
    }
  }

  #nameFor({ input, firstAt }: EventSeries): string {
    // Cut to what fits with the suffix, and so that no separator stands before the dot.
    const stem = input.regarding.metadata.name.slice(0, 200).replace(/[^a-z0-9]+$/, '') || 'event'
    this.#sequence += 1
    return `${stem}.${firstAt.toString(16)}${this.#sequence.toString(16).padStart(4, '0')}`
  }

  #eventOf({ input, message, count, firstAt, lastAt }: EventSeries, name: string): CoreEvent {
    const { component, instance } = this.#options
    const { regarding, type, reason, action } = input
    const { uid, resourceVersion, namespace } = regarding.metadata
    return {
      apiVersion: apiVersionOf(resources.events),
      kind: resources.events.kind,
      metadata: { name, namespace: namespaceOf(input) },
      involvedObject: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name: regarding.metadata.name,
        ...(namespace && { namespace }),
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
      },
      type,
      reason,
      message,
      ...(action && { action }),
      source: { component, host: instance },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: rfc3339(firstAt),
      lastTimestamp: rfc3339(lastAt),
      count,
    } as CoreEvent
  }
}

/** Events of cluster-scoped objects live in `default`. */
const namespaceOf = ({ regarding }: EventInput) => regarding.metadata.namespace || 'default'
