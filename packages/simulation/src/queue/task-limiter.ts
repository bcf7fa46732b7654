/** Runs tasks in order of arrival, at most `limit` at a time. Tasks must not reject. */
export class TaskLimiter {
  readonly #limit: number
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #running = new Set<Promise<void>>()
  #isStopped = false

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many tasks wait or run. */
  get load(): number {
    return this.#waiting.length + this.#running.size
  }

  run(task: () => Promise<void>): void {
    if (this.#isStopped) return
    this.#waiting.push(task)
    this.#serve()
  }

  /** Drops what waits; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#waiting.length = 0
    await Promise.all(this.#running)
  }

  #serve(): void {
    while (this.#running.size < this.#limit) {
      const task = this.#waiting.shift()
      if (!task) return
      const running = task().finally(() => {
        this.#running.delete(running)
        this.#serve()
      })
      this.#running.add(running)
    }
  }
}
