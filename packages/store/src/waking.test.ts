import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { migrateSchema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import { wakingDatabase } from './waking.ts'
import { wakeWork, workReadySchema, workSchema } from './work.ts'

async function setUp() {
  const database = wakingDatabase(openSqlite({ path: ':memory:', clock: new VirtualClock() }))
  await migrateSchema(database, [workSchema, workReadySchema])
  const heard: string[] = []
  const ends = ['a', 'b'].map(queue => database.onWake(queue, () => heard.push(queue)))
  return { database, heard, ends }
}

test('whoever listens to a queue is told of work once, after the commit', async () => {
  const { database, heard } = await setUp()
  await database.transaction(async sql => {
    await wakeWork(sql, 'a', '1')
    await wakeWork(sql, 'a', '2')
    assert.deepEqual(heard, [])
  })
  assert.deepEqual(heard, ['a'])
})

test('nobody is told of what was taken back', async () => {
  const { database, heard } = await setUp()
  const failing = database.transaction(async sql => {
    await wakeWork(sql, 'b', '1')
    throw new Error('no')
  })
  await assert.rejects(failing)
  assert.deepEqual(heard, [])
})

test('whoever has ended listening is not told', async () => {
  const { database, heard, ends } = await setUp()
  ends[0]?.()
  await database.transaction(sql => wakeWork(sql, 'a', '1'))
  assert.deepEqual(heard, [])
})
