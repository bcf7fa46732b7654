import type { Clock } from '@godwit/ports'

interface Pace {
  readonly endedAt: number
  readonly tookMs: number
}

/** Looking may take this part of the time of one key: 1 in 3. */
const REST_FACTOR = 2
const MAX_REST_MS = 2000

/**
 * Says how soon a key that changed should be looked at: soon, so that changes of one burst are seen together; but
 * after a look that took long, later, so that looking leaves time for what it is about. Nothing is ever lost by it.
 */
export class Pacer {
  readonly #clock: Clock
  readonly #settleMs: number
  readonly #paces = new Map<string, Pace>()

  /** @param settleMs how long a burst of changes is waited out at least */
  constructor(clock: Clock, settleMs: number) {
    this.#clock = clock
    this.#settleMs = settleMs
  }

  /** Milliseconds until the key should be looked at. */
  delayMs(key: string): number {
    const pace = this.#paces.get(key)
    if (!pace) return this.#settleMs
    const restMs = Math.min(MAX_REST_MS, pace.tookMs * REST_FACTOR)
    return Math.max(this.#settleMs, pace.endedAt + restMs - this.#clock.now())
  }

  /** Takes the time of one look. */
  async timed<T>(key: string, look: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now()
    try {
      return await look()
    } finally {
      const endedAt = this.#clock.now()
      this.#paces.set(key, { endedAt, tookMs: endedAt - startedAt })
    }
  }

  /** A key that is gone need not be remembered. */
  forget(key: string): void {
    this.#paces.delete(key)
  }
}
