import { rfc3339 } from '@godwit/ports'
import { StoreEngine, type StoreOptions } from './engine.ts'
import { SqliteLog } from './sqlite-log.ts'
import type { Store } from './types.ts'

/** A server that is being replaced closes within this time; opening holds up the event loop for as long. */
const LOCK_WAIT_MS = 1000

export interface SqliteStoreOptions extends StoreOptions {
  /** Made when missing; belongs to one server at a time. */
  readonly folder: string
  /** Patience, in milliseconds, with another server that has the folder open; default 1000. */
  readonly lockWaitMs?: number
  /** Bound on the database file in bytes; writes beyond it fail as on a full disk. Default: none. */
  readonly maxFileBytes?: number
}

/**
 * A store whose answered writes survive a crash of the process or the machine. Throws StoreOpenError when the folder is
 * in use, was written by a newer version, or cannot be read.
 */
export function sqliteStore(options: SqliteStoreOptions): Store {
  const { folder, clock, lockWaitMs = LOCK_WAIT_MS, maxFileBytes } = options
  const log = new SqliteLog({
    folder,
    openedAt: rfc3339(clock.now()),
    lockWaitMs,
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
  })
  try {
    return new StoreEngine(log, options)
  } catch (error) {
    log.close()
    throw error
  }
}
