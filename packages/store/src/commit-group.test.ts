import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable } from '@godwit/core'
import { systemClock } from '@godwit/ports'
import type { Database } from './database.ts'
import { openSqlite } from './sqlite.ts'

async function setUp() {
  const database = openSqlite({ path: ':memory:', clock: systemClock })
  await database.transaction(sql => sql.run('create table t (a integer primary key)'))
  return database
}
const insert = (database: Database, a: number) =>
  database.transaction(async sql => {
    await sql.run('insert into t values (?)', [a])
    return a
  })
const all = async (database: Database) =>
  (await database.transaction(sql => sql.all('select a from t order by a'))).map(({ a }) => a)

test('transactions that are asked for at once each get their own result, whatever becomes of the others', async () => {
  const database = await setUp()
  const results = await Promise.allSettled([
    insert(database, 1),
    insert(database, 1),
    database.transaction(async sql => {
      await sql.run('insert into t values (2)')
      throw new Error('changed its mind')
    }),
    insert(database, 3),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await all(database), [1, 3])
})

test('a later one of a group sees what an earlier one wrote, and hundreds come through', async () => {
  const database = await setUp()
  const counts = await Promise.all(
    Array.from({ length: 300 }, (_, index) =>
      database.transaction(async sql => {
        await sql.run('insert into t values (?)', [index])
        return (await sql.all('select count(*) as n from t'))[0]?.['n']
      }),
    ),
  )
  assert.deepEqual(
    counts,
    Array.from({ length: 300 }, (_, index) => index + 1),
  )
})

test('nobody is told of success before the commit: when that fails, all of the group are told', async () => {
  const database = await setUp()
  await database.transaction(sql =>
    sql.run('create table child (a integer references t (a) deferrable initially deferred)'),
  )
  const results = await Promise.allSettled([
    insert(database, 1),
    database.transaction(sql => sql.run('insert into child values (99)')),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await all(database), [])
})

test('an error that takes back the whole transaction is told to those whose work went with it', async () => {
  const database = await setUp()
  const results = await Promise.allSettled([
    insert(database, 1),
    database.transaction(async sql => {
      await sql.run('rollback')
      throw new Error('the disk is full')
    }),
    insert(database, 2),
  ])
  const [first, second, third] = results.map(result => (result.status === 'rejected' ? result.reason : undefined))
  assert.ok(first instanceof Retryable)
  assert.equal(String(second), 'Error: the disk is full')
  assert.ok(third instanceof Retryable)
  assert.deepEqual(await all(database), [])
})
