import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { VirtualClock } from '@godwit/ports'
import { type TestedDatabase, testedDatabases } from '../../../scripts/testing/databases.ts'
import { migrateSchema } from './schema.ts'
import {
  finishWork,
  type Lease,
  nextDueMs,
  renewWork,
  takeWork,
  wakeWork,
  workReadySchema,
  workSchema,
} from './work.ts'

async function setUp(t: TestContext, { make }: TestedDatabase) {
  const clock = new VirtualClock()
  const step = { byMs: 0 }
  const now = () => clock.now() + step.byMs
  const database = (await make(t))({ now, after: (delayMs, run) => clock.after(delayMs, run) })
  await migrateSchema(database, [workSchema, workReadySchema])
  return {
    clock,
    /** What `nowMs` tells is set back or forward. */
    stepClock: (byMs: number) => {
      step.byMs += byMs
    },
    /** As a worker does: takes what it can, and learns how long to wait for the next. */
    takeAndWaitMs: (holder: string) =>
      database.transaction(async sql => {
        const leases = await takeWork(sql, { queue: 'q', holder, leaseMs: 1000, limit: 10 })
        return [keys(leases), ((await nextDueMs(sql, 'q')) ?? Number.NaN) - now()]
      }),
    wake: (key: string, afterMs?: number) => database.transaction(sql => wakeWork(sql, 'q', key, afterMs)),
    take: (holder: string, limit = 10) =>
      database.transaction(sql => takeWork(sql, { queue: 'q', holder, leaseMs: 1000, limit })),
    renew: (lease: Lease) => database.transaction(sql => renewWork(sql, lease, 1000)),
    finish: (lease: Lease, againAfterMs?: number) => database.transaction(sql => finishWork(sql, lease, againAfterMs)),
  }
}

const HOUR_MS = 3_600_000
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

  test(`${tested.name}: a clock that is set back by an hour makes a rest begin anew, and not an hour longer`, async t => {
    const { wake, take, finish, clock, stepClock, takeAndWaitMs } = await setUp(t, tested)
    await wake('a')
    await finish(only(await take('one')), 5000)
    await wake('b', 8000)
    clock.advance(1000)
    stepClock(-HOUR_MS)
    assert.deepEqual(await takeAndWaitMs('one'), [[], 5000])
    clock.advance(4999)
    assert.deepEqual(await takeAndWaitMs('one'), [[], 1])
    clock.advance(1)
    assert.deepEqual(await takeAndWaitMs('one'), [['a'], 1000])
    clock.advance(3000)
    assert.deepEqual(keys(await take('two')), ['a', 'b'])
  })

  test(`${tested.name}: what was due when the clock was set back is taken at once`, async t => {
    const { wake, take, stepClock } = await setUp(t, tested)
    await wake('a')
    stepClock(-HOUR_MS)
    assert.deepEqual(keys(await take('one')), ['a'])
  })

  test(`${tested.name}: a wake after the clock was set back counts from then`, async t => {
    const { wake, take, finish, clock, stepClock, takeAndWaitMs } = await setUp(t, tested)
    await wake('a')
    await finish(only(await take('one')), 5000)
    stepClock(-HOUR_MS)
    await wake('a', 2000)
    assert.deepEqual(await takeAndWaitMs('one'), [[], 2000])
    clock.advance(2000)
    assert.deepEqual(keys(await take('one')), ['a'])
  })

  test(`${tested.name}: the lease of a dead holder ends one length after the clock was seen to be set back`, async t => {
    const { wake, take, renew, clock, stepClock, takeAndWaitMs } = await setUp(t, tested)
    await wake('a')
    const dead = only(await take('dead'))
    clock.advance(900)
    await renew(dead)
    stepClock(-HOUR_MS)
    assert.deepEqual(await takeAndWaitMs('two'), [[], 1000])
    clock.advance(999)
    assert.deepEqual(await takeAndWaitMs('two'), [[], 1])
    clock.advance(1)
    assert.deepEqual(keys(await take('two')), ['a'])
    await assert.rejects(renew(dead), Retryable)
  })

  test(`${tested.name}: a holder that renews keeps its key however often the clock is set back or forward a little`, async t => {
    const { wake, take, renew, finish, clock, stepClock } = await setUp(t, tested)
    await wake('a')
    const lease = only(await take('one'))
    for (const byMs of [-1, -HOUR_MS, 500, -300, -HOUR_MS]) {
      clock.advance(100)
      stepClock(byMs)
      assert.deepEqual(await take('two'), [], `${byMs}`)
      clock.advance(300)
      assert.deepEqual(await take('two'), [], `${byMs}`)
      await renew(lease)
    }
    await finish(lease)
  })

  test(`${tested.name}: a clock that was an hour ahead for a while leaves nothing behind`, async t => {
    const { wake, take, finish, clock, stepClock } = await setUp(t, tested)
    stepClock(HOUR_MS)
    await wake('a', 500)
    await wake('b')
    await finish(only(await take('one')), 700)
    await wake('c')
    await take('dead')
    stepClock(-HOUR_MS)
    assert.deepEqual(await take('one'), [])
    clock.advance(1000)
    assert.deepEqual(keys(await take('one')), ['a', 'b', 'c'])
  })
}
