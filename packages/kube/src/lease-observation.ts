import type { Cancel, Clock } from '@godwit/ports'
import { epochOf, isReleased, type Lease } from './leader-lease.ts'

/**
 * Judges whether a lease is free by how long this process has seen its record unchanged. It measures with a timer,
 * which a wall clock that is set does not shorten.
 */
export class LeaseObservation {
  readonly #clock: Clock
  /** For a record that does not say how long it is good for. */
  readonly #defaultMs: number
  #record: string | undefined
  #lastHeldMs = 0
  #isExpired = true
  #highestEpoch = 0
  #cancel: Cancel = () => undefined

  constructor(clock: Clock, defaultMs: number) {
    this.#clock = clock
    this.#defaultMs = defaultMs
  }

  /** Of all that was seen, also of leases that were deleted since. */
  get highestEpoch(): number {
    return this.#highestEpoch
  }

  /** @returns whether the lease, as it was read just now, may be taken */
  look(lease: Lease | undefined): boolean {
    this.#highestEpoch = Math.max(this.#highestEpoch, epochOf(lease))
    const record = lease ? JSON.stringify(lease.spec ?? {}) : ''
    if (record !== this.#record) this.#begin(record, this.#patienceFor(lease))
    return this.#isExpired
  }

  /** Drops the timer. */
  forget(): void {
    this.#cancel()
    this.#record = undefined
    this.#lastHeldMs = 0
  }

  #patienceFor(lease: Lease | undefined): number {
    // Deleted under its holder, who does not know yet: it has as long as it was promised.
    if (!lease) return this.#lastHeldMs
    const promisedMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000
    this.#lastHeldMs = isReleased(lease) ? 0 : promisedMs > 0 ? promisedMs : this.#defaultMs
    return this.#lastHeldMs
  }

  #begin(record: string, patienceMs: number): void {
    this.#cancel()
    this.#record = record
    this.#isExpired = patienceMs === 0
    if (this.#isExpired) return
    this.#cancel = this.#clock.after(patienceMs, () => {
      this.#isExpired = true
    })
  }
}
