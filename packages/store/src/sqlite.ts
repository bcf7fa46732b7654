/** The embedded database: one file, one connection, every commit on the disk before it is acknowledged. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Retryable } from '@godwit/core'
import { type Clock, nextTurn, sleep } from '@godwit/ports'
import { CommitGroup } from './commit-group.ts'
import type { Database, Row, Sql, Value } from './database.ts'
import { Turns } from './turns.ts'

export interface SqliteOptions {
  /** Of the file, made when it is missing; `:memory:` for one that ends with the process. */
  readonly path: string
  /** For waits, and what `nowMs` tells. */
  readonly clock: Clock
  /** What `nowMs` tells instead: only for tests, whose time stands still. */
  readonly time?: Clock
  /** How long a transaction waits for one of another process; 10 seconds unless told. */
  readonly lockTimeoutMs?: number
}

const OPEN_TIMEOUT_MS = 5_000
const LOCK_RETRY_MS = 5
/** `SQLITE_BUSY`, and in the upper bits what exactly was busy. */
const BUSY = 5

/** Several processes may open one file. @throws Error when the file cannot be opened, or is no database */
export function openSqlite({ path, clock, time = clock, lockTimeoutMs = 10_000 }: SqliteOptions): Database {
  // The time-out is set before the journal mode: two processes that open at once would see a locked file otherwise.
  const connection = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS, enableForeignKeyConstraints: true })
  connection.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000')
  // From here on nothing blocks the event loop: another transaction of this very process may hold the lock.
  connection.exec('pragma busy_timeout = 0')
  const turns = new Turns()
  const sql = sqlOf(connection, time)
  // In memory nothing is written to a disk.
  const gather = path === ':memory:' ? async () => undefined : nextTurn
  const group = new CommitGroup(connection, () => begin(connection, clock, lockTimeoutMs), gather)
  return {
    transaction: work => {
      const result = group.add(() => work(sql))
      // Whoever comes while others wait for their turn goes with them.
      void turns.take(() => group.commit())
      return result
    },
    close: () => turns.take(async () => connection.close()),
  }
}

/** At once for writing: a reader that turns into a writer half-way could not be given the lock. */
async function begin(connection: DatabaseSync, clock: Clock, lockTimeoutMs: number): Promise<void> {
  const untilMs = clock.now() + lockTimeoutMs
  for (;;) {
    try {
      return connection.exec('begin immediate')
    } catch (error) {
      if (!isBusy(error)) throw error
      if (clock.now() >= untilMs) throw new Retryable('the database stayed locked by another process', { cause: error })
    }
    await sleep(clock, LOCK_RETRY_MS)
  }
}

const isBusy = (error: unknown) =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === BUSY

/** Far more than there are statements in a program. */
const MAX_STATEMENTS = 1_000

function sqlOf(connection: DatabaseSync, clock: Clock): Sql {
  const statements = new Map<string, StatementSync>()
  const prepared = (text: string): StatementSync => {
    const known = statements.get(text)
    if (known) return known
    if (statements.size >= MAX_STATEMENTS) statements.clear()
    const statement = connection.prepare(text)
    statements.set(text, statement)
    return statement
  }
  return {
    all: async (text, values = []) => prepared(text).all(...values) as unknown as readonly Row[],
    run: async (text, values: readonly Value[] = []) => Number(prepared(text).run(...values).changes),
    nowMs: async () => clock.now(),
    claiming: '',
  }
}
