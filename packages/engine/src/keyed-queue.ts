import type { Cancel, Clock, Random } from '@godwit/ports'

export interface KeyedQueueOptions {
  readonly clock: Clock
  readonly random: Random
  /** First retry delay of a key in milliseconds; doubles up to `maxDelayMs`, with 0–20 % jitter. Default 50. */
  readonly baseDelayMs?: number
  /** Default 30,000. */
  readonly maxDelayMs?: number
}

/**
 * A queue of keys, never payloads: a key waits at most once, and is never handed out twice at the same time, so work
 * on one key is ordered while different keys run side by side. A key added while it is being worked on runs again.
 */
export class KeyedQueue {
  readonly #clock: Clock
  readonly #random: Random
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  readonly #ready = new Set<string>()
  readonly #active = new Set<string>()
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: Cancel }>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #isClosed = false

  constructor(options: KeyedQueueOptions) {
    this.#clock = options.clock
    this.#random = options.random
    this.#baseDelayMs = options.baseDelayMs ?? 50
    this.#maxDelayMs = options.maxDelayMs ?? 30_000
  }

  /** How many keys wait to be taken now, not counting delayed ones. */
  get size(): number {
    return this.#ready.size
  }

  add(key: string): void {
    if (this.#isClosed) return
    this.#dropDelay(key)
    if (this.#active.has(key)) this.#again.add(key)
    else this.#ready.add(key)
    this.#serve()
  }

  /** Adds the key after a delay; of several delays of one key the earliest wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return
    const at = this.#clock.now() + delayMs
    const planned = this.#delayed.get(key)
    if (planned && planned.at <= at) return
    planned?.cancel()
    this.#delayed.set(key, { at, cancel: this.#clock.after(delayMs, () => this.add(key)) })
  }

  /** Resolves with the next key, or undefined once the queue is closed. Every taken key must come back by `done`. */
  take(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined)
    return new Promise(resolve => {
      this.#takers.push(resolve)
      this.#serve()
    })
  }

  /** Gives a key back after a pass that worked: its failures are forgotten. */
  done(key: string): void {
    this.#failures.delete(key)
    this.#release(key)
  }

  /** Gives a key back after a pass that failed: it runs again after a growing delay, at least `atLeastMs`. */
  retry(key: string, atLeastMs = 0): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.#again.delete(key)
    this.#release(key)
    const grown = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** Math.min(failures, 20))
    const delayMs = Math.max(atLeastMs, grown * (1 + 0.2 * this.#random.next()))
    this.addAfter(key, delayMs)
    return delayMs
  }

  /** Wakes every taker with undefined and drops what waits. Keys being worked on may still be given back. */
  close(): void {
    this.#isClosed = true
    for (const delayed of this.#delayed.values()) delayed.cancel()
    this.#delayed.clear()
    this.#ready.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #release(key: string): void {
    this.#active.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  #dropDelay(key: string): void {
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }

  #serve(): void {
    while (this.#takers.length > 0 && this.#ready.size > 0) {
      const [key] = this.#ready
      if (key === undefined) return
      this.#ready.delete(key)
      this.#active.add(key)
      this.#takers.shift()?.(key)
    }
  }
}
