import type { StoreEvent } from './types.ts'

export interface RingLimits {
  /** Events kept; older ones are dropped. At least 1. */
  readonly events: number
  /** Total length of the kept events' JSON, so that a history of large objects cannot fill the memory. */
  readonly bytes: number
}

/** The newest events of one collection, in version order. */
export class EventRing {
  readonly #limits: RingLimits
  readonly #slots: (StoreEvent | undefined)[] = []
  #first = 0
  #count = 0
  #bytes = 0
  #floor: number

  /** @param floor version after which every event of this collection is going to be pushed */
  constructor(limits: RingLimits, floor: number) {
    this.#limits = limits
    this.#floor = floor
  }

  /** Oldest version that `after` can answer. */
  get floor(): number {
    return this.#floor
  }

  push(event: StoreEvent): void {
    if (this.#count === this.#limits.events) this.#dropOldest()
    this.#slots[(this.#first + this.#count) % this.#limits.events] = event
    this.#count++
    this.#bytes += event.stored.json.length
    while (this.#bytes > this.#limits.bytes && this.#count > 1) this.#dropOldest()
  }

  /** The kept events with a version above `version`, oldest first. The caller compares `version` with `floor`. */
  *after(version: number): Generator<StoreEvent, void, undefined> {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#at(middle)?.version ?? 0) <= version) low = middle + 1
      else high = middle
    }
    for (let index = low; index < this.#count; index++) {
      const event = this.#at(index)
      if (event) yield event
    }
  }

  #at(index: number): StoreEvent | undefined {
    return this.#slots[(this.#first + index) % this.#limits.events]
  }

  #dropOldest(): void {
    const oldest = this.#at(0)
    if (!oldest) return
    this.#slots[this.#first] = undefined
    this.#first = (this.#first + 1) % this.#limits.events
    this.#count--
    this.#bytes -= oldest.stored.json.length
    this.#floor = oldest.version
  }
}
