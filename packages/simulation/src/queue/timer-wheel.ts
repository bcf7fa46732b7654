import type { Cancel, Clock } from '@godwit/ports'
import { DeadlineHeap } from './deadline-heap.ts'

/** Timers of the machine overflow beyond 2^31 ms and then fire at once; one that is too early only arms the next. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Wakes many keys at their own deadlines with one timer of the clock: thousands of klusterlets share it. */
export class TimerWheel {
  readonly #clock: Clock
  readonly #wake: (key: string) => void
  readonly #heap = new DeadlineHeap()
  #armed: { readonly at: number; readonly cancel: Cancel } | undefined
  #isStopped = false

  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** Wakes `key` at `at` (epoch milliseconds); replaces its earlier deadline, undefined removes it. */
  set(key: string, at: number | undefined): void {
    if (this.#isStopped) return
    if (at === undefined) this.#heap.delete(key)
    else this.#heap.set(key, at)
    this.#arm()
  }

  /** Like `set`, but an earlier deadline of the key stays. */
  setIfSooner(key: string, at: number): void {
    const planned = this.#heap.get(key)
    if (planned === undefined || at < planned) this.set(key, at)
  }

  stop(): void {
    this.#isStopped = true
    this.#heap.clear()
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(): void {
    const at = this.#heap.next()
    if (this.#armed && this.#armed.at === at) return
    // A timer that fires too early only re-arms; leaving it saves churn when deadlines move back and forth.
    if (this.#armed && at !== undefined && this.#armed.at < at) return
    this.#armed?.cancel()
    this.#armed = undefined
    if (at === undefined) return
    // Whole milliseconds: a sum of fractions may fall short of the deadline by a hair, again and again.
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(at - this.#clock.now())))
    const cancel = this.#clock.after(delayMs, () => this.#fire())
    this.#armed = { at, cancel }
  }

  #fire(): void {
    this.#armed = undefined
    const now = this.#clock.now()
    for (let key = this.#heap.takeDue(now); key !== undefined; key = this.#heap.takeDue(now)) this.#wake(key)
    if (!this.#isStopped) this.#arm()
  }
}
