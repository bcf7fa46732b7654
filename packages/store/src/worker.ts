/**
 * Works through one queue: takes what is due, keeps the lease while it works, gives the key back. Durable state is in
 * the rows that `perform` writes; a worker that dies is followed by whoever takes the key when its lease is over.
 */
import { Retryable } from '@godwit/core'
import type { Cancel, Clock, Logger } from '@godwit/ports'
import type { WakingDatabase } from './waking.ts'
import { finishWork, type Lease, LeaseLost, nextDueMs, renewWork, takeWork } from './work.ts'

/** When to look at the key again, in milliseconds from now; undefined: when somebody wakes it. */
export type Again = number | undefined

export interface WorkerOptions {
  readonly database: WakingDatabase
  readonly clock: Clock
  readonly logger: Logger
  readonly queue: string
  /** Unique for each worker and each of its lives. */
  readonly holder: string
  /** How many keys at once. */
  readonly concurrency: number
  /** A key of a worker that died waits so long; default 15 seconds. */
  readonly leaseMs?: number
  /** How often to look for keys that another process made due; default 1 second. */
  readonly pollMs?: number
  /**
   * One pass over one key; runs again from the start after a crash.
   * @param signal aborted when the lease is lost or the worker stops: begin no further effect
   * @throws anything: the key is taken again, later each time
   */
  readonly perform: (lease: Lease, signal: AbortSignal) => Promise<Again>
}

const QUEUE_VERB = { isPerStatement: true } as const
const LEASE_MS = 15_000
const POLL_MS = 1000
/** So often within a lease. */
const RENEWALS = 5
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000

export class Worker {
  readonly #options: WorkerOptions
  readonly #failures = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #timer: Cancel | undefined
  #unsubscribe: (() => void) | undefined
  #isTaking = false
  #mustTake = false

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  start(): void {
    const { database, queue } = this.#options
    this.#unsubscribe = database.onWake(queue, () => void this.#take())
    void this.#take()
  }

  /** Takes nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unsubscribe?.()
    this.#timer?.()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #take(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    if (this.#isTaking) {
      this.#mustTake = true
      return
    }
    this.#isTaking = true
    this.#timer?.()
    const waitMs = await this.#takeOnce()
    this.#isTaking = false
    if (this.#stopping.signal.aborted) return
    if (this.#mustTake) {
      this.#mustTake = false
      void this.#take()
    } else this.#timer = this.#options.clock.after(waitMs, () => void this.#take())
  }

  /** @returns how long nothing new is due here */
  async #takeOnce(): Promise<number> {
    const { database, queue, holder, concurrency, leaseMs = LEASE_MS, pollMs = POLL_MS, logger } = this.#options
    const limit = concurrency - this.#running.size
    if (limit <= 0) return pollMs
    try {
      const [leases, dueMs, nowMs] = await database.transaction(
        async sql => [
          await takeWork(sql, { queue, holder, leaseMs, limit }),
          await nextDueMs(sql, queue),
          await sql.nowMs(),
        ],
        QUEUE_VERB,
      )
      for (const lease of leases) this.#begin(lease)
      return dueMs === undefined ? pollMs : Math.min(pollMs, Math.max(0, dueMs - nowMs))
    } catch (error) {
      logger.warn({ queue, error: messageOf(error) }, 'looking for work failed')
      return pollMs
    }
  }

  #begin(lease: Lease): void {
    const run = this.#run(lease).finally(() => {
      this.#running.delete(run)
      void this.#take()
    })
    this.#running.add(run)
  }

  async #run(lease: Lease): Promise<void> {
    const { logger, perform } = this.#options
    const { lost, stop } = this.#keep(lease)
    let again: Again
    try {
      again = await perform(lease, AbortSignal.any([lost, this.#stopping.signal]))
      this.#failures.delete(lease.key)
    } catch (error) {
      again = this.#delayMs(lease.key)
      const fields = { queue: lease.queue, key: lease.key, againMs: again, error: messageOf(error) }
      if (error instanceof Retryable) logger.debug(fields, 'work is tried again')
      else logger.warn(fields, 'work failed and is tried again')
    }
    stop()
    await this.#finish(lease, again)
  }

  /** Renews the lease until it is stopped. Whoever cannot reach the database for so long has lost it by his own clock. */
  #keep(lease: Lease): { readonly lost: AbortSignal; stop(): void } {
    const { database, clock, leaseMs = LEASE_MS } = this.#options
    const lost = new AbortController()
    const expireAfter = (delayMs: number) => clock.after(Math.max(0, delayMs), () => lost.abort())
    let isOver = false
    let cancelExpiry = expireAfter(leaseMs)
    let cancelRenewal: Cancel = () => undefined
    const renew = async () => {
      const startedMs = clock.now()
      try {
        await database.transaction(sql => renewWork(sql, lease, leaseMs), QUEUE_VERB)
        cancelExpiry()
        if (!isOver) cancelExpiry = expireAfter(startedMs + leaseMs - clock.now())
      } catch (error) {
        if (error instanceof LeaseLost) lost.abort()
      }
      if (!lost.signal.aborted && !isOver) later()
    }
    const later = () => {
      cancelRenewal = clock.after(leaseMs / RENEWALS, () => void renew())
    }
    later()
    return {
      lost: lost.signal,
      stop: () => {
        isOver = true
        cancelExpiry()
        cancelRenewal()
      },
    }
  }

  async #finish(lease: Lease, again: Again): Promise<void> {
    try {
      await this.#options.database.transaction(sql => finishWork(sql, lease, again), QUEUE_VERB)
    } catch (error) {
      this.#options.logger.debug({ queue: lease.queue, key: lease.key, error: messageOf(error) }, 'the lease was lost')
    }
  }

  #delayMs(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10))
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
