import { comparePlaces, type Place, placeAfter, type Stretch } from './place.ts'
import type { Stored } from './types.ts'

/** Large enough that 100,000 objects need few chunks, small enough that inserting moves little memory. */
const MAX_CHUNK_LENGTH = 512

interface Position {
  readonly chunk: number
  readonly index: number
}

/** The states of one collection in order of their places: sorted chunks, searched by halving. */
export class SortedCollection {
  readonly #chunks: Stored[][] = []
  #size = 0
  /** Grows when entries move, so that a running iteration knows it must find its place again. */
  #moves = 0

  get size(): number {
    return this.#size
  }

  get(place: Place): Stored | undefined {
    const { chunk, index } = this.#locate(place)
    const found = this.#chunks[chunk]?.[index]
    return found && comparePlaces(found.key, place) === 0 ? found : undefined
  }

  /** Inserts, or replaces the state at the same place. */
  set(stored: Stored): void {
    const { chunk: at, index } = this.#locate(stored.key)
    const chunk = this.#chunks[at] ?? this.#lastChunk()
    const place = this.#chunks[at] ? index : chunk.length
    const found = chunk[place]
    if (found && comparePlaces(found.key, stored.key) === 0) {
      chunk[place] = stored
      return
    }
    chunk.splice(place, 0, stored)
    this.#size++
    this.#moves++
    if (chunk.length > MAX_CHUNK_LENGTH) this.#split(chunk)
  }

  delete(place: Place): void {
    const { chunk: at, index } = this.#locate(place)
    const chunk = this.#chunks[at]
    const found = chunk?.[index]
    if (!chunk || !found || comparePlaces(found.key, place) !== 0) return
    chunk.splice(index, 1)
    this.#size--
    this.#moves++
    const next = this.#chunks[at + 1]
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    else if (next && chunk.length + next.length <= MAX_CHUNK_LENGTH / 2) {
      chunk.push(...next)
      this.#chunks.splice(at + 1, 1)
    }
  }

  /** How many states stand in `stretch`. */
  count(stretch: Stretch): number {
    const end = stretch.end === undefined ? this.#size : this.#rank(stretch.end)
    return end - this.#rank(stretch.start)
  }

  /** The states in `stretch` in order; changes made meanwhile behind the current one are seen. */
  *range(stretch: Stretch): Generator<Stored, void, undefined> {
    let { chunk, index } = this.#locate(stretch.start)
    let moves = this.#moves
    for (;;) {
      const stored = this.#chunks[chunk]?.[index]
      if (!stored || (stretch.end && comparePlaces(stored.key, stretch.end) >= 0)) return
      yield stored
      if (moves === this.#moves) index++
      else {
        moves = this.#moves
        ;({ chunk, index } = this.#locate(placeAfter(stored.key)))
      }
      if (index >= (this.#chunks[chunk]?.length ?? 0)) {
        chunk++
        index = 0
      }
    }
  }

  /** Position of the first state at or above `place`; one past the last chunk when there is none. */
  #locate(place: Place): Position {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const last = this.#chunks[middle]?.at(-1)
      if (last && comparePlaces(last.key, place) < 0) low = middle + 1
      else high = middle
    }
    return { chunk: low, index: lowerBound(this.#chunks[low] ?? [], place) }
  }

  #rank(place: Place): number {
    const { chunk, index } = this.#locate(place)
    let before = index
    for (let at = 0; at < chunk; at++) before += this.#chunks[at]?.length ?? 0
    return before
  }

  #lastChunk(): Stored[] {
    const last = this.#chunks.at(-1)
    if (last) return last
    const first: Stored[] = []
    this.#chunks.push(first)
    return first
  }

  #split(chunk: Stored[]): void {
    // Appending in order is the common case (loading, generated names): leave the full half behind, do not halve it.
    const at = this.#chunks.indexOf(chunk)
    const keep = at === this.#chunks.length - 1 ? MAX_CHUNK_LENGTH : chunk.length >>> 1
    this.#chunks.splice(at + 1, 0, chunk.splice(keep))
  }
}

function lowerBound(chunk: readonly Stored[], place: Place): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const stored = chunk[middle]
    if (stored && comparePlaces(stored.key, place) < 0) low = middle + 1
    else high = middle
  }
  return low
}
