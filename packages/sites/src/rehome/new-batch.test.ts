import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { migrateSchema, openSqlite, selectRows, takeWork, wakingDatabase } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { sitesSchema } from '../state/schema.ts'
import { memberOf } from './batch-rows.ts'
import { beginBatch, cancelBatch, type NewBatch, runningBatch } from './new-batch.ts'

const request: NewBatch = {
  operationId: 'op-1',
  group: { id: 7, name: 'g' },
  subclouds: [
    { id: 1, name: 's1' },
    { id: 2, name: 's2' },
  ],
  requestedBy: 'admin',
  sysadminPassword: 'sealed',
}

async function setUp() {
  const database = wakingDatabase(openSqlite({ path: ':memory:', clock: new VirtualClock() }))
  await migrateSchema(database, sitesSchema)
  return database
}
const taking = { queue: QUEUES.batch, holder: 'h', leaseMs: 1000, limit: 9 }

test('a batch is written with its members and becomes work in one transaction', async () => {
  const database = await setUp()
  const batch = await database.transaction(sql => beginBatch(sql, request))
  assert.deepEqual([batch.operationId, batch.groupId, batch.cursor.stage], ['op-1', 7, 'Opening'])
  const [rows, leases] = await database.transaction(async sql => [
    await selectRows(sql, 'batch_member', { batch_id: batch.id }),
    await takeWork(sql, taking),
  ])
  assert.deepEqual(
    rows.map(memberOf).map(({ name, runId, startedMs, cursor }) => [name, runId, startedMs, cursor.stage]),
    [
      ['s1', 'op-1-1', undefined, 'Claiming'],
      ['s2', 'op-1-2', undefined, 'Claiming'],
    ],
  )
  assert.deepEqual(
    leases.map(({ key }) => key),
    [String(batch.id)],
  )
})

test('the batch of a group that has not ended is found, so that a second is refused and not dropped (H3)', async () => {
  const database = await setUp()
  await database.transaction(async sql => {
    const { id, version } = await beginBatch(sql, request)
    assert.equal((await runningBatch(sql, 7))?.operationId, 'op-1')
    assert.equal(await runningBatch(sql, 8), undefined)
    await sql.run('update batch set ended_ms = 5 where id = ? and version = ?', [id, version])
    assert.equal(await runningBatch(sql, 7), undefined)
  })
})

test('a cancel is remembered once', async () => {
  const database = await setUp()
  await database.transaction(async sql => {
    const batch = await beginBatch(sql, request)
    await cancelBatch(sql, batch)
    const cancelled = await runningBatch(sql, 7)
    assert.ok(cancelled?.cancelledMs)
    await cancelBatch(sql, cancelled)
    assert.equal((await runningBatch(sql, 7))?.version, cancelled.version)
  })
})
