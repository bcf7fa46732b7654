import type { Transport, TransportRequest } from '@godwit/kube'
import { type Clock, nextTurn } from '@godwit/ports'

/** Requests begin for so long before sockets and timers get their turn. */
const BUDGET_MS = 5

/**
 * Answers of a server in this process come without a turn of the event loop: thousands of simulated clusters would
 * keep everybody who comes over a socket waiting for seconds. Transports that share a `FairTurns` let them in between.
 */
export class FairTurns {
  readonly #clock: Clock
  #endsAt = 0
  #next: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when a request may begin: now, or in a later turn. */
  async enter(): Promise<void> {
    while (this.#clock.now() >= this.#endsAt) {
      this.#next ??= this.#begin()
      await this.#next
    }
  }

  async #begin(): Promise<void> {
    await nextTurn()
    this.#endsAt = this.#clock.now() + BUDGET_MS
    this.#next = undefined
  }
}

/** Watches and requests of `transport`, each in its fair turn. */
export function fairTransport(transport: Transport, turns: FairTurns): Transport {
  return {
    async request(request: TransportRequest) {
      await turns.enter()
      return transport.request(request)
    },
    close: () => transport.close(),
  }
}
