import type { Clock } from '@godwit/ports'

interface Pace {
  readonly endedAt: number
  readonly restMs: number
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
    // A clock that was set back must not make a rest longer than it was.
    const leftMs = Math.min(pace.restMs, pace.endedAt + pace.restMs - this.#clock.now())
    return Math.max(this.#settleMs, leftMs)
  }

  /**
   * Takes the time of one look. A look that changed much may ask for a longer rest by `rest`, so that what follows
   * from it comes together.
   */
  async timed<T>(key: string, look: (rest: (ms: number) => void) => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now()
    let askedMs = 0
    try {
      return await look(ms => {
        askedMs = ms
      })
    } finally {
      const endedAt = this.#clock.now()
      const restMs = Math.min(MAX_REST_MS, Math.max(askedMs, (endedAt - startedAt) * REST_FACTOR))
      this.#paces.set(key, { endedAt, restMs })
    }
  }

  /** A key that is gone need not be remembered. */
  forget(key: string): void {
    this.#paces.delete(key)
  }
}
