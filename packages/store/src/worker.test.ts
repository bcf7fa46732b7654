import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { silentLogger, sleep, systemClock, VirtualClock } from '@godwit/ports'
import { type TestedDatabase, testedDatabases } from '../../../scripts/testing/databases.ts'
import type { Database } from './database.ts'
import { migrateSchema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import { wakingDatabase } from './waking.ts'
import { type Lease, nextDueMs, wakeWork, workReadySchema, workSchema } from './work.ts'
import { Worker, type WorkerOptions } from './worker.ts'

const LEASE_MS = 15_000
type Perform = WorkerOptions['perform']

for (const tested of testedDatabases) suite(tested)

function suite({ name, make }: TestedDatabase): void {
  /** Each worker has a database of its own, as a process of its own would. */
  async function setUp(t: TestContext) {
    const clock = new VirtualClock()
    const open = await make(t)
    const database = wakingDatabase(open(clock))
    await migrateSchema(database, [workSchema, workReadySchema])
    let underWay = 0
    const counted = (inner: Database): Database => ({
      close: () => inner.close(),
      transaction: (work, transactionOptions) => {
        underWay++
        return inner.transaction(work, transactionOptions).finally(() => underWay--)
      },
    })
    const start = (holder: string, perform: Perform, options: Partial<WorkerOptions> = {}) => {
      const shared = { clock, logger: silentLogger, queue: 'q', concurrency: 4, leaseMs: LEASE_MS }
      const worker = new Worker({
        database: wakingDatabase(counted(open(clock))),
        ...shared,
        holder,
        perform,
        ...options,
      })
      worker.start()
      return worker
    }
    /** Time passes in small steps, and not while a database is asked: how long that takes on this machine means nothing. */
    const until = async (what: string, isSo: () => boolean | Promise<boolean>, stepMs = 0) => {
      for (let look = 0; look < 10_000; look++) {
        if (await isSo()) return
        if (underWay === 0) clock.advance(stepMs)
        await sleep(systemClock, 1)
      }
      assert.fail(`never: ${what}`)
    }
    const wake = (key: string, afterMs?: number) => database.transaction(sql => wakeWork(sql, 'q', key, afterMs))
    const isIdle = () => database.transaction(async sql => (await nextDueMs(sql, 'q')) === undefined)
    return { clock, database, start, until, wake, isIdle }
  }

  test(`${name}: work that another process made due is found by the poll, work of this one at once`, async t => {
    const { start, until, wake, clock, database } = await setUp(t)
    const done: string[] = []
    const perform = async ({ key }: Lease) => void done.push(key)
    const other = start('other', perform)
    await wake('a')
    await until('a is done', () => done.length === 1, 100)
    await other.stop()
    const own = start('own', perform, { database })
    await until('the worker has looked', () => clock.untilNext() !== undefined)
    await wake('b')
    await until('b is done', () => done.length === 2)
    await own.stop()
    assert.deepEqual(done, ['a', 'b'])
  })

  test(`${name}: two workers never have one key at the same time, and nothing is left`, async t => {
    const { start, until, wake, isIdle } = await setUp(t)
    const held = new Set<string>()
    const done = new Map<string, number>()
    const perform = async ({ key }: Lease) => {
      assert.ok(!held.has(key), `${key} is worked on already`)
      held.add(key)
      await sleep(systemClock, 1)
      held.delete(key)
      done.set(key, (done.get(key) ?? 0) + 1)
      return undefined
    }
    for (let key = 0; key < 20; key++) await wake(`${key}`)
    const workers = [start('one', perform), start('two', perform)]
    await until('each is done', () => done.size === 20, 100)
    await until('nothing is left', isIdle, 100)
    await Promise.all(workers.map(worker => worker.stop()))
    assert.deepEqual([...done.values()], Array(20).fill(1))
  })

  test(`${name}: a key is held while its work goes on, however long it takes`, async t => {
    const { start, until, wake, clock } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    const holders: string[] = []
    const perform = async ({ holder }: Lease) => {
      holders.push(holder)
      await gate.promise
      return undefined
    }
    const workers = [start('one', perform), start('two', perform)]
    await wake('a')
    await until('one has it', () => holders.length === 1, 100)
    const fromMs = clock.now()
    await until('three leases have passed', () => clock.now() > fromMs + 3 * LEASE_MS, 100)
    gate.resolve()
    await Promise.all(workers.map(worker => worker.stop()))
    assert.equal(holders.length, 1)
  })

  test(`${name}: whoever lost his lease is told to stop, and what he says no longer counts`, async t => {
    const { start, until, wake, isIdle } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    // The process of the sleeper stands still while time goes on.
    const sleeping = new VirtualClock()
    let isBegun = false
    let isTold = false
    const perform: Perform = async (_, signal) => {
      isBegun = true
      signal.addEventListener('abort', () => {
        isTold = true
      })
      await gate.promise
      return 0
    }
    const sleeper = start('sleeper', perform, { clock: sleeping })
    await until('the sleeper has looked', () => sleeping.untilNext() !== undefined)
    await wake('a')
    sleeping.advance(1000)
    await until('the sleeper has it', () => isBegun)
    const taken: string[] = []
    const next = start('next', async ({ key }) => void taken.push(key))
    await until('the other one has it', () => taken.length === 1, 1000)
    await until('it is done', isIdle)
    sleeping.advance(LEASE_MS / 2)
    await until('the sleeper is told', () => isTold)
    gate.resolve()
    await sleeper.stop()
    assert.ok(await isIdle())
    await next.stop()
    assert.deepEqual(taken, ['a'])
  })

  test(`${name}: failures are tried again later each time, up to half a minute, and forgotten after a success`, async t => {
    const { start, until, wake, clock } = await setUp(t)
    const atMs: number[] = []
    const worker = start('one', async () => {
      atMs.push(clock.now())
      if (atMs.length === 9 || atMs.length > 10) return 60_000
      throw atMs.length % 2 === 0 ? new Retryable('later') : new Error('what was that')
    })
    await wake('a')
    await until('ten attempts', () => atMs.length === 11, 250)
    await worker.stop()
    const waits = atMs.map((ms, index) => ms - (atMs[index - 1] ?? ms)).slice(1)
    const least = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 60_000, 500]
    assert.ok(
      waits.every((waitMs, index) => waitMs >= (least[index] ?? 0)),
      `${waits}`,
    )
  })

  test(`${name}: a worker that stops takes nothing more, and waits for what runs`, async t => {
    const { start, until, wake } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    const worker = start(
      'one',
      async ({ key }, signal) => {
        seen.push(key)
        await gate.promise
        seen.push(signal.aborted ? 'told' : 'not told')
        return undefined
      },
      { concurrency: 1 },
    )
    await wake('a')
    await until('it runs', () => seen.length === 1, 100)
    await wake('b')
    let isStopped = false
    const stopped = worker.stop().then(() => {
      isStopped = true
    })
    await sleep(systemClock, 5)
    assert.equal(isStopped, false)
    gate.resolve()
    await stopped
    assert.deepEqual(seen, ['a', 'told'])
  })
}

