import type { Clock, Logger, Random } from '@godwit/ports'
import { TimerWheel } from './timer-wheel.ts'

export interface KeyedQueueOptions {
  /** Names the controller in log lines. */
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** How many keys are worked on at a time. Default 8. */
  readonly workers?: number
  /** First retry delay in milliseconds, doubling up to `retryMaxMs`. Defaults 20 and 5,000. */
  readonly retryFirstMs?: number
  readonly retryMaxMs?: number
  /** Level-based work on one key. Resolves with a delay in milliseconds to look again, or nothing. */
  readonly work: (key: string) => Promise<number | undefined>
}

/** Works on keys, each at most once at a time; a key added meanwhile runs again. Failures are retried, growing slower. */
export class KeyedQueue {
  readonly #options: KeyedQueueOptions
  readonly #waiting = new Set<string>()
  readonly #active = new Set<string>()
  readonly #again = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #wheel: TimerWheel
  readonly #running = new Set<Promise<void>>()
  #isStarted = false
  #isStopped = false

  constructor(options: KeyedQueueOptions) {
    this.#options = options
    this.#wheel = new TimerWheel(options.clock, key => this.add(key))
  }

  /** How many keys wait or are worked on now, not counting delayed ones. */
  get load(): number {
    return this.#waiting.size + this.#active.size
  }

  /** Begins to work; keys added before wait, because caches may not be filled yet. */
  start(): void {
    this.#isStarted = true
    this.#serve()
  }

  add(key: string): void {
    if (this.#isStopped) return
    if (this.#active.has(key)) this.#again.add(key)
    else this.#waiting.add(key)
    this.#serve()
  }

  /** Adds the key after a delay; of several planned moments the earliest wins. */
  addAfter(key: string, delayMs: number): void {
    if (!this.#isStopped) this.#wheel.setIfSooner(key, this.#options.clock.now() + delayMs)
  }

  /** Drops what waits and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wheel.stop()
    this.#waiting.clear()
    await Promise.all(this.#running)
  }

  #serve(): void {
    if (!this.#isStarted) return
    const limit = this.#options.workers ?? 8
    for (const key of this.#waiting) {
      if (this.#active.size >= limit) return
      this.#waiting.delete(key)
      this.#active.add(key)
      const run = this.#run(key).finally(() => this.#running.delete(run))
      this.#running.add(run)
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const lookAgainMs = await this.#options.work(key)
      this.#failures.delete(key)
      if (lookAgainMs !== undefined) this.addAfter(key, lookAgainMs)
    } catch (error) {
      this.#retry(key, error)
    }
    this.#active.delete(key)
    if (this.#again.delete(key)) this.add(key)
    this.#serve()
  }

  #retry(key: string, error: unknown): void {
    if (this.#isStopped) return
    const { name, logger, random, retryFirstMs = 20, retryMaxMs = 5_000 } = this.#options
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const delayMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(failures, 20)) * (1 + 0.2 * random.next())
    logger.debug({ controller: name, key, failures, delayMs, error: String(error) }, 'simulated controller retries')
    this.addAfter(key, delayMs)
  }
}
