import type { Cancel, Clock } from './clock.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A clock that stands still until it is told to advance. Timers fire in order of time, then of creation. */
export class VirtualClock implements Clock {
  #now: number
  #order = 0
  readonly #timers = new Set<Timer>()

  /** @param startMs first wall time in milliseconds since the epoch */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** Milliseconds until the next timer, or undefined when none is set. */
  untilNext(): number | undefined {
    const next = this.#earliest()
    return next && next.at - this.#now
  }

  /** Moves time forward, firing each timer at its own instant. Timers set while advancing fire too when due. */
  advance(byMs: number): void {
    const target = this.#now + byMs
    for (let timer = this.#earliest(); timer && timer.at <= target; timer = this.#earliest()) {
      this.#now = timer.at
      this.#timers.delete(timer)
      timer.run()
    }
    this.#now = target
  }

  #earliest(): Timer | undefined {
    let best: Timer | undefined
    for (const timer of this.#timers)
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer
    return best
  }
}
