import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { VirtualClock } from '@godwit/ports'
import { type TestedDatabase, testedDatabases } from '../../../scripts/testing/databases.ts'
import { migrateSchema } from './schema.ts'
import { finishWork, type Lease, renewWork, takeWork, wakeWork, workSchema } from './work.ts'

async function setUp(t: TestContext, { make }: TestedDatabase) {
  const clock = new VirtualClock()
  const database = (await make(t))(clock)
  await migrateSchema(database, [workSchema])
  return {
    clock,
    wake: (key: string, afterMs?: number) => database.transaction(sql => wakeWork(sql, 'q', key, afterMs)),
    take: (holder: string, limit = 10) =>
      database.transaction(sql => takeWork(sql, { queue: 'q', holder, leaseMs: 1000, limit })),
    renew: (lease: Lease) => database.transaction(sql => renewWork(sql, lease, 1000)),
    finish: (lease: Lease, againAfterMs?: number) => database.transaction(sql => finishWork(sql, lease, againAfterMs)),
  }
}

const keys = (leases: readonly Lease[]) => leases.map(({ key }) => key)
const only = ([lease]: readonly Lease[]): Lease => {
  assert.ok(lease)
  return lease
}

for (const tested of testedDatabases) suite(tested)

function suite(tested: TestedDatabase): void {
  test(`${tested.name}: a key is held by one worker at a time, the longest due first`, async t => {
    const { wake, take, clock } = await setUp(t, tested)
    await wake('late')
    await wake('soon', 500)
    assert.deepEqual(keys(await take('one')), ['late'])
    assert.deepEqual(keys(await take('two')), [])
    clock.advance(501)
    await wake('other')
    assert.deepEqual(keys(await take('two', 1)), ['soon'])
    assert.deepEqual(keys(await take('two')), ['other'])
  })

  test(`${tested.name}: a worker that slept through its lease is refused: another one has the key`, async t => {
    const { wake, take, finish, renew, clock } = await setUp(t, tested)
    await wake('a')
    const sleeper = only(await take('one'))
    clock.advance(1000)
    const next = only(await take('two'))
    assert.equal(next.epoch, sleeper.epoch + 1)
    await assert.rejects(renew(sleeper), Retryable)
    await assert.rejects(finish(sleeper), Retryable)
    await finish(next)
    assert.deepEqual(await take('one'), [])
  })

  test(`${tested.name}: a renewed lease is not taken over`, async t => {
    const { wake, take, renew, clock } = await setUp(t, tested)
    await wake('a')
    const lease = only(await take('one'))
    clock.advance(900)
    assert.equal((await renew(lease)).untilMs, clock.now() + 1000)
    clock.advance(900)
    assert.deepEqual(await take('two'), [])
  })

  test(`${tested.name}: a wake that comes while the key is worked on is not swallowed`, async t => {
    const { wake, take, finish } = await setUp(t, tested)
    await wake('a')
    const lease = only(await take('one'))
    await wake('a')
    assert.deepEqual(await take('two'), [])
    await finish(lease)
    assert.deepEqual(keys(await take('two')), ['a'])
  })

  test(`${tested.name}: a key that was given back is due again when asked for, and a wake brings it forward`, async t => {
    const { wake, take, finish, clock } = await setUp(t, tested)
    await wake('a')
    await finish(only(await take('one')), 5000)
    assert.deepEqual(await take('one'), [])
    await wake('a', 9000)
    clock.advance(5000)
    const again = only(await take('one'))
    await finish(again, 60_000)
    await wake('a')
    assert.deepEqual(keys(await take('one')), ['a'])
  })

  test(`${tested.name}: the epoch never falls, also after the key was done and woken anew`, async t => {
    const { wake, take, finish } = await setUp(t, tested)
    const epochs: number[] = []
    for (let round = 0; round < 3; round++) {
      await wake('a')
      const lease = only(await take('one'))
      epochs.push(lease.epoch)
      await finish(lease)
    }
    assert.deepEqual(epochs, [1, 2, 3])
  })
}
