/** The databases that a store runs on, so that one test runs on each of them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { type Clock, systemClock, systemRandom } from '@godwit/ports'
import { type Database, openPostgres, openSqlite } from '@godwit/store'
import { findPostgres } from '../postgres.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

export interface TestedDatabase {
  readonly name: 'sqlite' | 'postgres'
  /** A new, empty one. @returns opens it, as each process of several would; all are closed at the end of the test */
  make(t: TestContext): Promise<(time: Clock) => Database>
}

const sqlite: TestedDatabase = {
  name: 'sqlite',
  make: async t => {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-store-'))
    const opened: Database[] = []
    t.after(async () => {
      await Promise.all(opened.map(database => database.close()))
      rmSync(folder, { recursive: true })
    })
    return time => kept(opened, openSqlite({ path: join(folder, 'test.db'), clock: systemClock, time }))
  },
}

let server: Promise<PostgresServer | undefined> | undefined
let count = 0
after(async () => (await server)?.stop())

const postgres: TestedDatabase = {
  name: 'postgres',
  make: async t => {
    const url = await newPostgresSchema()
    const opened: Database[] = []
    t.after(() => Promise.all(opened.map(database => database.close())))
    return time => kept(opened, openPostgres({ url, clock: systemClock, random: systemRandom, time, connections: 3 }))
  },
}

/** @returns the URL of a new, empty schema; the server is of this process, and ends with its tests */
export async function newPostgresSchema(): Promise<string> {
  server ??= startPostgres()
  const running = await server
  assert.ok(running, 'there is no Postgres: node scripts/postgres.ts brings one')
  const schema = `test_${++count}`
  const database = openPostgres({ url: running.url('public'), clock: systemClock, random: systemRandom })
  await database.transaction(sql => sql.run(`create schema ${schema}`))
  await database.close()
  return running.url(schema)
}

function kept(opened: Database[], database: Database): Database {
  opened.push(database)
  return database
}

export const hasPostgres = findPostgres() !== undefined
if (!hasPostgres && process.env['CI'] === 'true') throw new Error('no Postgres: run node scripts/postgres.ts first')
if (!hasPostgres) console.log('LEFT OUT: what runs on Postgres; make one available with node scripts/postgres.ts')

/** A new, empty database for a test that does not care: in memory, or what GODWIT_TEST_DATABASE=postgres asks for. */
export async function anyDatabase(t: TestContext, time: Clock): Promise<Database> {
  if (process.env['GODWIT_TEST_DATABASE'] === 'postgres') return (await postgres.make(t))(time)
  const database = openSqlite({ path: ':memory:', clock: time })
  t.after(() => database.close())
  return database
}

/** Those that are available here; continuous integration must have them all. */
export const testedDatabases: readonly TestedDatabase[] = hasPostgres ? [sqlite, postgres] : [sqlite]
