import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { VirtualClock } from '@godwit/ports'
import { type Database, finishWork, migrateSchema, selectRows, takeWork, updateRow } from '@godwit/store'
import { type TestedDatabase, testedDatabases } from '../../../../scripts/testing/databases.ts'
import { QUEUES } from '../site.ts'
import { sitesSchema } from '../state/schema.ts'
import { memberOf } from './batch-rows.ts'
import { beginBatch } from './new-batch.ts'
import { beginMembers, grantSlots, passSlot, READY_AT_ONCE, READY_WITHIN_MS, takeSlot } from './slots.ts'

const WIDTH = 3
const MEMBERS = 20

async function setUp(t: TestContext, { make }: TestedDatabase, count = MEMBERS) {
  const clock = new VirtualClock()
  const open = await make(t)
  const database = open(clock)
  await migrateSchema(database, sitesSchema)
  await database.transaction(sql =>
    beginBatch(sql, {
      operationId: 'op-1',
      group: { id: 1, name: 'g' },
      subclouds: Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `s${index + 1}` })),
      requestedBy: 'admin',
      sysadminPassword: 'pw',
    }),
  )
  const members = async () =>
    (await database.transaction(sql => selectRows(sql, 'batch_member', { batch_id: 1 }))).map(memberOf)
  return { clock, database, open: () => open(clock), members }
}

const woken = (database: Database) =>
  database.transaction(async sql => {
    const leases = await takeWork(sql, { queue: QUEUES.member, holder: 'h', leaseMs: 1, limit: 100 })
    return leases.map(({ key }) => Number(key))
  })

/** As a member does that wants to go on: once more when somebody else was faster. */
async function enter(database: Database, id: number): Promise<boolean> {
  for (;;)
    try {
      return await database.transaction(async sql => {
        const [row] = await selectRows(sql, 'batch_member', { id })
        assert.ok(row)
        const isFree = await takeSlot(sql, 1, WIDTH)
        await updateRow(sql, 'batch_member', memberOf(row), { stage: isFree ? 'Running' : 'Queueing' })
        return isFree
      })
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
    }
}

