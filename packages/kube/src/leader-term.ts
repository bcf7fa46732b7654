import type { Cancel, Clock } from '@godwit/ports'

/** What a leader is given. */
export interface Term {
  /** The lease's transitions: grows with each change of holder, also after a release. Writes of lower ones are refused. */
  readonly epoch: number
  /**
   * Aborts when leadership is lost or given up. Reading `aborted` consults the clock, so that a process which was
   * stopped for longer than its term learns of it before its own timers have had their turn.
   */
  readonly signal: AbortSignal
}

/** One term of one leader. Good until its deadline, unless it is extended in time. */
export class LeaderTerm implements Term {
  readonly epoch: number
  readonly signal: AbortSignal
  readonly #clock: Clock
  readonly #acting = new AbortController()
  readonly #holding = new AbortController()
  #deadlineAt: number
  #cancel: Cancel = () => undefined
  #reason = ''

  /** @param deadlineAt on `clock` */
  constructor(clock: Clock, epoch: number, deadlineAt: number) {
    this.#clock = clock
    this.epoch = epoch
    this.#deadlineAt = deadlineAt
    this.signal = clockedSignal(this.#acting, () => this.#checkDeadline())
    this.extend(deadlineAt)
  }

  /** Aborts when the lease is not ours any more; `signal` aborts then too, but also when we are about to give it up. */
  get lost(): AbortSignal {
    this.#checkDeadline()
    return this.#holding.signal
  }

  /** Why it ended; empty while it lasts. */
  get reason(): string {
    return this.#reason
  }

  extend(deadlineAt: number): void {
    if (this.lost.aborted) return
    this.#deadlineAt = deadlineAt
    this.#cancel()
    this.#cancel = this.#clock.after(deadlineAt - this.#clock.now(), () => this.lose('not renewed in time'))
  }

  /** The leader may not act any more; the lease is still ours. */
  end(reason: string): void {
    this.#reason ||= reason
    this.#acting.abort(new Error(`leadership ended: ${this.#reason}`))
  }

  lose(reason: string): void {
    this.end(reason)
    this.#cancel()
    this.#holding.abort()
  }

  #checkDeadline(): void {
    if (!this.#holding.signal.aborted && this.#clock.now() >= this.#deadlineAt) this.lose('not renewed in time')
  }
}

const isAborted = (signal: AbortSignal) => Reflect.get(AbortSignal.prototype, 'aborted', signal) === true

function clockedSignal({ signal }: AbortController, check: () => void): AbortSignal {
  const aborted = () => {
    if (!isAborted(signal)) check()
    return isAborted(signal)
  }
  return Object.defineProperties(signal, {
    aborted: { get: aborted },
    throwIfAborted: {
      value: () => {
        if (aborted()) throw signal.reason
      },
    },
  })
}
