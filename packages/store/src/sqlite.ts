/** The embedded database: one file, one connection, every commit on the disk before it is acknowledged. */
import { open } from 'node:fs/promises'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Retryable } from '@godwit/core'
import { type Clock, nextTurn, sleep } from '@godwit/ports'
import { CommitGroup } from './commit-group.ts'
import type { Database, Sql, Value } from './database.ts'
import { Durability } from './durability.ts'
import { type RowReader, rowReader } from './row-reader.ts'
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
  /** Brings the write-ahead log at this path onto the disk instead: only for tests. */
  readonly sync?: (logPath: string) => Promise<void>
}

const OPEN_TIMEOUT_MS = 5_000
/** Pages in memory; taken as they are read. A site of 5,000 subclouds has more than SQLite keeps unless told. */
const CACHE_KIB = 32 * 1024
const LOCK_RETRY_MS = 5
/** `SQLITE_BUSY`, and in the upper bits what exactly was busy. */
const BUSY = 5

/** Several processes may open one file. @throws Error when the file cannot be opened, or is no database */
export function openSqlite(options: SqliteOptions): Database {
  const { path, clock, time = clock, lockTimeoutMs = 10_000 } = options
  // The time-out is set before the journal mode: two processes that open at once would see a locked file otherwise.
  const connection = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS, enableForeignKeyConstraints: true })
  const hasLog = connection.prepare('pragma journal_mode = wal').get()?.['journal_mode'] === 'wal'
  // As safe as `full`, whose write at each commit is made beside the event loop instead. Without a log it is SQLite's own.
  connection.exec(`pragma synchronous = ${hasLog ? 'normal' : 'full'}; pragma wal_autocheckpoint = 4000;
    pragma cache_size = -${CACHE_KIB}`)
  // From here on nothing blocks the event loop: another transaction of this very process may hold the lock.
  connection.exec('pragma busy_timeout = 0')
  const log = hasLog ? logOf(`${path}-wal`, options.sync) : undefined
  const disk = log && new Durability(log.sync)
  const foreign = foreignCommits(connection)
  let isNew = false
  const group = new CommitGroup({
    connection,
    begin: async () => {
      disk?.assertSound()
      await begin(connection, clock, lockTimeoutMs)
      isNew = foreign()
    },
    // In memory nothing is written to a disk.
    gather: path === ':memory:' ? async () => undefined : nextTurn,
    durable: () => (isNew ? disk?.reach() : disk?.pending()),
  })
  const turns = new Turns()
  const sql = sqlOf(connection, time, () => {
    isNew = true
  })
  return {
    transaction: work => {
      const result = group.add(() => work(sql))
      // Whoever comes while others wait for their turn goes with them.
      void turns.take(() => group.commit())
      return result
    },
    close: () =>
      turns.take(async () => {
        // Who waits for it is told what became of it.
        await disk?.pending()?.catch(() => undefined)
        connection.close()
        await log?.close()
      }),
  }
}

/** The log is there when the first commit is, and is the same file until the last connection closes. */
function logOf(path: string, sync?: (path: string) => Promise<void>) {
  let file: ReturnType<typeof open> | undefined
  return {
    sync: async () => {
      if (sync) return await sync(path)
      file ??= open(path, 'r')
      await (await file).datasync()
    },
    close: async () => {
      await (await file)?.close()
    },
  }
}

/** @returns inside a transaction, whether others have committed since it was asked last: theirs may not be on the disk */
function foreignCommits(connection: DatabaseSync): () => boolean {
  const versions = connection.prepare('pragma data_version')
  let seen: unknown
  return () => {
    const version = versions.get()?.['data_version']
    const isOther = version !== seen
    seen = version
    return isOther
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

const READS = /^\s*select\b/i

/** @param onWrite called before each statement that may write */
function sqlOf(connection: DatabaseSync, clock: Clock, onWrite: () => void): Sql {
  const statements = new Map<string, Prepared>()
  const remembered = (text: string) => {
    if (statements.size >= MAX_STATEMENTS) statements.clear()
    const statement = connection.prepare(text)
    const known = { statement, read: rowReader(statement), isRead: READS.test(text) }
    statements.set(text, known)
    return known
  }
  const prepared = (text: string): Prepared => {
    const known = statements.get(text) ?? remembered(text)
    if (!known.isRead) onWrite()
    return known
  }
  return {
    all: async (text, values = []) => prepared(text).read(values),
    run: async (text, values: readonly Value[] = []) => Number(prepared(text).statement.run(...values).changes),
    nowMs: async () => clock.now(),
    claiming: '',
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly read: RowReader
  readonly isRead: boolean
}
