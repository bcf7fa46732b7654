/** Forgets events an hour after they were last written. */
import type { Cancel, Clock, Logger } from '@godwit/ports'
import { coreEvents } from '../registry/builtin/event.ts'
import type { Store, Stored } from '../store/types.ts'
import { KeyedWorker } from './keyed-worker.ts'
import type { Operations } from './operations.ts'

const timeToLiveMs = 60 * 60_000

export interface EventExpiryOptions {
  readonly store: Store
  readonly operations: Operations
  readonly clock: Clock
  readonly logger: Logger
}

export class EventExpiry {
  readonly #options: EventExpiryOptions
  readonly #worker: KeyedWorker
  /** Deadline by key, earliest first: all live equally long, so a write moves its event to the end. */
  readonly #deadlines = new Map<string, number>()
  readonly #stop: () => void
  #timer: Cancel | undefined

  constructor(options: EventExpiryOptions) {
    this.#options = options
    const { store, clock, logger } = options
    this.#worker = new KeyedWorker({ clock, logger, name: 'event-expiry', run: key => this.#remove(key) })
    const existing = [...store.scan(coreEvents.collection)].sort((a, b) => a.version - b.version)
    for (const stored of existing) this.#note(stored)
    this.#stop = store.watch(coreEvents.collection, undefined, ({ type, stored }) => {
      this.#deadlines.delete(keyText(stored))
      if (type !== 'DELETED') this.#note(stored)
    })
  }

  async stop(): Promise<void> {
    this.#stop()
    this.#timer?.()
    await this.#worker.stop()
  }

  #note(stored: Stored): void {
    this.#deadlines.set(keyText(stored), this.#options.clock.now() + timeToLiveMs)
    this.#arm()
  }

  #arm(): void {
    const first = this.#deadlines.values().next()
    if (this.#timer || first.done) return
    const { clock } = this.#options
    this.#timer = clock.after(Math.max(0, first.value - clock.now()), () => {
      this.#timer = undefined
      this.#expire()
      this.#arm()
    })
  }

  #expire(): void {
    const now = this.#options.clock.now()
    for (const [key, deadline] of this.#deadlines) {
      if (deadline > now) break
      this.#deadlines.delete(key)
      this.#worker.add(key)
    }
  }

  async #remove(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    await this.#options.operations.remove({ resource: coreEvents, namespace, name })
  }
}

const keyText = ({ key }: Stored) => `${key.namespace}/${key.name}`
