/**
 * Brings what was committed onto the disk, beside the event loop: commits that come while the disk is busy share the
 * next write. Fails for good: what a disk has once refused may be lost, whatever it says later.
 */
export class Durability {
  readonly #sync: () => Promise<void>
  /** Told when the write that runs has ended. */
  #current: PromiseWithResolvers<void> | undefined
  /** Told when the one after it has. */
  #next: PromiseWithResolvers<void> | undefined
  #failure: { readonly error: unknown } | undefined

  /** @param sync resolves when all that was written before its call is on the disk */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** @throws what the disk answered, once it has refused */
  assertSound(): void {
    if (this.#failure) throw this.#failure.error
  }

  /** Resolves when all that was written before this call is on the disk: the write that runs may have begun before. */
  reach(): Promise<void> {
    this.#next ??= Promise.withResolvers()
    const { promise } = this.#next
    if (!this.#current) void this.#writeAll()
    return promise
  }

  /** What is under way; undefined: all is on the disk. */
  pending(): Promise<void> | undefined {
    return (this.#next ?? this.#current)?.promise
  }

  /** Never two at a time: nobody may find nothing under way while one of them is. */
  async #writeAll(): Promise<void> {
    for (let waiting = this.#next; waiting; waiting = this.#next) {
      this.#current = waiting
      this.#next = undefined
      try {
        this.assertSound()
        await this.#sync()
        waiting.resolve()
      } catch (error) {
        this.#failure ??= { error }
        waiting.reject(error)
      }
    }
    this.#current = undefined
  }
}
