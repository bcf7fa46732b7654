/**
 * Works through one queue: takes what is due, keeps the lease while it works, gives the key back. Durable state is in
 * the rows that `perform` writes; a worker that dies is followed by whoever takes the key when its lease is over.
 */
import { Retryable } from '@godwit/core'
import type { Cancel, Clock, Logger } from '@godwit/ports'
import type { Sql } from './database.ts'
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

/** Of a pass that is over: its key is given back with the next look for work. */
interface Ended {
  readonly lease: Lease
  readonly again: Again
  readonly givenBack: () => void
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #failures = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  readonly #ended: Ended[] = []
  readonly #stopping = new AbortController()
  #performing = 0
  #timer: Cancel | undefined
  #unsubscribe: (() => void) | undefined
  #look: Promise<void> | undefined
  #mustLook = false

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  start(): void {
    const { database, queue } = this.#options
    this.#unsubscribe = database.onWake(queue, () => this.#lookForWork())
    this.#lookForWork()
  }

  /** Takes nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unsubscribe?.()
    this.#timer?.()
    while (this.#running.size > 0 || this.#look) await Promise.all([...this.#running, this.#look])
  }

  #lookForWork(): void {
    if (this.#look) {
      this.#mustLook = true
      return
    }
    if (this.#stopping.signal.aborted && this.#ended.length === 0) return
    this.#timer?.()
    this.#look = this.#lookOnce().then(waitMs => {
      this.#look = undefined
      const mustLook = this.#mustLook || this.#ended.length > 0
      this.#mustLook = false
      if (mustLook) this.#lookForWork()
      else if (!this.#stopping.signal.aborted)
        this.#timer = this.#options.clock.after(waitMs, () => this.#lookForWork())
    })
  }

  /** Takes what is due and gives back what has ended, in one transaction. @returns how long nothing new is due here */
  async #lookOnce(): Promise<number> {
    const { database, pollMs = POLL_MS, logger, queue } = this.#options
    if (this.#free === 0 && this.#ended.length === 0) return pollMs
    let ended: readonly Ended[] = [...this.#ended]
    try {
      const { leases, lost, waitMs } = await database.transaction(async sql => {
        // Meanwhile more may have ended; and a transaction may run again.
        ended = [...this.#ended]
        return await this.#exchange(sql, ended)
      }, QUEUE_VERB)
      for (const error of lost) logger.debug({ queue, error }, 'the lease was lost')
      for (const lease of leases) this.#begin(lease)
      return Math.min(pollMs, waitMs)
    } catch (error) {
      logger.warn({ queue, error: messageOf(error) }, 'looking for work failed')
      return pollMs
    } finally {
      // Whatever could not be given back is taken again when its lease is over.
      for (const { givenBack } of this.#ended.splice(0, ended.length)) givenBack()
    }
  }

  async #exchange(sql: Sql, ended: readonly Ended[]) {
    const { queue, holder, leaseMs = LEASE_MS } = this.#options
    const limit = this.#free
    const leases = limit === 0 ? [] : await takeWork(sql, { queue, holder, leaseMs, limit })
    const lost: string[] = []
    for (const { lease, again } of ended)
      try {
        await finishWork(sql, lease, again)
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error
        lost.push(error.message)
      }
    const dueMs = await nextDueMs(sql, queue)
    const waitMs = dueMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, dueMs - (await sql.nowMs()))
    return { leases, lost, waitMs }
  }

  get #free(): number {
    return this.#stopping.signal.aborted ? 0 : Math.max(0, this.#options.concurrency - this.#performing)
  }

  #begin(lease: Lease): void {
    this.#performing++
    const run = this.#run(lease).finally(() => this.#running.delete(run))
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
    this.#performing--
    const { promise, resolve: givenBack } = Promise.withResolvers<void>()
    this.#ended.push({ lease, again, givenBack })
    this.#lookForWork()
    await promise
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

  #delayMs(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10))
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
