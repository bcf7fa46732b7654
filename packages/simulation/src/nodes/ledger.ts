/** What guests told their clients, and what of it survived: the books that no simulated party can write to. */
import type { LocalSnapshot, Note } from './seat.ts'

/** Everything known of one VM name. */
export interface VmBook {
  readonly vmName: string
  /** It ran at least once since it was last given up. */
  readonly hasRun: boolean
  /** Its newest state burned with its node while it ran: whatever is there now may take its place. */
  readonly isLost: boolean
  /** The newest state that must not be lost: the last save, or what a guest had when it was stopped without one. */
  readonly newest: number
  /** The newest save, if there was one. */
  readonly saved: LocalSnapshot | undefined
  /** How often it was restored from a save. */
  readonly restores: number
  readonly boots: number
}

export interface Damage {
  readonly vmName: string
  readonly atMs: number
  readonly invariant: 'I2' | 'I3'
  readonly what: string
}

const EMPTY = { hasRun: false, isLost: false, newest: 0, saved: undefined, restores: 0, boots: 0 }

export class GuestLedger {
  readonly #books = new Map<string, VmBook>()
  readonly #damages: Damage[] = []
  #windowWrites = 0

  /** Losses so far, in order. */
  get damages(): readonly Damage[] {
    return this.#damages
  }

  /** Writes that guests acknowledged between a save and their removal: an agent that saves atomically has none. */
  get windowWrites(): number {
    return this.#windowWrites
  }

  book(vmName: string): VmBook {
    return this.#books.get(vmName) ?? { vmName, ...EMPTY }
  }

  books(): Iterable<VmBook> {
    return this.#books.values()
  }

  /** The user gave the VM up: what comes after under its name is another life. */
  discard(vmName: string): void {
    this.#books.delete(vmName)
  }

  /** @param isGivenUp whether the user asked for the end of this VM */
  record(vmName: string, node: string, note: Note, atMs: number, isGivenUp: boolean): void {
    const book = this.book(vmName)
    switch (note.type) {
      case 'started':
        this.#started(book, node, note, atMs)
        return
      case 'saved': {
        const isNewer = note.snapshot.counter >= book.newest
        if (isNewer && note.tag === 'hibernate')
          this.#put({ ...book, saved: note.snapshot, newest: note.snapshot.counter })
        return
      }
      case 'stopped':
        this.#stopped(book, node, note, atMs, isGivenUp)
        return
    }
  }

  #started(book: VmBook, node: string, { guest, how }: Extract<Note, { type: 'started' }>, atMs: number): void {
    const { vmName } = book
    if (book.isLost) {
      // Nobody can do better than what is left.
    } else if (how === 'fresh' && book.hasRun)
      this.#damage(vmName, atMs, 'I3', `booted fresh on ${node} although it had counted to ${book.newest}`)
    else if (how === 'restored' && !book.hasRun)
      this.#damage(vmName, atMs, 'I3', `restored on ${node} at ${guest.base} from the state of another life`)
    else if (guest.base < book.newest)
      this.#damage(vmName, atMs, 'I2', `restored on ${node} at ${guest.base}, behind ${book.newest}`)
    const restores = book.restores + (how === 'restored' ? 1 : 0)
    const boots = book.boots + (how === 'fresh' ? 1 : 0)
    this.#put({ ...book, hasRun: true, isLost: false, newest: guest.base, restores, boots })
  }

  #stopped(
    book: VmBook,
    node: string,
    { counter, why, isFrozen }: Extract<Note, { type: 'stopped' }>,
    atMs: number,
    isGivenUp: boolean,
  ): void {
    if (isGivenUp) {
      this.discard(book.vmName)
      return
    }
    if (why === 'hibernated') {
      this.#windowWrites += Math.max(0, counter - book.newest)
      return
    }
    if (why === 'destroyed') {
      const isSaved = isFrozen === true && book.saved?.counter === counter
      if (!isSaved) this.#put({ ...book, isLost: true, newest: 0, saved: undefined })
      return
    }
    if (why === 'deleted' || why === 'orphaned')
      this.#damage(book.vmName, atMs, 'I2', `${why} on ${node} while it ran, at ${counter}, saved at ${book.newest}`)
    // What nobody saved cannot be asked for any more; a crash is nobody's fault.
  }

  #damage(vmName: string, atMs: number, invariant: Damage['invariant'], what: string): void {
    this.#damages.push({ vmName, atMs, invariant, what })
  }

  #put(book: VmBook): void {
    this.#books.set(book.vmName, book)
  }
}
