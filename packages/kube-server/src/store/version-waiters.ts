interface Waiter {
  readonly version: number
  readonly finish: (error?: unknown) => void
}

/** Those who wait until a version is visible. */
export class VersionWaiters {
  readonly #waiters = new Set<Waiter>()

  /** Resolves on `advance` to `version` or above; rejects with the signal's reason. */
  wait(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const abort = () => waiter.finish(signal.reason)
      const waiter: Waiter = {
        version,
        finish: error => {
          this.#waiters.delete(waiter)
          signal.removeEventListener('abort', abort)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      this.#waiters.add(waiter)
      signal.addEventListener('abort', abort)
    })
  }

  advance(version: number): void {
    for (const waiter of this.#waiters) if (waiter.version <= version) waiter.finish()
  }

  fail(error: Error): void {
    for (const waiter of this.#waiters) waiter.finish(error)
  }
}
