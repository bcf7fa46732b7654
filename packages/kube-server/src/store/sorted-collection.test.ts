import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { comparePlaces, isWithin, type Place, placeId, stretchOf } from './place.ts'
import { SortedCollection } from './sorted-collection.ts'
import { StoredState } from './stored-state.ts'

const everything = stretchOf(undefined)

function state({ namespace, name }: Place, version = 1): StoredState {
  return new StoredState({ collection: 'c', namespace, name }, version, '{}')
}

function ids(states: Iterable<{ readonly key: Place }>): string[] {
  return [...states].map(({ key }) => placeId(key))
}

describe('a sorted collection', () => {
  test('behaves as a sorted map, for any mix of inserting and deleting', () => {
    const place = fc.record({
      namespace: fc.constantFrom('', 'a', 'a-b', 'b'),
      name: fc.stringMatching(/^[a-d]{0,5}$/),
    })
    const change = fc.record({ place, isDelete: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), place, place, (changes, from, to) => {
        const collection = new SortedCollection()
        const model = new Map<string, Place>()
        for (const { place: at, isDelete } of changes) {
          if (isDelete) {
            collection.delete(at)
            model.delete(placeId(at))
          } else {
            collection.set(state(at))
            model.set(placeId(at), at)
          }
        }
        const expected = [...model.values()].sort(comparePlaces)
        const stretch = { start: from, end: to }
        const within = expected.filter(at => isWithin(at, stretch))
        assert.deepEqual(ids(collection.range(everything)), expected.map(placeId))
        assert.deepEqual(ids(collection.range(stretch)), within.map(placeId))
        if (comparePlaces(from, to) <= 0) assert.equal(collection.count(stretch), within.length)
        assert.equal(collection.get(from) !== undefined, model.has(placeId(from)))
        assert.equal(collection.size, model.size)
      }),
      { numRuns: 200 },
    )
  })

  test('keeps its order over many chunks, filled upwards, downwards and at random, and emptied again', () => {
    const names = Array.from({ length: 5000 }, (_, index) => `n${String(index).padStart(4, '0')}`)
    const scattered = names.map((_, index) => names[(index * 2741) % names.length] ?? '')
    for (const order of [names, names.toReversed(), scattered]) {
      const collection = new SortedCollection()
      for (const name of order) collection.set(state({ namespace: 'x', name }))
      assert.deepEqual(
        [...collection.range(everything)].map(({ key }) => key.name),
        names,
      )
      assert.equal(
        collection.count({ start: { namespace: 'x', name: 'n1234' }, end: { namespace: 'x', name: 'n4321' } }),
        3087,
      )
      for (const name of order.slice(0, 4990)) collection.delete({ namespace: 'x', name })
      assert.deepEqual(
        [...collection.range(everything)].map(({ key }) => key.name),
        order.slice(4990).sort(),
      )
      for (const name of order) collection.delete({ namespace: 'x', name })
      assert.equal(collection.size, 0)
      collection.set(state({ namespace: 'x', name: 'again' }))
      assert.equal(collection.count(everything), 1)
    }
  })

  test('an iteration goes on where it was when the collection changes under it', () => {
    const collection = new SortedCollection()
    const name = (index: number) => ({ namespace: '', name: `n${String(index).padStart(4, '0')}` })
    for (let index = 0; index < 2000; index++) collection.set(state(name(index)))
    const seen: string[] = []
    for (const { key } of collection.range(everything)) {
      seen.push(key.name)
      if (seen.length === 1000) {
        for (let index = 0; index < 1500; index++) collection.delete(name(index))
        collection.set(state(name(9999)))
      }
    }
    assert.equal(seen.length, 1501)
    assert.deepEqual(seen, [...new Set(seen)].sort())
    assert.deepEqual([seen[1000], seen.at(-1)], ['n1500', 'n9999'])
  })

  test('setting again replaces the state', () => {
    const collection = new SortedCollection()
    collection.set(state({ namespace: 'a', name: 'b' }, 1))
    collection.set(state({ namespace: 'a', name: 'b' }, 2))
    assert.equal(collection.get({ namespace: 'a', name: 'b' })?.version, 2)
    assert.equal(collection.size, 1)
  })
})
