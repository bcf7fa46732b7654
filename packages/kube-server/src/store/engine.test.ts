import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Random, seededRandom, VirtualClock } from '@godwit/ports'
import { configMap, dataOf, eventLine, keyOf, line, put, remove } from '../../test/store-contract/builders.ts'
import { testRandomHistories } from '../../test/store-contract/random-histories.ts'
import { type DurableLog, noLog } from './durable-log.ts'
import { StoreEngine, type StoreOptions } from './engine.ts'
import { WriteFailed } from './errors.ts'
import { StoredState } from './stored-state.ts'
import type { StoreEvent } from './types.ts'

/** A log whose commits are started, and let through or failed, by the test. */
class HeldLog implements DurableLog {
  readonly batches: (readonly StoreEvent[])[] = []
  readonly #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  recover = noLog().recover
  gather = noLog().gather
  close = noLog().close

  append(events: readonly StoreEvent[]): Promise<void> {
    this.batches.push(events)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#settle.push({ resolve, reject })
    return promise
  }

  /** Resolves when the store has handed over the batch with this number, counted from 0. */
  async handed(batch: number): Promise<readonly StoreEvent[]> {
    for (let turns = 0; turns < 100; turns++) {
      const events = this.batches[batch]
      if (events) return events
      await Promise.resolve()
    }
    throw new Error(`batch ${batch} was never handed over`)
  }

  pass(batch: number): void {
    this.#settle[batch]?.resolve()
  }

  fail(batch: number): void {
    this.#settle[batch]?.reject(new Error('no space left'))
  }
}

/** Fails a third of all commits. */
function failingLog(random: Random): DurableLog {
  const append = () => (random.next() < 0.33 ? Promise.reject(new Error('no space left')) : Promise.resolve())
  return { ...noLog(), append }
}

function engineOn(log: DurableLog, options?: Partial<StoreOptions>): StoreEngine {
  return new StoreEngine(log, { clock: new VirtualClock(), ...options })
}

