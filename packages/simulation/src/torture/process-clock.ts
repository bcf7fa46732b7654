import type { Cancel, Clock } from '@godwit/ports'
import type { ProcessGate } from './process-gate.ts'

/** The clock of one process: time goes on while the process stands still, and its timers are late when it wakes up. */
export class ProcessClock implements Clock {
  readonly #world: Clock
  readonly #gate: ProcessGate

  constructor(world: Clock, gate: ProcessGate) {
    this.#world = world
    this.#gate = gate
  }

  now(): number {
    return this.#world.now()
  }

  after(delayMs: number, run: () => void): Cancel {
    let isCancelled = false
    const cancel = this.#world.after(delayMs, () =>
      this.#gate.enter(() => {
        // A process that stood still may cancel in the very moment in which it wakes up.
        if (!isCancelled) run()
      }),
    )
    return () => {
      isCancelled = true
      cancel()
    }
  }
}
