import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable } from '@godwit/core'
import { systemClock, systemRandom } from '@godwit/ports'
import { hasPostgres, newPostgresSchema } from '../../../scripts/testing/databases.ts'
import { openPostgres } from './postgres.ts'
import { migrateSchema } from './schema.ts'
import { takeWork, wakeWork, workReadySchema, workSchema } from './work.ts'

const ports = { clock: systemClock, random: systemRandom }
const open = async () => openPostgres({ ...ports, url: await newPostgresSchema() })

test('a Postgres that is not there is an error that may be tried again, a wrong one is not', async t => {
  const absent = openPostgres({ ...ports, url: 'postgres://nobody@127.0.0.1:1/none' })
  await assert.rejects(
    absent.transaction(async () => undefined),
    Retryable,
  )
  await absent.close()
  if (!hasPostgres) return
  const url = (await newPostgresSchema()).replace('/postgres?', '/unknown?')
  const wrong = openPostgres({ ...ports, url })
  t.after(() => wrong.close())
  await assert.rejects(
    wrong.transaction(async () => undefined),
    { code: '3D000' },
  )
})

if (hasPostgres) {
  test('numbers, counts and truths read as they do from the embedded database', async t => {
    const database = await open()
    t.after(() => database.close())
    const rows = await database.transaction(async sql => {
      await sql.run('create table thing (id integer primary key autoincrement, n integer not null, at_ms bigint)')
      await sql.run('insert into thing (n, at_ms) values (?, ?), (?, ?)', [1, 9_007_199_254_740_991, 2, null])
      return sql.all(
        'select id, n, at_ms, n > 1 as is_more, (select count(*) from thing) as n_all from thing order by id',
      )
    })
    assert.deepEqual(rows, [
      { id: 1, n: 1, at_ms: 9_007_199_254_740_991, is_more: 0, n_all: 2 },
      { id: 2, n: 2, at_ms: null, is_more: 1, n_all: 2 },
    ])
  })

  test('of two that decide by what the other one changes, the later one decides anew', async t => {
    const database = await open()
    t.after(() => database.close())
    await database.transaction(sql => sql.run('create table on_call (name text primary key, is_on integer)'))
    await database.transaction(sql => sql.run("insert into on_call values ('a', 1), ('b', 1)"))
    let runs = 0
    const both = Promise.withResolvers<void>()
    // Each may leave while the other one stays.
    const leave = (name: string) =>
      database.transaction(async sql => {
        const [row] = await sql.all('select count(*) as n from on_call where is_on = 1')
        if (++runs === 2) both.resolve()
        await both.promise
        if (row?.['n'] === 2) await sql.run('update on_call set is_on = 0 where name = ?', [name])
      })
    await Promise.all([leave('a'), leave('b')])
    assert.equal(runs, 3)
    const left = await database.transaction(sql => sql.all('select name from on_call where is_on = 1'))
    assert.equal(left.length, 1)
  })

  test('a verb of the work queue is not run again for what others changed meanwhile', async t => {
    const database = await open()
    t.after(() => database.close())
    await database.transaction(async sql => {
      await sql.run('create table job (id integer primary key, holder text)')
      await sql.run('insert into job values (1, null), (2, null)')
    })
    let runs = 0
    const seen = await database.transaction(
      async sql => {
        runs++
        await sql.all('select * from job')
        await database.transaction(other => other.run("update job set holder = 'other' where id = 1"))
        await sql.run("update job set holder = 'me' where id = 2")
        return sql.all('select holder from job order by id')
      },
      { isPerStatement: true },
    )
    assert.equal(runs, 1)
    assert.deepEqual(seen, [{ holder: 'other' }, { holder: 'me' }])
  })

  test('time is that of the database, and stands still within a transaction', async t => {
    const database = await open()
    t.after(() => database.close())
    await database.transaction(async sql => {
      const nowMs = await sql.nowMs()
      await sql.all('select pg_sleep(0.01)')
      assert.equal(await sql.nowMs(), nowMs)
      assert.ok(Math.abs(nowMs - systemClock.now()) < 60_000)
    })
  })

  test('a connection that was lost in the middle is an error that may be tried again, and the next one is new', async t => {
    const database = await open()
    t.after(() => database.close())
    const dying = database.transaction(sql => sql.all('select pg_terminate_backend(pg_backend_pid())'))
    await assert.rejects(dying, Retryable)
    assert.deepEqual(await database.transaction(sql => sql.all('select 1 as one')), [{ one: 1 }])
  })

  test('eight that look for work at once take each key once', async t => {
    const url = await newPostgresSchema()
    const databases = Array.from({ length: 4 }, () => openPostgres({ ...ports, url, connections: 2 }))
    t.after(() => Promise.all(databases.map(database => database.close())))
    const [first] = databases
    assert.ok(first)
    await migrateSchema(first, [workSchema, workReadySchema])
    await first.transaction(async sql => {
      for (let key = 0; key < 40; key++) await wakeWork(sql, 'q', `${key}`)
    })
    const taken = await Promise.all(
      [...databases, ...databases].map(async (database, index) => {
        const keys: string[] = []
        for (;;) {
          const taking = { queue: 'q', holder: `${index}`, leaseMs: 60_000, limit: 3 }
          const leases = await database.transaction(sql => takeWork(sql, taking))
          if (leases.length === 0) return keys
          keys.push(...leases.map(({ key }) => key))
        }
      }),
    )
    assert.deepEqual(
      taken.flat().sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 40 }, (_, key) => `${key}`),
    )
  })
}