test('a database that is away for a moment does not end the work; away for a whole lease, it does', async () => {
  const clock = new VirtualClock()
  const { working, database } = await flakyDatabase(clock)
  let isTold = false
  let isBegun = false
  const gate = Promise.withResolvers<void>()
  const worker = new Worker({
    ...{ database, clock, logger: silentLogger, queue: 'q', holder: 'one', concurrency: 1, leaseMs: LEASE_MS },
    perform: async (_, signal) => {
      isBegun = true
      signal.addEventListener('abort', () => {
        isTold = true
      })
      await gate.promise
      return undefined
    },
  })
  worker.start()
  while (!isBegun) await sleep(systemClock, 1)
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      await sleep(systemClock, 1)
    }
  }
  working.isUp = false
  await pass(LEASE_MS / 2)
  working.isUp = true
  await pass(LEASE_MS)
  assert.equal(isTold, false)
  working.isUp = false
  await pass(LEASE_MS + 1000)
  assert.equal(isTold, true)
  gate.resolve()
  await worker.stop()
})

async function flakyDatabase(clock: VirtualClock) {
  const inner = openSqlite({ path: ':memory:', clock })
  await migrateSchema(inner, [workSchema, workReadySchema])
  await inner.transaction(sql => wakeWork(sql, 'q', 'a'))
  const working = { isUp: true }
  const flaky: Database = {
    transaction: work => (working.isUp ? inner.transaction(work) : Promise.reject(new Retryable('away'))),
    close: () => inner.close(),
  }
  return { working, database: wakingDatabase(flaky) }
}
