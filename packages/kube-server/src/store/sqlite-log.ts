import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { nextTurn } from '@godwit/ports'
import type { DurableLog, Recovered, RecoveredState } from './durable-log.ts'
import { StoreOpenError } from './errors.ts'
import { describeHolder, removeHolder, writeHolder } from './folder-holder.ts'
import { prepareSchema } from './sqlite-schema.ts'
import type { StoreEvent } from './types.ts'

export interface SqliteLogOptions {
  /** Made when missing, readable by this user only: Secrets lie in it. One server at a time. */
  readonly folder: string
  /** RFC 3339 time of opening, shown to whoever finds the folder taken. */
  readonly openedAt: string
  /** How long opening may wait, and hold up the event loop, for a server that is just leaving. */
  readonly lockWaitMs: number
  /** Bound on the database file in bytes; writes beyond it fail as on a full disk. Absent: none. */
  readonly maxFileBytes?: number
}

/** The name of the database inside the folder of a store. */
export const databaseFile = 'store.sqlite'

const SQLITE_BUSY = 5
const SQLITE_NOTADB = 26
const PAGE_BYTES = 4096

/**
 * Current states in one table of a SQLite database in WAL mode with synchronous=FULL: a commit is one fsync. The
 * exclusive locking mode keeps every other process out until this one closes or dies.
 */
export class SqliteLog implements DurableLog {
  readonly #folder: string
  readonly #db: DatabaseSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #count: StatementSync

  constructor(options: SqliteLogOptions) {
    this.#folder = options.folder
    this.#db = openDatabase(options)
    this.#put =
      this.#db.prepare(`insert into objects (collection, namespace, name, version, json) values (?, ?, ?, ?, ?)
      on conflict (collection, namespace, name) do update set version = excluded.version, json = excluded.json`)
    this.#remove = this.#db.prepare('delete from objects where collection = ? and namespace = ? and name = ?')
    this.#count = this.#db.prepare('update counter set last_version = ?')
  }

  recover(): Recovered {
    const version = Number(this.#db.prepare('select last_version from counter').get()?.['last_version'])
    const rows = this.#db.prepare(
      'select collection, namespace, name, version, json from objects order by collection, namespace, name',
    )
    return { version, states: statesOf(rows.iterate()) }
  }

  /** The rest of this turn of the event loop: all requests that have just arrived share the commit. */
  gather(): Promise<void> {
    return nextTurn()
  }

  async append(events: readonly StoreEvent[]): Promise<void> {
    const last = events.at(-1)
    if (!last) return
    try {
      this.#db.exec('begin immediate')
      for (const event of events) this.#write(event)
      this.#count.run(last.version)
      this.#db.exec('commit')
    } catch (error) {
      // After a full disk SQLite may have rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw error
    }
  }

  close(): void {
    removeHolder(this.#folder)
    this.#db.close()
  }

  #write({ type, version, stored }: StoreEvent): void {
    const { collection, namespace, name } = stored.key
    if (type === 'DELETED') this.#remove.run(collection, namespace, name)
    else this.#put.run(collection, namespace, name, version, stored.json)
  }
}

function* statesOf(rows: Iterable<Record<string, SQLOutputValue>>): Generator<RecoveredState> {
  for (const row of rows) {
    const key = {
      collection: String(row['collection']),
      namespace: String(row['namespace']),
      name: String(row['name']),
    }
    yield { key: Object.freeze(key), version: Number(row['version']), json: String(row['json']) }
  }
}

function openDatabase(options: SqliteLogOptions): DatabaseSync {
  const { folder, lockWaitMs } = options
  let db: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    db = new DatabaseSync(join(folder, databaseFile))
    // First the patience, then the locks: switching to WAL needs one already.
    db.exec(`pragma busy_timeout = ${lockWaitMs}`)
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full')
    prepareSchema(db, join(folder, databaseFile))
    if (options.maxFileBytes !== undefined) {
      db.exec(`pragma max_page_count = ${Math.floor(options.maxFileBytes / PAGE_BYTES)}`)
    }
    writeHolder(folder, options.openedAt)
    return db
  } catch (error) {
    db?.close()
    throw explain(error, folder)
  }
}

function explain(error: unknown, folder: string): StoreOpenError {
  if (error instanceof StoreOpenError) return error
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
  if (code === SQLITE_BUSY) {
    const text = `${folder} is in use by ${describeHolder(folder)}; stop that server, or give this one another folder`
    return new StoreOpenError('InUse', text, error)
  }
  if (code === SQLITE_NOTADB) {
    const text = `${join(folder, databaseFile)} is not a database; give this server its own folder`
    return new StoreOpenError('Foreign', text, error)
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new StoreOpenError('Unreadable', `cannot open the store in ${folder}: ${reason}`, error)
}
