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
  /** Called when a key's effects ended, or its retry is due: time to look at the world again. */
  readonly onSettled: (key: string) => void
  /** Keys that are looked at together belong to one group; default: each is its own. */
  readonly groupOf?: (key: string) => string
  /** First retry delay in milliseconds, doubling up to `maxDelayMs`. Defaults 100 and 15,000. */
  readonly baseDelayMs?: number
  readonly maxDelayMs?: number
}

/**
 * Performs effects beside the passes, so that a slow or poisoned item never holds up the others. At most one run a
 * key at a time, effects of a run in order. Remembers outcomes only until they are taken: the truth is the record.
 */
export class EffectRunner<Effect, Receipt> {
  readonly #options: EffectRunnerOptions<Effect, Receipt>
  readonly #outcomes = new Map<string, Outcome<Receipt>>()
  /** Keys whose retry is not due yet. */
  readonly #putOff = new Set<string>()
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
    this.#putOff.delete(key)
  }

  /** Starts effects for a key unless they run already or their retry is not due yet. */
  start(key: string, effects: readonly Effect[]): boolean {
    const last = this.#outcomes.get(key)
    if (this.#isStopped || this.#running.has(key)) return false
    if (last?.kind === 'retry' && this.#putOff.has(key)) return false
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

  #failure(key: string, error: unknown): Outcome<Receipt> {
    if (error instanceof Terminal) return { kind: 'failed', code: error.code, message: error.message }
    const { clock, random, onSettled, baseDelayMs = 100, maxDelayMs = 15_000 } = this.#options
    const attempts = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, attempts)
    const grown = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempts - 1, 20))
    const asked = error instanceof Retryable ? (error.afterMs ?? 0) : 0
    const delayMs = Math.max(asked, grown * (1 + 0.2 * random.next()))
    // By its timer, not by the time of day: a clock may be set back by an hour.
    this.#putOff.add(key)
    clock.after(delayMs, () => {
      this.#putOff.delete(key)
      onSettled(key)
    })
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'retry', message, attempts, retryAtMs: clock.now() + delayMs }
  }
}
