import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@godwit/ports'
import type { StoreOptions } from '../../src/store/engine.ts'
import { InvalidContinue, VersionNotReached } from '../../src/store/errors.ts'
import { type Store, VersionExpired } from '../../src/store/types.ts'
import { dataOf, keyOf, line, listPaged, put, remove } from './builders.ts'
import { opened } from './write-contract.ts'

/** What every store promises to those who list. */
export function testLists(open: (options?: Partial<StoreOptions>) => Store): void {
  test('a list orders by namespace, then name, and tells the version it shows', async () => {
    await using store = opened(open)
    for (const key of [keyOf('b', 'ns'), keyOf('c', 'a'), keyOf('a', 'ns'), keyOf('a', 'ns-2'), keyOf('x', '')]) {
      await put(store, key, '1')
    }
    await put(store, keyOf('elsewhere', 'ns', 'secrets'), '1')
    const all = store.list('configmaps', {})
    assert.deepEqual(
      all.items.map(({ key }) => `${key.namespace}/${key.name}`),
      ['/x', 'a/c', 'ns/a', 'ns/b', 'ns-2/a'],
    )
    assert.deepEqual([all.version, all.remaining, all.next], [6, 0, undefined])
    assert.deepEqual(store.list('configmaps', { namespace: 'ns', limit: 0 }).items.map(line), ['ns/a=1@3', 'ns/b=1@1'])
    assert.deepEqual(store.list('nothings', {}), { items: [], version: 6, remaining: 0 })
  })

  test('pages follow one another without gap or overlap and count what is left', async () => {
    await using store = opened(open)
    for (let index = 0; index < 7; index++) await put(store, keyOf(`n${index}`), '1')
    const first = store.list('configmaps', { limit: 3 })
    assert.equal(first.remaining, 4)
    const second = store.list('configmaps', { limit: 3, continue: first.next ?? '' })
    assert.equal(second.remaining, 1)
    const third = store.list('configmaps', { limit: 3, continue: second.next ?? '' })
    assert.deepEqual([third.remaining, third.next], [0, undefined])
    const names = [...first.items, ...second.items, ...third.items].map(({ key }) => key.name)
    assert.deepEqual(names, ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
  })

  test('a page that ends with the last item has no token', async () => {
    await using store = opened(open)
    for (const name of ['a', 'b']) await put(store, keyOf(name), '1')
    assert.equal(store.list('configmaps', { limit: 2 }).next, undefined)
  })

  test('all pages show the snapshot of the first, whatever is added, changed and removed in between', async () => {
    await using store = opened(open)
    for (const name of ['b', 'd', 'f', 'h', 'j']) await put(store, keyOf(name), 'old')
    const before = store.list('configmaps', {}).items.map(line)
    const changes = [
      async () => {
        await put(store, keyOf('a'), 'new')
        await put(store, keyOf('c'), 'new')
        await put(store, keyOf('d'), 'new')
        await put(store, keyOf('d'), 'newer')
      },
      async () => {
        await remove(store, keyOf('f'))
        await put(store, keyOf('f'), 'again')
        await remove(store, keyOf('b'))
      },
      async () => {
        await remove(store, keyOf('h'))
        await put(store, keyOf('i'), 'new')
        await remove(store, keyOf('i'))
        await put(store, keyOf('z'), 'new')
      },
      async () => remove(store, keyOf('j')),
    ]
    const paged = await listPaged(store, { limit: 1, between: async () => changes.shift()?.() })
    assert.deepEqual(paged.items.map(line), before)
    assert.deepEqual(new Set(paged.versions), new Set([5]))
    assert.deepEqual(changes, [])
    const exact = store.list('configmaps', { exactVersion: 5, limit: 2 })
    assert.deepEqual([exact.items.map(line), exact.remaining, exact.version], [before.slice(0, 2), 3, 5])
  })

  test('a token keeps within its namespace', async () => {
    await using store = opened(open)
    for (const namespace of ['a', 'b'])
      for (const name of ['x', 'y', 'z']) await put(store, keyOf(name, namespace), '1')
    const paged = await listPaged(store, { limit: 2, namespace: 'a' })
    assert.deepEqual(
      paged.items.map(({ key }) => `${key.namespace}/${key.name}`),
      ['a/x', 'a/y', 'a/z'],
    )
  })

  test('a filter fills the page with what matches, while the rest is counted without it', async () => {
    await using store = opened(open)
    for (let index = 0; index < 10; index++) await put(store, keyOf(`n${index}`), index % 2 ? 'odd' : 'even')
    const matches = (stored: Parameters<typeof dataOf>[0]) => dataOf(stored) === 'odd'
    const page = store.list('configmaps', { limit: 2, matches })
    assert.deepEqual([page.items.map(({ key }) => key.name), page.remaining], [['n1', 'n3'], 6])
    const rest = store.list('configmaps', { matches, continue: page.next ?? '' })
    assert.deepEqual([rest.items.map(({ key }) => key.name), rest.next], [['n5', 'n7', 'n9'], undefined])
  })

  test('an exact version lists the past as far as history reaches, and nothing of the future', async () => {
    await using store = opened(() => open({ historyEvents: 3 }))
    for (const value of ['1', '2', '3', '4', '5']) await put(store, keyOf('a'), value)
    const at = (exactVersion: number) => store.list('configmaps', { exactVersion }).items.map(line)
    assert.deepEqual([at(5), at(4), at(2)], [['default/a=5@5'], ['default/a=4@4'], ['default/a=2@2']])
    assert.throws(() => at(1), { name: 'VersionExpired', asked: 1, oldest: 2 })
    assert.throws(() => at(6), VersionNotReached)
  })

  test('a token whose snapshot is gone expires and offers the rest at the newest version', async () => {
    await using store = opened(() => open({ historyEvents: 3 }))
    for (const name of ['a', 'b', 'c', 'd']) await put(store, keyOf(name), '1')
    const { next = '' } = store.list('configmaps', { limit: 2 })
    for (const name of ['b', 'c', 'e', 'f']) await put(store, keyOf(name), '2')
    const expired = expiryOf(() => store.list('configmaps', { limit: 2, continue: next }))
    assert.match(expired.message, /^too old resource version: 4 \(5\)$/)
    const rest = store.list('configmaps', { limit: 2, continue: expired.inconsistentNext ?? '' })
    assert.deepEqual([rest.items.map(line), rest.version], [['default/c=2@6', 'default/d=1@4'], 8])
    await put(store, keyOf('g'), '3')
    const last = store.list('configmaps', { continue: rest.next ?? '' })
    assert.deepEqual([last.items.map(line), last.version], [['default/e=2@7', 'default/f=2@8'], 8])
  })

  test('a token of another server expires', async () => {
    await using one = opened(() => open({ random: seededRandom(1) }))
    await using two = opened(() => open({ random: seededRandom(2) }))
    for (const store of [one, two]) for (const name of ['a', 'b', 'c']) await put(store, keyOf(name), '1')
    const { next = '' } = one.list('configmaps', { limit: 1 })
    const { inconsistentNext = '' } = expiryOf(() => two.list('configmaps', { continue: next }))
    assert.deepEqual(two.list('configmaps', { continue: inconsistentNext }).items.map(line), [
      'default/b=1@2',
      'default/c=1@3',
    ])
  })

  test('a token that is malformed, forged or of another list is refused', async () => {
    await using store = opened(open)
    for (const name of ['a', 'b', 'c']) await put(store, keyOf(name), '1')
    const { next = '' } = store.list('configmaps', { limit: 1, namespace: 'default' })
    const fields: unknown[] = JSON.parse(Buffer.from(next, 'base64url').toString())
    const forged = (index: number, value: unknown) =>
      Buffer.from(JSON.stringify(fields.with(index, value))).toString('base64url')
    const inDefault = [
      '',
      '%%%',
      'bnVsbA',
      'W10',
      'WzEsMl0',
      forged(2, -2),
      forged(2, 1.5),
      forged(2, '1'),
      forged(2, 99),
    ]
    inDefault.push(forged(3, 7), forged(4, null), forged(5, null), forged(3, 'other'), `${next}x`.slice(1))
    for (const token of inDefault) {
      assert.throws(() => store.list('configmaps', { namespace: 'default', continue: token }), InvalidContinue, token)
    }
    assert.throws(() => store.list('configmaps', { continue: next }), InvalidContinue)
    assert.throws(() => store.list('configmaps', { namespace: 'other', continue: next }), InvalidContinue)
    assert.throws(() => store.list('secrets', { namespace: 'default', continue: next }), InvalidContinue)
    assert.equal(store.list('configmaps', { namespace: 'default', continue: next }).items.length, 2)
  })
}

function expiryOf(list: () => unknown): VersionExpired {
  try {
    list()
  } catch (error) {
    if (error instanceof VersionExpired) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the token has not expired' })
}
