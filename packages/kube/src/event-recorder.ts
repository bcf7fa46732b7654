/** Kubernetes Events for people: deduplicated, bounded, in the background. Never throws, never blocks a pass. */
import { type Clock, rfc3339, systemClock } from '@godwit/ports'
import type { KubeClient } from './client.ts'
import { isNotFound } from './errors.ts'
import type { KubeObject } from './object.ts'
import { apiVersionOf, resources } from './resource.ts'

export interface EventRecorderOptions {
  readonly client: KubeClient
  /** Who reports: `godwit-hubs-controller`. */
  readonly component: string
  readonly instance: string
  readonly clock?: Clock
}

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Causes that are remembered for counting; the oldest is forgotten first. */
const MAX_KNOWN = 8192
/** Writes that wait; beyond, new causes are dropped: Events are a courtesy, the record is in the status. */
const MAX_QUEUE = 6000
/** The same cause is written again at most this often. */
const REPEAT_MS = 60_000
const MAX_MESSAGE = 1024

interface Known {
  name: string
  count: number
  writtenAt: number
}

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()
  readonly #queue: (() => Promise<void>)[] = []
  #draining: Promise<void> | undefined
  #sequence = 0

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  record(input: EventInput): void {
    const { regarding, reason, message, type } = input
    const key = [regarding.metadata.uid, type, reason, message].join('\n')
    const now = this.#clock.now()
    const known = this.#known.get(key)
    if (known) {
      known.count++
      if (now - known.writtenAt < REPEAT_MS) return
      known.writtenAt = now
      this.#push(() => this.#repeat(input, known))
      return
    }
    if (this.#queue.length >= MAX_QUEUE) return
    const name = `${regarding.metadata.name.slice(0, 200)}.${now.toString(16)}.${(this.#sequence++).toString(16)}`
    const fresh = { name, count: 1, writtenAt: now }
    this.#remember(key, fresh)
    this.#push(() => this.#create(input, fresh))
  }

  /** Resolves when everything recorded so far is written or given up. */
  async flush(): Promise<void> {
    await this.#draining
  }

  #remember(key: string, known: Known): void {
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }

  #push(write: () => Promise<void>): void {
    this.#queue.push(write)
    this.#draining ??= this.#drain()
  }

  async #drain(): Promise<void> {
    for (let write = this.#queue.shift(); write; write = this.#queue.shift()) await write().catch(() => undefined)
    this.#draining = undefined
  }

  async #create({ regarding, type, reason, message }: EventInput, { name, count }: Known): Promise<void> {
    const { client, component, instance } = this.#options
    const { namespace = 'default', uid, resourceVersion } = regarding.metadata
    const now = rfc3339(this.#clock.now())
    const event = {
      apiVersion: apiVersionOf(resources.events),
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name: regarding.metadata.name,
        ...(regarding.metadata.namespace && { namespace }),
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
      },
      type,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: now,
      lastTimestamp: now,
      count,
    }
    await client.create(resources.events, event)
  }

  async #repeat(input: EventInput, known: Known): Promise<void> {
    const { namespace = 'default' } = input.regarding.metadata
    const patch = { count: known.count, lastTimestamp: rfc3339(this.#clock.now()) }
    try {
      await this.#options.client.patch(resources.events, { name: known.name, namespace }, patch)
    } catch (error) {
      if (isNotFound(error)) await this.#create(input, known)
    }
  }
}
