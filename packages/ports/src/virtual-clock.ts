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
  /** The one that fires first, while it is known. */
  #first: Timer | undefined

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
    if (this.#first && isBefore(timer, this.#first)) this.#first = timer
    return () => this.#remove(timer)
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
      this.#remove(timer)
      timer.run()
    }
    this.#now = target
  }

  #remove(timer: Timer): void {
    this.#timers.delete(timer)
    if (this.#first === timer) this.#first = undefined
  }

  #earliest(): Timer | undefined {
    if (!this.#first)
      for (const timer of this.#timers) if (!this.#first || isBefore(timer, this.#first)) this.#first = timer
    return this.#first
  }
}

const isBefore = (one: Timer, other: Timer) => one.at < other.at || (one.at === other.at && one.order < other.order)
