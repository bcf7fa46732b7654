/** Runs one function per key, never twice at once for the same key, again when the key was added meanwhile. */
import type { Cancel, Clock, Logger } from '@godwit/ports'

export interface KeyedWorkerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly name: string
  /** Brings the world closer to what it should be for this key. What it throws is retried, later and later. */
  readonly run: (key: string) => Promise<void>
}

/** Enough to fill the batches of a durable store, few enough to leave room for others. */
const maxRunning = 16
const firstRetryMs = 50
const maxRetryMs = 30_000

export class KeyedWorker {
  readonly #options: KeyedWorkerOptions
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #retries = new Map<string, Cancel>()
  #isStopped = false
  #isScheduled = false
  #onIdle: (() => void)[] = []

  constructor(options: KeyedWorkerOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#isStopped) return
    this.#retries.get(key)?.()
    this.#retries.delete(key)
    this.#waiting.add(key)
    if (this.#isScheduled) return
    this.#isScheduled = true
    // A microtask later, so that a burst of events for one key becomes one run, even under a clock that stands still.
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#startMore()
    })
  }

  /** Adds the key after a while. */
  addLater(key: string, delayMs: number): void {
    if (this.#isStopped) return
    this.#retries.get(key)?.()
    this.#retries.set(
      key,
      this.#options.clock.after(delayMs, () => this.add(key)),
    )
  }

  /** Resolves when nothing waits and nothing runs, undefined when that is so now; retries for later do not count. */
  idle(): Promise<void> | undefined {
    if (this.#isIdle()) return undefined
    return new Promise(resolve => this.#onIdle.push(resolve))
  }

  /** Starts nothing more; resolves when what runs is done. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#waiting.clear()
    for (const cancel of this.#retries.values()) cancel()
    this.#retries.clear()
    await this.idle()
  }

  #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0
  }

  #startMore(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= maxRunning) break
      if (this.#running.has(key)) continue
      this.#waiting.delete(key)
      this.#running.add(key)
      void this.#runOne(key)
    }
    if (this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  async #runOne(key: string): Promise<void> {
    try {
      await this.#options.run(key)
      this.#failures.delete(key)
    } catch (error) {
      this.#retry(key, error)
    }
    this.#running.delete(key)
    this.#startMore()
  }

  #retry(key: string, error: unknown): void {
    if (this.#isStopped) return
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const delayMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1))
    const message = error instanceof Error ? error.message : String(error)
    this.#options.logger.warn(
      { controller: this.#options.name, key, failures, delayMs, error: message },
      'will try again',
    )
    if (!this.#waiting.has(key)) this.addLater(key, delayMs)
  }
}