for (const tested of testedDatabases) {
  test(`${tested.name}: members are begun in order, one more for each slot than can run`, async t => {
    const { database, members } = await setUp(t, tested)
    const begun = async () => (await members()).filter(({ startedMs }) => startedMs !== undefined).map(({ id }) => id)
    await database.transaction(sql => beginMembers(sql, 1, WIDTH))
    await database.transaction(sql => beginMembers(sql, 1, WIDTH))
    assert.deepEqual(await begun(), [1, 2, 3, 4, 5, 6])
    assert.deepEqual(await woken(database), [1, 2, 3, 4, 5, 6])
    await database.transaction(sql => sql.run("update batch_member set stage = 'Adopting' where id <= 2"))
    await database.transaction(sql => sql.run("update batch_member set direction = 'Undo' where id = 3"))
    await database.transaction(sql => beginMembers(sql, 1, WIDTH))
    assert.deepEqual(await begun(), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test(`${tested.name}: a few get ready at the same time, and whoever is held up holds up nobody`, async t => {
    const { clock, database, members } = await setUp(t, tested, 2 * READY_AT_ONCE + 15)
    const begin = async () => {
      const { hasMore } = await database.transaction(sql => beginMembers(sql, 1, 100))
      return [(await members()).filter(({ startedMs }) => startedMs !== undefined).length, hasMore]
    }
    assert.deepEqual(await begin(), [READY_AT_ONCE, true])
    assert.deepEqual(await begin(), [READY_AT_ONCE, true])
    const move = 'update batch_member set stage = ? where id <= 5'
    await database.transaction(sql => sql.run(move, ['Releasing']))
    assert.deepEqual(await begin(), [READY_AT_ONCE, true])
    await database.transaction(sql => sql.run(move, ['Queueing']))
    assert.deepEqual(await begin(), [READY_AT_ONCE + 5, true])
    await database.transaction(sql => sql.run("update batch_member set stage = 'Running' where id > 5 and id <= 10"))
    assert.deepEqual(await begin(), [READY_AT_ONCE + 10, true])
    clock.advance(READY_WITHIN_MS)
    assert.deepEqual(await begin(), [2 * READY_AT_ONCE + 10, true])
    clock.advance(READY_WITHIN_MS)
    assert.deepEqual(await begin(), [2 * READY_AT_ONCE + 15, false])
    assert.deepEqual(await begin(), [2 * READY_AT_ONCE + 15, false])
  })

  test(`${tested.name}: while all slots are taken fewer get ready, the more are ready already`, async t => {
    const { database, members } = await setUp(t, tested, 100)
    await database.transaction(sql =>
      sql.run("update batch_member set stage = 'Running', started_ms = 0 where id <= 40"),
    )
    const begin = async (width: number) => {
      const { hasMore } = await database.transaction(sql => beginMembers(sql, 1, width))
      return [(await members()).filter(({ startedMs }) => startedMs !== undefined).length, hasMore]
    }
    const queue = () =>
      database.transaction(sql =>
        sql.run("update batch_member set stage = 'Queueing' where id > 40 and started_ms > 0"),
      )
    const first = 40 + READY_AT_ONCE
    assert.deepEqual(await begin(40), [first, true])
    assert.deepEqual(await begin(40), [first, true])
    await queue()
    const second = first + Math.ceil((READY_AT_ONCE * (80 - first)) / 40)
    assert.ok(second < first + READY_AT_ONCE)
    assert.deepEqual(await begin(40), [second, true])
    await queue()
    assert.deepEqual(await begin(41), [second + READY_AT_ONCE, true])
  })

  test(`${tested.name}: however many ask at the same time, no more than the slots are taken`, async t => {
    const { database, open, members } = await setUp(t, tested)
    await database.transaction(sql => sql.run('update batch_member set started_ms = 0'))
    const workers = [database, open(), open()]
    const entered = await Promise.all(
      Array.from({ length: MEMBERS }, (_, index) => enter(workers[index % workers.length] ?? database, index + 1)),
    )
    assert.equal(entered.filter(Boolean).length, WIDTH)
    const inside = (await members()).filter(({ cursor }) => cursor.stage === 'Running')
    assert.equal(inside.length, WIDTH)
  })

  test(`${tested.name}: whoever waits for a slot is woken when one is free, as many as there are free ones`, async t => {
    const { database, members } = await setUp(t, tested)
    await database.transaction(sql => beginMembers(sql, 1, MEMBERS))
    const grant = () => database.transaction(sql => grantSlots(sql, 1, WIDTH))
    for (let id = 1; id <= 7; id++) await enter(database, id)
    await database.transaction(async sql => {
      // The first one is looked at by somebody, who will see for himself.
      for (const lease of await takeWork(sql, { queue: QUEUES.member, holder: 'h', leaseMs: 10_000, limit: 100 }))
        if (lease.key !== '4') await finishWork(sql, lease, 10_000)
    })
    await grant()
    assert.deepEqual(await woken(database), [])
    await database.transaction(sql => sql.run("update batch_member set stage = 'Adopting' where id <= 2"))
    await grant()
    await grant()
    assert.deepEqual(await woken(database), [5])
    await database.transaction(sql => passSlot(sql, 1))
    assert.deepEqual(await woken(database), [6])
    assert.equal((await members()).filter(({ cursor }) => cursor.stage === 'Queueing').length, 4)
  })

  test(`${tested.name}: whoever has looked in vain, and is about to rest, is not forgotten`, async t => {
    const { database } = await setUp(t, tested, 2)
    await database.transaction(sql => beginMembers(sql, 1, 2))
    const leases = await database.transaction(sql =>
      takeWork(sql, { queue: QUEUES.member, holder: 'h', leaseMs: 10_000, limit: 2 }),
    )
    const rest = (id: number) =>
      database.transaction(async sql => {
        for (const lease of leases) if (lease.key === String(id)) await finishWork(sql, lease, 10_000)
      })
    const move = (stage: string, id: number) =>
      database.transaction(sql => sql.run('update batch_member set stage = ? where id = ?', [stage, id]))
    await move('Running', 1)
    await move('Queueing', 2)
    const grant = () => database.transaction(sql => grantSlots(sql, 1, 1))
    assert.equal(await grant(), false)
    await move('Adopting', 1)
    assert.equal(await grant(), true, 'it may rest now: the batch looks again')
    await database.transaction(sql => passSlot(sql, 1))
    await rest(2)
    assert.deepEqual(await woken(database), [2])
  })
}
