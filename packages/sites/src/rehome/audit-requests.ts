/** Asks the other site to look at a group, once for all who want it at the same time: a look covers every member. */

export class AuditRequests {
  readonly #open = new Map<string, { now: Promise<void>; next: Promise<void> | undefined }>()

  /**
   * Resolves when an audit that was asked for after this call has been answered.
   * @param ask rejects when no answer came
   */
  request(key: string, ask: () => Promise<void>): Promise<void> {
    const open = this.#open.get(key)
    if (open) {
      // The one under way may have read before the caller wrote.
      open.next ??= open.now.catch(() => undefined).then(() => this.#begin(key, ask))
      return open.next
    }
    return this.#begin(key, ask)
  }

  #begin(key: string, ask: () => Promise<void>): Promise<void> {
    const entry = { now: ask(), next: undefined }
    this.#open.set(key, entry)
    const forget = () => {
      if (this.#open.get(key) === entry && entry.next === undefined) this.#open.delete(key)
    }
    entry.now.then(forget, forget)
    return entry.now
  }
}
