import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreClosed } from '../../src/store/errors.ts'
import type { Store, StoreEvent } from '../../src/store/types.ts'
import { configMap, dataOf, eventLine, keyOf, line, put, remove } from './builders.ts'

/** What every store promises to those who write. */
export function testWrites(open: () => Store): void {
  const a = keyOf('a')

  test('a put is readable once it is answered, carries its version, and its JSON is its object', async () => {
    await using store = opened(open)
    const stored = await put(store, a, '1')
    assert.equal(store.get(a), stored)
    assert.equal(stored.version, 1)
    assert.equal(stored.object.metadata.resourceVersion, '1')
    assert.deepEqual(JSON.parse(stored.json), stored.object)
    assert.equal(store.version, 1)
  })

  test('one counter serves all collections and also counts deletions', async () => {
    await using store = opened(open)
    const events: string[] = []
    const note = (event: StoreEvent) => events.push(`${event.stored.key.collection} ${event.type} ${event.version}`)
    store.watch('configmaps', undefined, note)
    store.watch('secrets', undefined, note)
    await put(store, a, '1')
    await put(store, keyOf('s', 'default', 'secrets'), '1')
    await remove(store, a)
    await put(store, a, '2')
    assert.deepEqual(events, ['configmaps ADDED 1', 'secrets ADDED 2', 'configmaps DELETED 3', 'configmaps ADDED 4'])
  })

  test('a decided write is head at once and visible only when it is durable', async () => {
    await using store = opened(open)
    const writing = put(store, a, '1')
    assert.equal(dataOf(store.head(a)), '1')
    assert.equal(store.get(a), undefined)
    assert.equal(store.version, 0)
    assert.deepEqual(store.list('configmaps', {}).items, [])
    await writing
    assert.equal(store.head(a), store.get(a))
  })

  test('writes that run together are decided one after another, each on top of the one before', async () => {
    await using store = opened(open)
    await put(store, a, '0')
    const add = () => store.mutate(a, current => ({ put: configMap(a, String(Number(dataOf(current)) + 1)) }))
    const answers = await Promise.all(Array.from({ length: 1000 }, add))
    assert.equal(dataOf(store.get(a)), '1000')
    assert.deepEqual(
      answers.map(stored => stored?.version),
      Array.from({ length: 1000 }, (_, index) => index + 2),
    )
  })

  test('a removal in flight is head too: the next decision finds nothing', async () => {
    await using store = opened(open)
    await put(store, a, '1')
    const removing = remove(store, a)
    assert.equal(store.head(a), undefined)
    assert.equal(dataOf(store.get(a)), '1')
    const added = put(store, a, '2')
    await removing
    assert.equal((await added).version, 3)
  })

  test('a removal answers nothing and its event carries the final state with a version of its own', async () => {
    await using store = opened(open)
    const events: StoreEvent[] = []
    store.watch('configmaps', undefined, event => events.push(event))
    const first = await put(store, a, '1')
    assert.equal(await store.mutate(a, () => ({ remove: configMap(a, 'final') })), undefined)
    const [, deleted] = events
    assert.equal(deleted && eventLine(deleted), 'DELETED default/a=final@2')
    assert.equal(deleted?.stored.object.metadata.resourceVersion, '2')
    assert.equal(deleted?.previous, first)
    assert.equal(store.get(a), undefined)
    assert.deepEqual([...store.collections()], [])
  })

  test('removing what is not there is an error', async () => {
    await using store = opened(open)
    await assert.rejects(
      store.mutate(a, () => ({ remove: configMap(a, '') })),
      /configmaps default\/a: it does not exist/,
    )
  })

  test('unchanged takes no version and makes no event, but waits for the state it looked at', async () => {
    await using store = opened(open)
    const order: string[] = []
    store.watch('configmaps', undefined, event => order.push(eventLine(event)))
    const writing = store.mutate(a, () => ({ put: configMap(a, '1') })).then(() => order.push('put answered'))
    const same = store
      .mutate(a, current => ({ unchanged: current }))
      .then(stored => order.push(`same ${stored?.version}`))
    const nothing = await store.mutate(keyOf('b'), current => ({ unchanged: current }))
    await Promise.all([writing, same])
    assert.deepEqual(order, ['ADDED default/a=1@1', 'put answered', 'same 1'])
    assert.equal(nothing, undefined)
    assert.equal(store.version, 1)
  })

  test('a refusal reaches the caller after the state it looked at is durable, and changes nothing', async () => {
    await using store = opened(open)
    const writing = put(store, a, '1')
    const refused = store.mutate(a, current => {
      throw new Error(`there is ${current?.version} already`)
    })
    await assert.rejects(refused, /there is 1 already/)
    assert.equal(store.version, 1)
    await writing
  })

  test('an object that JSON cannot hold is refused without a trace', async () => {
    await using store = opened(open)
    const looped = configMap(a, '1')
    looped['self'] = looped
    await assert.rejects(
      store.mutate(a, () => ({ put: looped })),
      TypeError,
    )
    assert.equal(store.head(a), undefined)
    assert.equal((await put(store, a, '2')).version, 1)
  })

  test('a decision must not write: it would decide on a state that is about to be replaced', async () => {
    await using store = opened(open)
    let inner: Promise<unknown> | undefined
    await store.mutate(a, () => {
      inner = store.mutate(a, () => ({ put: configMap(a, 'inner') }))
      inner.catch(() => undefined)
      return { put: configMap(a, 'outer') }
    })
    assert.ok(inner)
    await assert.rejects(inner, /inside a decision/)
    assert.equal(dataOf(store.get(a)), 'outer')
  })

  test('states are frozen all the way down, also when they are read back from history', async () => {
    await using store = opened(open)
    const first = await put(store, a, '1')
    await put(store, a, '2')
    for (const stored of [first, store.get(a)]) {
      assert.ok(stored)
      assert.throws(() => Object.assign(stored.object.metadata, { labels: {} }), TypeError)
      assert.throws(() => Object.assign(stored.object['data'] ?? {}, { value: '3' }), TypeError)
    }
    assert.equal(dataOf(first), '1')
    assert.equal(dataOf(store.get(a)), '2')
  })

  test('a key that the caller changes later does not move the object', async () => {
    await using store = opened(open)
    const key = { ...a }
    await put(store, key, '1')
    key.name = 'moved'
    assert.equal(store.get(a)?.key.name, 'a')
    assert.equal(store.get(key), undefined)
  })

  test('closing waits for decided writes, answers them, and refuses later ones', async () => {
    const store = open()
    const writes = Array.from({ length: 600 }, (_, index) => put(store, keyOf(`n${index}`), '1'))
    const unreachable = store.reached(10_000, new AbortController().signal)
    unreachable.catch(() => undefined)
    await Promise.all([store.close(), store.close()])
    assert.equal((await Promise.all(writes)).length, 600)
    await assert.rejects(unreachable, StoreClosed)
    await assert.rejects(put(store, a, '1'), StoreClosed)
    await assert.rejects(store.reached(10_000, new AbortController().signal), StoreClosed)
    assert.equal(store.list('configmaps', {}).items.length, 600)
  })

  test('scan goes through the newest states of a namespace or of all, in order', async () => {
    await using store = opened(open)
    for (const key of [keyOf('b', 'two'), keyOf('a', 'two'), keyOf('z', 'one'), keyOf('z', 'two-more')]) {
      await put(store, key, '1')
    }
    assert.deepEqual([...store.scan('configmaps', 'two')].map(line), ['two/a=1@2', 'two/b=1@1'])
    assert.deepEqual(
      [...store.scan('configmaps')].map(stored => stored.key.namespace),
      ['one', 'two', 'two', 'two-more'],
    )
    assert.deepEqual([...store.scan('secrets')], [])
    assert.deepEqual([...store.collections()], ['configmaps'])
  })

  test('reached waits for a version, gives up on its signal, and knows what is visible', async () => {
    await using store = opened(open)
    const signal = new AbortController().signal
    const reached = store.reached(2, signal).then(() => store.version)
    await put(store, a, '1')
    const abort = new AbortController()
    const given = store.reached(3, abort.signal)
    abort.abort(new Error('waited long enough'))
    await assert.rejects(given, /waited long enough/)
    await assert.rejects(store.reached(3, abort.signal), /waited long enough/)
    await put(store, a, '2')
    assert.equal(await reached, 2)
    await store.reached(2, abort.signal)
  })
}

/** The store with `await using`, so that a failing test still closes it. */
export function opened(open: () => Store): Store & AsyncDisposable {
  const store = open()
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}
