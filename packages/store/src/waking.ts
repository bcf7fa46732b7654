/** Tells workers of this process that a transaction has made work due, once it is committed and not before. */
import type { Database, Sql } from './database.ts'

export interface WakingDatabase extends Database {
  /** @param listener called after the commit @returns ends it */
  onWake(queue: string, listener: () => void): () => void
}

/** Workers of other processes learn of it by their poll. */
export function wakingDatabase(inner: Database): WakingDatabase {
  const listeners = new Map<string, Set<() => void>>()
  return {
    transaction: async (work, options) => {
      const woken = new Set<string>()
      const result = await inner.transaction(sql => work(noting(sql, woken)), options)
      for (const queue of woken) for (const listener of listeners.get(queue) ?? []) listener()
      return result
    },
    close: () => inner.close(),
    onWake: (queue, listener) => {
      const known = listeners.get(queue) ?? new Set()
      listeners.set(queue, known.add(listener))
      return () => known.delete(listener)
    },
  }
}

const noting = (sql: Sql, woken: Set<string>): Sql => ({ ...sql, woke: queue => woken.add(queue) })
