/**
 * Postgres, which several replicas of a service share. Every transaction is serializable, as those of the embedded
 * database are: whoever decided by rows that somebody else changed meanwhile runs again from the start.
 */
import { Retryable } from '@godwit/core'
import { type Clock, type Random, sleep } from '@godwit/ports'
import pg from 'pg'
import type { Database, Row, Sql, Value } from './database.ts'
import { numbered, withPostgresTypes } from './postgres-text.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that libpq knows (`sslmode` …). */
  readonly url: string
  /** For waits between attempts. */
  readonly clock: Clock
  readonly random: Random
  /** Connections of this process; 10 unless told. */
  readonly connections?: number
  /** Told of connections that were lost while nobody used them: the next transaction opens a new one. */
  readonly onConnectionLost?: (error: Error) => void
  /** Instead of the database's own time: only for tests, whose time stands still. */
  readonly time?: Clock
}

const CONNECTIONS = 10
const CONNECT_TIMEOUT_MS = 10_000
/** No statement of ours takes seconds; one that does is ended, so that a lock is never held for ever. */
const STATEMENT_TIMEOUT_MS = 30_000
/** Of those that want the same row one comes through each time: more than there are connections. */
const ATTEMPTS = 20
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 200

/** Somebody else was faster: run again, and see what he has done. */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])
/** The same when two insert one key or make one table at once; when it is there again the next time, it is a mistake. */
const COLLISIONS: ReadonlySet<string> = new Set(['23505', '42P07', '42710'])
/** Of a wrong password or name in the URL: waiting does not help. Anything else that keeps us out may pass. */
const MISTAKEN = /^(28|3D)/

const OIDS = { bool: 16, int8: 20, numeric: 1700 } as const

/**
 * `work` of a transaction may run several times, so that it may touch nothing but the database.
 * @throws Retryable from a transaction that lost against others again and again, or when the database is not there
 */
export function openPostgres(options: PostgresOptions): Database {
  const { url, connections = CONNECTIONS, onConnectionLost } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  })
  pool.on('error', error => onConnectionLost?.(error))
  // One that breaks while it is used says so by its queries too; unheard, its event would end the process.
  pool.on('connect', client => client.on('error', () => undefined))
  return {
    transaction: (work, { isPerStatement = false } = {}) => {
      const isolation = isPerStatement ? 'read committed' : 'serializable'
      return attempted(options, () => once(pool, options, isolation, work))
    },
    close: () => pool.end(),
  }
}

async function attempted<T>({ clock, random }: PostgresOptions, run: () => Promise<T>): Promise<T> {
  let collisions = 0
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      const code = codeOf(error)
      const isCollision = COLLISIONS.has(code)
      if (isCollision ? collisions++ > 0 : !CONFLICTS.has(code)) throw error
      if (attempt === ATTEMPTS) throw new Retryable('others changed the same rows again and again', { cause: error })
    }
    await sleep(clock, Math.ceil(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * random.next()))
  }
}

async function once<T>(
  pool: pg.Pool,
  { time }: PostgresOptions,
  isolation: 'serializable' | 'read committed',
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch(error => {
    throw MISTAKEN.test(codeOf(error)) ? error : unavailable(error)
  })
  let isBroken = false
  try {
    await client.query(`begin isolation level ${isolation}`)
    const result = await work(sqlOf(client, time))
    await client.query('commit')
    return result
  } catch (error) {
    isBroken = await client.query('rollback').then(
      () => false,
      () => true,
    )
    throw isBroken ? unavailable(error) : error
  } finally {
    // A connection that broke is not given to anybody else.
    client.release(isBroken)
  }
}

const unavailable = (cause: unknown) => new Retryable('the database cannot be reached', { cause })

function sqlOf(client: pg.PoolClient, time: Clock | undefined): Sql {
  let nowMs: Promise<number> | undefined
  const query = (text: string, values: readonly Value[] = []) =>
    client.query<Row>(numbered(withPostgresTypes(text)), [...values])
  return {
    all: async (text, values) => (await query(text, values)).rows,
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
    nowMs: () => {
      if (time) return Promise.resolve(time.now())
      nowMs ??= query('select floor(extract(epoch from clock_timestamp()) * 1000) as now').then(({ rows }) =>
        Number(rows[0]?.['now']),
      )
      return nowMs
    },
    claiming: 'for update skip locked',
  }
}

/** Numbers where the embedded database gives numbers. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === OIDS.int8 || oid === OIDS.numeric) return Number
  if (oid === OIDS.bool) return text => (text === 't' ? 1 : 0)
  return pg.types.getTypeParser(oid, format ?? 'text')
}

/** Empty for errors of our own. */
const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
