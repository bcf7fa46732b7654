import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Logger, silentLogger } from '@godwit/ports'
import type { StoreOptions } from '../../src/store/engine.ts'
import { type Store, type StoreEvent, VersionExpired } from '../../src/store/types.ts'
import { dataOf, eventLine, keyOf, put, remove } from './builders.ts'
import { opened } from './write-contract.ts'

/** What every store promises to those who watch. */
export function testWatches(open: (options?: Partial<StoreOptions>) => Store): void {
  const a = keyOf('a')

  test('a watch replays what came after a version, at once, and then goes on live', async () => {
    await using store = opened(open)
    for (const value of ['1', '2', '3']) await put(store, a, value)
    const seen: string[] = []
    const stop = store.watch('configmaps', 1, event => seen.push(eventLine(event)))
    assert.deepEqual(seen, ['MODIFIED default/a=2@2', 'MODIFIED default/a=3@3'])
    await remove(store, a)
    stop()
    await put(store, a, '4')
    assert.deepEqual(seen.slice(2), ['DELETED default/a=3@4'])
  })

  test('a watch without a version starts with the next event', async () => {
    await using store = opened(open)
    await put(store, a, '1')
    const seen: string[] = []
    store.watch('configmaps', undefined, event => seen.push(eventLine(event)))
    assert.deepEqual(seen, [])
    await put(store, a, '2')
    assert.deepEqual(seen, ['MODIFIED default/a=2@2'])
  })

  test('a watch from the future stays silent until the store has passed it', async () => {
    await using store = opened(open)
    const seen: number[] = []
    store.watch('configmaps', 2, event => seen.push(event.version))
    for (const value of ['1', '2', '3', '4']) await put(store, a, value)
    assert.deepEqual(seen, [3, 4])
  })

  test('events carry the state before, for those who select', async () => {
    await using store = opened(open)
    await put(store, a, '1')
    await put(store, a, '2')
    await remove(store, a)
    const before: unknown[] = []
    store.watch('configmaps', 0, ({ type, previous }) => before.push([type, dataOf(previous), previous?.version]))
    assert.deepEqual(before, [
      ['ADDED', undefined, undefined],
      ['MODIFIED', '1', 1],
      ['DELETED', '2', 2],
    ])
  })

  test('history that was dropped is refused, with the oldest version that is not', async () => {
    await using store = opened(() => open({ historyEvents: 3 }))
    for (const value of ['1', '2', '3', '4', '5']) await put(store, a, value)
    await put(store, keyOf('quiet', 'default', 'secrets'), '1')
    assert.throws(() => store.watch('configmaps', 1, () => undefined), { name: 'VersionExpired', asked: 1, oldest: 2 })
    const seen: number[] = []
    store.watch('configmaps', 2, event => seen.push(event.version))
    assert.deepEqual(seen, [3, 4, 5])
    store.watch('secrets', 0, event => seen.push(event.version))
    assert.deepEqual(seen, [3, 4, 5, 6])
  })

  test('history is also bounded by its size, and always keeps the newest event', async () => {
    await using store = opened(() => open({ historyBytes: 3000 }))
    for (const value of ['1', '2', '3', '4']) await put(store, a, value.repeat(1000))
    const versionsAfter = (version: number) => {
      const seen: number[] = []
      store.watch('configmaps', version, event => seen.push(event.version))()
      return seen
    }
    assert.throws(() => versionsAfter(1), VersionExpired)
    assert.deepEqual(versionsAfter(2), [3, 4])
    await put(store, a, 'x'.repeat(5000))
    assert.throws(() => versionsAfter(3), VersionExpired)
    assert.deepEqual(versionsAfter(4), [5])
  })

  test('a watcher that throws harms nobody, is logged, and stays', async () => {
    const logged: unknown[] = []
    const logger: Logger = { ...silentLogger, error: fields => logged.push(fields['version']) }
    await using store = opened(() => open({ logger }))
    await put(store, a, '1')
    const seen: number[] = []
    store.watch('configmaps', 0, event => {
      seen.push(-event.version)
      throw new Error('broken watcher')
    })
    store.watch('configmaps', 0, event => seen.push(event.version))
    const stored = await put(store, a, '2')
    assert.equal(stored.version, 2)
    assert.deepEqual(seen, [-1, 1, -2, 2])
    assert.deepEqual(logged, [1, 2])
  })

  test('a callback may stop its own watch and the watch of another', async () => {
    await using store = opened(open)
    const seen: string[] = []
    const stopFirst = store.watch('configmaps', undefined, event => {
      seen.push(`first ${event.version}`)
      stopFirst()
      stopSecond()
    })
    const stopSecond = store.watch('configmaps', undefined, event => seen.push(`second ${event.version}`))
    store.watch('configmaps', undefined, event => seen.push(`third ${event.version}`))
    await put(store, a, '1')
    await put(store, a, '2')
    assert.deepEqual(seen, ['first 1', 'third 1', 'third 2'])
  })

  test('a callback may start watches: they get every event once', async () => {
    await using store = opened(open)
    const late: Record<string, number[]> = { live: [], replayed: [] }
    const stop = store.watch('configmaps', undefined, event => {
      if (event.version !== 2) return
      stop()
      store.watch('configmaps', undefined, ({ version }) => late['live']?.push(version))
      store.watch('configmaps', 0, ({ version }) => late['replayed']?.push(version))
    })
    await Promise.all(['1', '2', '3', '4'].map(value => put(store, a, value)))
    assert.deepEqual(late, { live: [3, 4], replayed: [1, 2, 3, 4] })
  })

  test('a callback may write; the write is decided on the newest state and published later', async () => {
    await using store = opened(open)
    const seen: string[] = []
    store.watch('configmaps', undefined, event => {
      seen.push(eventLine(event))
      if (event.version === 1) writes.push(put(store, a, `after ${dataOf(store.head(a))}`))
    })
    const writes: Promise<unknown>[] = []
    await Promise.all([put(store, a, 'one'), put(store, a, 'two')])
    await Promise.all(writes)
    assert.deepEqual(seen, ['ADDED default/a=one@1', 'MODIFIED default/a=two@2', 'MODIFIED default/a=after two@3'])
  })

  test('each event is seen at a moment when the store shows exactly that version', async () => {
    await using store = opened(open)
    const shown: [number, number, number | undefined][] = []
    const note = ({ version, stored }: StoreEvent) =>
      shown.push([version, store.version, store.get(stored.key)?.version])
    store.watch('configmaps', undefined, note)
    store.watch('secrets', undefined, note)
    const secret = keyOf('s', 'default', 'secrets')
    await Promise.all([put(store, a, '1'), put(store, secret, '2'), put(store, a, '3'), put(store, secret, '4')])
    assert.deepEqual(shown, [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
      [4, 4, 4],
    ])
  })
}
