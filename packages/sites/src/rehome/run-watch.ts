/** Tells runs under way that their batch was cancelled, by whichever process: the row of the batch says so. */
import type { Cancel } from '@godwit/ports'
import { QUEUES, type Site } from '../site.ts'

const LOOK_MS = 2_000

export interface WatchedRun {
  readonly cancelled: AbortSignal
  close(): void
}

export class RunWatch {
  readonly #site: Site
  readonly #runs = new Map<number, Set<AbortController>>()
  #stopTimer: Cancel | undefined
  #stopListening: (() => void) | undefined

  constructor(site: Site) {
    this.#site = site
  }

  open(batchId: number): WatchedRun {
    const controller = new AbortController()
    const known = this.#runs.get(batchId) ?? new Set()
    this.#runs.set(batchId, known.add(controller))
    this.#listen()
    void this.#look()
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
    const { database, clock } = this.#site
    this.#stopListening = database.onWake(QUEUES.batch, () => void this.#look())
    const later = () => {
      this.#stopTimer = clock.after(LOOK_MS, () => {
        void this.#look()
        later()
      })
    }
    later()
  }

  #rest(): void {
    this.#stopTimer?.()
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  async #look(): Promise<void> {
    const { database, logger } = this.#site
    try {
      const rows = await database.transaction(sql =>
        sql.all('select id from batch where cancelled_ms is not null and ended_ms is null'),
      )
      for (const { id } of rows)
        for (const run of this.#runs.get(Number(id)) ?? []) run.abort('the batch was cancelled')
    } catch (error) {
      logger.warn({ error: String(error) }, 'looking for cancelled batches failed')
    }
  }
}
