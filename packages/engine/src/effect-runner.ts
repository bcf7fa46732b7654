import { Retryable, Terminal } from '@godwit/core'
import type { Clock, Random } from '@godwit/ports'

/** How the last run of a key's effects ended. */
export type Outcome<Receipt> =
  | { readonly kind: 'done'; readonly receipts: readonly Receipt[] }
  /** Will be tried again at `retryAtMs`, in the runner's clock. */
  | { readonly kind: 'retry'; readonly message: string; readonly attempts: number; readonly retryAtMs: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

export interface EffectRunnerOptions<Effect, Receipt> {
  readonly clock: Clock
  readonly random: Random
  /** How many keys may act at once; what is only awaited holds no place. */
  readonly concurrency: number
  readonly perform: (key: string, effect: Effect) => Promise<Receipt | undefined>
  /** Effects of one name do the same; default: their JSON. */
  readonly nameOf?: (effect: Effect) => string
  /** Called when a key's effects ended, or its rest is over: time to look at the world again. */
  readonly onSettled: (key: string) => void
  /** Keys that are looked at together belong to one group; default: each is its own. */
  readonly groupOf?: (key: string) => string
  /** First retry delay in milliseconds, doubling up to `maxDelayMs`. Defaults 100 and 15,000. */
  readonly baseDelayMs?: number
  readonly maxDelayMs?: number
}

/** Whoever wants again what was done just now has not seen it yet: it is done again this much later at the most. */
const MAX_REPEAT_MS = 2_000

/** Until its end certain effects of a key are not started. */
interface Rest {
  /** Names of the effects; undefined: any. */
  readonly of: string | undefined
  /** Somebody wanted to start them. */
  isWanted: boolean
}

/** What a key did last, how often in a row. */
interface Repeat {
  readonly of: string
  readonly times: number
}

/**
 * Performs effects beside the passes, so that a slow or poisoned item never holds up the others. At most one run a
 * key at a time, effects of a run in order. Remembers outcomes only until they are taken: the truth is the record.
 * What was done and is wanted again at once, because a cache does not show it yet, is repeated at growing intervals.
 */
export class EffectRunner<Effect, Receipt> {
  readonly #options: EffectRunnerOptions<Effect, Receipt>
  readonly #outcomes = new Map<string, Outcome<Receipt>>()
  readonly #rests = new Map<string, Rest>()
  readonly #repeats = new Map<string, Repeat>()
  readonly #attempts = new Map<string, number>()
  readonly #running = new Set<string>()
  readonly #groups = new Map<string, number>()
  /** Keys that wait for a place, in order; the place is handed over, so that one that ends wakes one and not all. */
  readonly #queue = new Map<string, () => void>()
  readonly #waiting: (() => void)[] = []
  #acting = 0
  #isStopped = false

  constructor(options: EffectRunnerOptions<Effect, Receipt>) {
    this.#options = options
  }

  isRunning(key: string): boolean {
    return this.#running.has(key)
  }

  /** How many keys of this group act or wait for a place. */
  running(group: string): number {
    return this.#groups.get(group) ?? 0
  }

  /** How many keys act or wait for a place. */
  get size(): number {
    return this.#running.size
  }

  /** The outcome of the last run; `done` and `failed` stay until `settle`, so that they can be persisted first. */
  outcome(key: string): Outcome<Receipt> | undefined {
    return this.#outcomes.get(key)
  }

  /**
   * The outcome is in the record now and need not be remembered. One that came in the meantime is another outcome and
   * stays; a retry keeps its place in the back-off.
   */
  settle(key: string, outcome: Outcome<Receipt>): void {
    if (outcome.kind === 'retry' || this.#outcomes.get(key) !== outcome) return
    this.#outcomes.delete(key)
    this.#attempts.delete(key)
  }

  /** What is to be done now is something else: a retry that was put off holds it up no longer. */
  forget(key: string): void {
    if (this.#running.has(key)) return
    this.#outcomes.delete(key)
    this.#attempts.delete(key)
    this.#rests.delete(key)
    this.#repeats.delete(key)
  }

  /** Starts effects for a key unless some run already, their retry is not due yet, or they were done just now. */
  start(key: string, effects: readonly Effect[]): boolean {
    if (this.#isStopped || this.#running.has(key) || this.#isResting(key, effects)) return false
    this.#rests.delete(key)
    this.#outcomes.delete(key)
    this.#running.add(key)
    this.#count(key, 1)
    if (this.#acting < this.#options.concurrency) this.#begin(key, effects)
    else this.#queue.set(key, () => this.#begin(key, effects))
    return true
  }

  /**
   * Starts nothing any more and drops what waits for a place: it has not begun, and the record says that it is to be
   * done. Resolves when what acts has ended.
   */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const key of this.#queue.keys()) this.#leave(key)
    this.#queue.clear()
    await this.idle()
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #isResting(key: string, effects: readonly Effect[]): boolean {
    const rest = this.#rests.get(key)
    if (!rest || (rest.of !== undefined && rest.of !== this.#nameOf(effects))) return false
    rest.isWanted = true
    return true
  }

  #nameOf(effects: readonly Effect[]): string {
    const { nameOf = JSON.stringify } = this.#options
    return effects.map(effect => nameOf(effect)).join()
  }

  #begin(key: string, effects: readonly Effect[]): void {
    this.#acting++
    this.#run(key, effects)
  }

  async #run(key: string, effects: readonly Effect[]): Promise<void> {
    let outcome: Outcome<Receipt>
    try {
      const receipts: Receipt[] = []
      for (const effect of effects) {
        const receipt = await this.#options.perform(key, effect)
        if (receipt !== undefined) receipts.push(receipt)
      }
      this.#attempts.delete(key)
      this.#restAfter(key, this.#nameOf(effects))
      outcome = { kind: 'done', receipts }
    } catch (error) {
      outcome = this.#failure(key, error)
    }
    this.#acting--
    this.#leave(key)
    this.#outcomes.set(key, outcome)
    this.#beginNext()
    if (this.#running.size === 0) for (const wake of this.#waiting.splice(0)) wake()
    this.#options.onSettled(key)
  }

  #leave(key: string): void {
    this.#running.delete(key)
    this.#count(key, -1)
  }

  #count(key: string, change: 1 | -1): void {
    const group = this.#options.groupOf?.(key) ?? key
    const count = this.running(group) + change
    if (count === 0) this.#groups.delete(group)
    else this.#groups.set(group, count)
  }

  #beginNext(): void {
    const [next] = this.#queue
    if (!next) return
    const [key, begin] = next
    this.#queue.delete(key)
    begin()
  }

  /** The first repetition is early: usually somebody undid it. */
  #restAfter(key: string, of: string): void {
    const last = this.#repeats.get(key)
    const repeat = { of, times: last?.of === of ? last.times + 1 : 0 }
    this.#repeats.set(key, repeat)
    const forget = () => this.#repeats.get(key) === repeat && this.#repeats.delete(key)
    this.#rest(key, of, this.#grown(repeat.times, MAX_REPEAT_MS), isWanted => {
      if (isWanted) this.#options.clock.after(MAX_REPEAT_MS, forget)
      else forget()
    })
  }

  /** By its timer, not by the time of day: a clock may be set back by an hour. */
  #rest(key: string, of: string | undefined, delayMs: number, onEnd?: (isWanted: boolean) => void): void {
    const rest = { of, isWanted: of === undefined }
    this.#rests.set(key, rest)
    this.#options.clock.after(delayMs, () => {
      const isStill = this.#rests.get(key) === rest
      if (isStill) this.#rests.delete(key)
      const isWanted = isStill && rest.isWanted
      onEnd?.(isWanted)
      if (isWanted) this.#options.onSettled(key)
    })
  }

  #grown(times: number, maxDelayMs: number): number {
    return Math.min(maxDelayMs, (this.#options.baseDelayMs ?? 100) * 2 ** Math.min(times, 20))
  }

  #failure(key: string, error: unknown): Outcome<Receipt> {
    if (error instanceof Terminal) return { kind: 'failed', code: error.code, message: error.message }
    const { clock, random, maxDelayMs = 15_000 } = this.#options
    const attempts = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, attempts)
    const asked = error instanceof Retryable ? (error.afterMs ?? 0) : 0
    const delayMs = Math.max(asked, this.#grown(attempts - 1, maxDelayMs) * (1 + 0.2 * random.next()))
    this.#rest(key, undefined, delayMs)
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'retry', message, attempts, retryAtMs: clock.now() + delayMs }
  }
}