describe('the store engine', () => {
  const a = keyOf('a')

  test('nothing is visible, published or answered while its commit runs', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const happened: string[] = []
    store.watch('configmaps', undefined, event => happened.push(eventLine(event)))
    const writing = put(store, a, '1').then(() => happened.push('answered'))
    await log.handed(0)
    assert.deepEqual([happened, store.version, store.get(a)], [[], 0, undefined])
    assert.equal(dataOf(store.head(a)), '1')
    log.pass(0)
    await writing
    assert.deepEqual(happened, ['ADDED default/a=1@1', 'answered'])
  })

  test('writes decided while a commit runs go together into the next one', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const writes = [put(store, a, '1')]
    await log.handed(0)
    for (const name of ['b', 'c', 'd']) writes.push(put(store, keyOf(name), '2'))
    log.pass(0)
    assert.deepEqual((await log.handed(1)).map(eventLine), [
      'ADDED default/b=2@2',
      'ADDED default/c=2@3',
      'ADDED default/d=2@4',
    ])
    log.pass(1)
    await Promise.all(writes)
  })

  test('a batch is bounded in writes', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const writes = Array.from({ length: 600 }, (_, index) => put(store, keyOf(`n${index}`), '1'))
    for (const batch of [0, 1, 2]) {
      await log.handed(batch)
      log.pass(batch)
    }
    await Promise.all(writes)
    assert.deepEqual(
      log.batches.map(({ length }) => length),
      [256, 256, 88],
    )
  })

  test('a batch is bounded in bytes, but takes at least one write', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const sizes = [5e6, 1e6, 1e6, 1e6, 1e6, 1e6]
    const writes = sizes.map((size, index) => put(store, keyOf(`n${index}`), 'x'.repeat(size)))
    for (const batch of [0, 1, 2]) {
      await log.handed(batch)
      log.pass(batch)
    }
    await Promise.all(writes)
    assert.deepEqual(
      log.batches.map(({ length }) => length),
      [1, 4, 1],
    )
  })

  test('a failed commit takes everything decided on top of it along, and the store goes on from what is durable', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const published: string[] = []
    store.watch('configmaps', undefined, event => published.push(eventLine(event)))
    const first = put(store, a, '1')
    await log.handed(0)
    log.pass(0)
    await first
    const lost = [put(store, a, '2')]
    await log.handed(1)
    lost.push(
      put(store, a, '3'),
      store.mutate(a, current => ({ unchanged: current })).then(stored => stored ?? assert.fail()),
      store.mutate(a, () => {
        throw new Error('refused for what will never have been')
      }) as Promise<never>,
      remove(store, keyOf('b')) as Promise<never>,
    )
    const outcomes = Promise.allSettled(lost)
    log.fail(1)
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof WriteFailed, String(outcome.status))
      assert.match(outcome.reason.message, /no space left\); make room on the disk/)
    }
    assert.deepEqual([dataOf(store.get(a)), dataOf(store.head(a)), store.version], ['1', '1', 1])
    const next = put(store, a, '4')
    await log.handed(2)
    log.pass(2)
    assert.equal(line(await next), 'default/a=4@4')
    assert.deepEqual(published, ['ADDED default/a=1@1', 'MODIFIED default/a=4@4'])
  })

  test('a version that was lost with its commit is reached by the next one', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const lost = put(store, a, '1')
    const reached = store.reached(1, new AbortController().signal).then(() => store.version)
    await log.handed(0)
    log.fail(0)
    await assert.rejects(lost, WriteFailed)
    const next = put(store, a, '2')
    await log.handed(1)
    log.pass(1)
    await next
    assert.equal(await reached, 2)
  })

  test('closing waits for a commit that runs, also for one that fails', async () => {
    const log = new HeldLog()
    const store = engineOn(log)
    const writing = put(store, a, '1')
    await log.handed(0)
    const closing = store.close()
    log.fail(0)
    await assert.rejects(writing, WriteFailed)
    await closing
  })

  test('recovered states are not parsed before somebody asks', async () => {
    const json = JSON.stringify(configMap(a, 'recovered'))
    const broken = { key: keyOf('b'), version: 2, json: 'not JSON' }
    const states = [{ key: a, version: 1, json }, broken]
    const store = engineOn({ ...noLog(), recover: () => ({ version: 7, states }) })
    assert.equal(store.version, 7)
    assert.equal(dataOf(store.get(a)), 'recovered')
    assert.equal(store.get(a)?.object, store.get(a)?.object, 'and parsed once')
    assert.throws(() => store.get(broken.key)?.object, SyntaxError)
    assert.equal((await put(store, a, 'next')).version, 8)
  })

  test('a superseded state gives up its object and reads it back from its JSON', async () => {
    const store = engineOn(noLog())
    const first = await put(store, a, '1')
    assert.ok(first instanceof StoredState)
    const object = first.object
    assert.equal(first.object, object)
    await put(store, a, '2')
    assert.notEqual(first.object, object)
    assert.deepEqual(first.object, object)
  })

  test('a server that restarts with the same seed has another identity, because time has passed', async () => {
    const [one, two] = [0, 1].map(startMs =>
      engineOn(noLog(), { clock: new VirtualClock(startMs), random: seededRandom(1) }),
    )
    assert.ok(one && two)
    for (const store of [one, two]) for (const name of ['a', 'b']) await put(store, keyOf(name), '1')
    const { next = '' } = one.list('configmaps', { limit: 1 })
    assert.throws(() => two.list('configmaps', { continue: next }), { name: 'VersionExpired' })
  })

  test('a history of no events is refused', () => {
    assert.throws(() => engineOn(noLog(), { historyEvents: 0 }), RangeError)
  })

  describe('on a disk that fails now and then', () => {
    let seed = 0
    testRandomHistories(options => engineOn(failingLog(seededRandom(seed++)), options), { runs: 200 })
  })
})
