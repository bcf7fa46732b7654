/**
 * Transactions that wait for their turn are committed together: one write to the disk for all of them. Each has a
 * savepoint of its own, so that one that fails takes nothing of the others back; none is told of success before the commit.
 */
import type { DatabaseSync } from 'node:sqlite'
import { Retryable } from '@godwit/core'

interface Job {
  /** @returns tells the caller */
  run(): Promise<() => void>
  fail(error: unknown): void
}

/** Whoever waits longer than others need for so many waits for the next commit. */
const MAX_JOBS = 64

export class CommitGroup {
  readonly #connection: DatabaseSync
  readonly #begin: () => Promise<void>
  readonly #gather: () => Promise<void>
  #waiting: Job[] = []

  /** @param gather lets whoever is about to come, come: a write to the disk takes longer */
  constructor(connection: DatabaseSync, begin: () => Promise<void>, gather: () => Promise<void>) {
    this.#connection = connection
    this.#begin = begin
    this.#gather = gather
  }

  /** Resolves when a later `commit` has made it durable; rejects with the error of `work`. */
  add<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        run: async () => {
          const result = await work()
          return () => resolve(result)
        },
        fail: reject,
      })
    })
  }

  /** Those that wait now. Never rejects: each is told for itself. */
  async commit(): Promise<void> {
    // As long as others come: each of them is a write to the disk less.
    for (let before = 0; this.#waiting.length > before && this.#waiting.length < MAX_JOBS; ) {
      before = this.#waiting.length
      await this.#gather()
    }
    const jobs = this.#waiting.splice(0, MAX_JOBS)
    if (jobs.length === 0) return
    const done: { readonly job: Job; readonly tell: () => void }[] = []
    try {
      await this.#begin()
      for (const job of jobs) {
        const tell = await this.#attempt(job)
        if (tell) done.push({ job, tell })
      }
      this.#connection.exec('commit')
      for (const { tell } of done) tell()
    } catch (error) {
      // First of all: a connection that was closed cannot be asked anything.
      for (const job of jobs) job.fail(error)
      if (this.#connection.isOpen && this.#connection.isTransaction) this.#connection.exec('rollback')
    }
  }

  async #attempt(job: Job): Promise<(() => void) | undefined> {
    this.#connection.exec('savepoint job')
    try {
      const tell = await job.run()
      this.#connection.exec('release job')
      return tell
    } catch (error) {
      job.fail(error)
      // Some errors, as of a full disk, take back the whole transaction: then nobody has written anything.
      if (!this.#connection.isTransaction)
        throw new Retryable('another transaction took this one back', { cause: error })
      this.#connection.exec('rollback to job; release job')
      return undefined
    }
  }
}
