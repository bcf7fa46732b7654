import type { DurableLog } from './durable-log.ts'
import { WriteFailed } from './errors.ts'
import type { StoreEvent } from './types.ts'

/** A flush holds up the event loop; these keep it to a few milliseconds. */
const MAX_BATCH_WRITES = 256
const MAX_BATCH_BYTES = 4 * 1024 * 1024

interface Waiting {
  /** Absent for one who only waits for those before. */
  readonly event: StoreEvent | undefined
  readonly resolve: () => void
  readonly reject: (error: WriteFailed) => void
}

export interface CommitQueueParts {
  readonly log: DurableLog
  /** Called for each durable event in version order, before its writer is answered. */
  readonly publish: (event: StoreEvent) => void
  /** Called when decided writes are given up, before their writers are told. */
  readonly giveUp: () => void
}

/** Decided writes on their way to the log: many commit together, all are answered in the order they were decided. */
export class CommitQueue {
  readonly #parts: CommitQueueParts
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(parts: CommitQueueParts) {
    this.#parts = parts
  }

  /** Resolves when `event` is durable and published; rejects with WriteFailed. */
  add(event: StoreEvent): Promise<void> {
    return this.#enqueue(event)
  }

  /** Resolves when everything decided so far is durable; rejects with WriteFailed when it is given up. */
  settled(): Promise<void> {
    return this.#running ? this.#enqueue(undefined) : Promise.resolve()
  }

  /** Resolves when nothing is waiting any more, whatever became of it. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running
  }

  #enqueue(event: StoreEvent | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#parts.log.gather()
      await this.#commit(this.#takeBatch())
    }
    this.#running = undefined
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const events = batch.flatMap(({ event }) => event ?? [])
    try {
      if (events.length > 0) await this.#parts.log.append(events)
    } catch (cause) {
      this.#giveUp(batch, cause)
      return
    }
    for (const { event, resolve } of batch) {
      if (event) this.#parts.publish(event)
      resolve()
    }
  }

  /** Everything still waiting was decided on top of the failed batch, so it goes too. */
  #giveUp(batch: readonly Waiting[], cause: unknown): void {
    const lost = [...batch, ...this.#waiting.splice(0)]
    this.#parts.giveUp()
    for (const { reject } of lost) reject(new WriteFailed(cause))
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0
    let length = 0
    for (const { event } of this.#waiting) {
      bytes += event?.stored.json.length ?? 0
      if (length === MAX_BATCH_WRITES || (length > 0 && bytes > MAX_BATCH_BYTES)) break
      length++
    }
    return this.#waiting.splice(0, length)
  }
}
