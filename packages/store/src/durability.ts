/**
 * Brings what was committed onto the disk, beside the event loop: commits that come while the disk is busy share the
 * next write. Fails for good: what a disk has once refused may be lost, whatever it says later.
 */
export class Durability {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  /** @param sync resolves when all that was written before its call is on the disk */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** @throws what the disk answered, once it has refused */
  assertSound(): void {
    if (this.#failure) throw this.#failure.error
  }

  /** Resolves when all that was written before this call is on the disk. */
  reach(): Promise<void> {
    if (!this.#running) return this.#start()
    // The one that runs may have begun before the last write.
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  /** What is under way; undefined: all is on the disk. */
  pending(): Promise<void> | undefined {
    return this.#next ?? this.#running
  }

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#run()
    this.#running = running
    return running
  }

  async #run(): Promise<void> {
    try {
      this.assertSound()
      await this.#sync()
    } catch (error) {
      this.#failure ??= { error }
      throw error
    } finally {
      this.#running = undefined
    }
  }
}
