import type { Random } from '@godwit/ports'

export interface BackoffLimits {
  readonly baseMs: number
  readonly maxMs: number
}

/** Delays that double up to a limit; half of each is chance, so that those who failed together do not return together. */
export class Backoff {
  readonly #limits: BackoffLimits
  readonly #random: Random
  #failures = 0

  constructor(random: Random, limits: BackoffLimits) {
    this.#random = random
    this.#limits = limits
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures
  }

  /** Counts a failure; returns the milliseconds to wait after it. */
  fail(): number {
    const { baseMs, maxMs } = this.#limits
    // The exponent is bounded, or a long outage would overflow into Infinity * 0.
    const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    return (ceilingMs * (1 + this.#random.next())) / 2
  }

  succeed(): void {
    this.#failures = 0
  }
}
