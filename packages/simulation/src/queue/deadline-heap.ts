/** Keys with one deadline each, earliest first. Setting a key again moves it; stale entries are skipped when met. */
export class DeadlineHeap {
  readonly #deadlines = new Map<string, number>()
  #entries: { readonly at: number; readonly order: number; readonly key: string }[] = []
  #order = 0

  get size(): number {
    return this.#deadlines.size
  }

  /** The deadline of a key in epoch milliseconds. */
  get(key: string): number | undefined {
    return this.#deadlines.get(key)
  }

  set(key: string, at: number): void {
    if (this.#deadlines.get(key) === at) return
    this.#deadlines.set(key, at)
    this.#push({ at, order: this.#order++, key })
    // Moving keys often must not let stale entries pile up.
    if (this.#entries.length > 64 && this.#entries.length > 4 * this.#deadlines.size) this.#rebuild()
  }

  delete(key: string): void {
    this.#deadlines.delete(key)
  }

  clear(): void {
    this.#deadlines.clear()
    this.#entries = []
  }

  /** The earliest deadline. */
  next(): number | undefined {
    this.#dropStale()
    return this.#entries[0]?.at
  }

  /** Takes the earliest key that is due at `now`. */
  takeDue(now: number): string | undefined {
    this.#dropStale()
    const first = this.#entries[0]
    if (!first || first.at > now) return undefined
    this.#pop()
    this.#deadlines.delete(first.key)
    return first.key
  }

  #dropStale(): void {
    for (let first = this.#entries[0]; first && this.#deadlines.get(first.key) !== first.at; first = this.#entries[0])
      this.#pop()
  }

  #rebuild(): void {
    const live = [...this.#deadlines].map(([key, at]) => ({ at, order: this.#order++, key }))
    this.#entries = []
    for (const entry of live) this.#push(entry)
  }

  #isBefore(left: number, right: number): boolean {
    const a = this.#entries[left]
    const b = this.#entries[right]
    if (!a || !b) return false
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  #swap(left: number, right: number): void {
    const a = this.#entries[left]
    const b = this.#entries[right]
    if (!a || !b) return
    this.#entries[left] = b
    this.#entries[right] = a
  }

  #push(entry: { at: number; order: number; key: string }): void {
    let at = this.#entries.push(entry) - 1
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent)
      at = parent
    }
  }

  #pop(): void {
    const last = this.#entries.pop()
    if (!last || this.#entries.length === 0) return
    this.#entries[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = this.#isBefore(left + 1, left) ? left + 1 : left
      if (!this.#isBefore(child, at)) return
      this.#swap(at, child)
      at = child
    }
  }
}
