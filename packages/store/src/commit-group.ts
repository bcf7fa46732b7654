/**
 * Transactions that wait for their turn are committed together: one write to the disk for all of them. Each has a
 * savepoint of its own, so that one that fails takes nothing of the others back; none is told of success before the commit
 * is on the disk, not even one that only read what others had committed just before.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Retryable } from '@godwit/core'

interface Job {
  /** @returns tells the caller */
  run(): Promise<() => void>
  fail(error: unknown): void
}

/** Whoever waits longer than others need for so many waits for the next commit. */
const MAX_JOBS = 64

export interface CommitPorts {
  readonly connection: DatabaseSync
  begin(): Promise<void>
  /** Lets whoever is about to come, come: a write to the disk takes longer. */
  gather(): Promise<void>
  /** Called after a commit; resolves when all that its transactions wrote or saw is on the disk. Undefined: it is. */
  durable(): Promise<void> | undefined
}

export class CommitGroup {
  readonly #ports: CommitPorts
  readonly #connection: DatabaseSync
  readonly #save: StatementSync
  readonly #release: StatementSync
  #waiting: Job[] = []

  constructor(ports: CommitPorts) {
    this.#ports = ports
    this.#connection = ports.connection
    this.#save = ports.connection.prepare('savepoint job')
    this.#release = ports.connection.prepare('release job')
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

  /** Those that wait now. Never rejects: each is told for itself, when the disk has it; the next ones may commit before. */
  async commit(): Promise<void> {
    // As long as others come: each of them is a write to the disk less.
    for (let before = 0; this.#waiting.length > before && this.#waiting.length < MAX_JOBS; ) {
      before = this.#waiting.length
      await this.#ports.gather()
    }
    const jobs = this.#waiting.splice(0, MAX_JOBS)
    if (jobs.length === 0) return
    const done: { readonly job: Job; readonly tell: () => void }[] = []
    try {
      await this.#ports.begin()
      for (const job of jobs) {
        const tell = await this.#attempt(job)
        if (tell) done.push({ job, tell })
      }
      this.#connection.exec('commit')
      const onDisk = this.#ports.durable()
      const tell = () => {
        for (const each of done) each.tell()
      }
      const fail = (error: unknown) => {
        for (const { job } of done) job.fail(error)
      }
      if (onDisk) void onDisk.then(tell, fail)
      else tell()
    } catch (error) {
      // First of all: a connection that was closed cannot be asked anything.
      for (const job of jobs) job.fail(error)
      if (this.#connection.isOpen && this.#connection.isTransaction) this.#connection.exec('rollback')
    }
  }

  async #attempt(job: Job): Promise<(() => void) | undefined> {
    this.#save.run()
    try {
      const tell = await job.run()
      this.#release.run()
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
