/** Tells runs under way that their batch was cancelled, by whichever process: the row of the batch says so. */
import type { Cancel } from '@godwit/ports'
import { QUEUES, type Site } from '../site.ts'

const LOOK_MS = 2_000
/** After a wake; every member that ends is one. */
const SOON_MS = 100

export interface WatchedRun {
  readonly cancelled: AbortSignal
  close(): void
}

export class RunWatch {
  readonly #site: Site
  readonly #runs = new Map<number, Set<AbortController>>()
  #stopTimer: Cancel | undefined
  #isSoon = false
  #stopListening: (() => void) | undefined

  constructor(site: Site) {
    this.#site = site
  }

  /** To be opened with what the row of the batch says now. */
  open(batchId: number, isCancelled: boolean): WatchedRun {
    const controller = new AbortController()
    const known = this.#runs.get(batchId) ?? new Set()
    this.#runs.set(batchId, known.add(controller))
    this.#listen()
    if (isCancelled) controller.abort()
    return {
      cancelled: controller.signal,
      close: () => {
        known.delete(controller)
        if (known.size === 0 && this.#runs.get(batchId) === known) this.#runs.delete(batchId)
        if (this.#runs.size === 0) this.#rest()
      },
    }
  }

  #listen(): void {
    if (this.#stopListening) return
    const { database } = this.#site
    this.#stopListening = database.onWake(QUEUES.batch, () => {
      if (this.#isSoon) return
      this.#isSoon = true
      this.#lookIn(SOON_MS)
    })
    this.#lookIn(LOOK_MS)
  }

  #lookIn(delayMs: number): void {
    this.#stopTimer?.()
    this.#stopTimer = this.#site.clock.after(delayMs, () => {
      this.#isSoon = false
      void this.#look()
      this.#lookIn(LOOK_MS)
    })
  }

  #rest(): void {
    this.#stopTimer?.()
    this.#isSoon = false
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  async #look(): Promise<void> {
    const { database, logger } = this.#site
    try {
      const rows = await database.transaction(sql =>
        sql.all('select id from batch where cancelled_ms is not null and ended_ms is null'),
      )
      for (const { id } of rows) for (const run of this.#runs.get(Number(id)) ?? []) run.abort()
    } catch (error) {
      logger.warn({ error: String(error) }, 'looking for cancelled batches failed')
    }
  }
}
