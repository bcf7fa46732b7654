import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CollectionCache } from './collection-cache.ts'
import type { KubeObject } from './object.ts'

const thing = (name: string, version: number, uid = 'u'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, uid: `${uid}-${name}`, resourceVersion: String(version) },
})

function cacheOf(...items: KubeObject[]) {
  const told: string[] = []
  const cache = new CollectionCache<KubeObject>(({ type, object, previous }) => {
    const { name, resourceVersion } = object.metadata
    told.push([type, name, resourceVersion, previous && `after ${previous.metadata.resourceVersion}`].join(' ').trim())
  })
  cache.merge({ items, resourceVersion: '10' })
  told.length = 0
  return { cache, told }
}

test('a list tells what was added, changed and deleted since', () => {
  const { cache, told } = cacheOf(thing('a', 5), thing('b', 6))
  cache.merge({ items: [thing('a', 12), thing('c', 11)], resourceVersion: '13' })
  assert.deepEqual(told, ['deleted b 6 after 6', 'updated a 12 after 5', 'added c 11'])
  assert.equal(cache.version, '13')
})

test('the latest version never decreases, whatever is observed', () => {
  const { cache } = cacheOf()
  cache.observe({ type: 'BOOKMARK', resourceVersion: '20' })
  cache.observe({ type: 'BOOKMARK', resourceVersion: '15' })
  assert.equal(cache.version, '20')
  cache.observe({ type: 'MODIFIED', object: thing('a', 16) })
  assert.equal(cache.version, '20')
  assert.deepEqual([cache.isBehind('19'), cache.isBehind('20'), cache.isBehind('odd')], [true, false, false])
})

test('a list does not remove or replace what it is too old to know', () => {
  const { cache, told } = cacheOf(thing('a', 5))
  cache.observe({ type: 'MODIFIED', object: thing('a', 14) })
  cache.observe({ type: 'ADDED', object: thing('b', 15) })
  told.length = 0
  cache.merge({ items: [thing('a', 5)], resourceVersion: '12' })
  assert.deepEqual(told, [])
  assert.equal(cache.version, '15')
})

test('the end of an older object of the same name does not touch the new one', () => {
  const { cache, told } = cacheOf(thing('a', 9, 'new'))
  cache.observe({ type: 'DELETED', object: thing('a', 8, 'old') })
  assert.deepEqual(told, [])
  cache.observe({ type: 'DELETED', object: thing('a', 11, 'new') })
  assert.deepEqual(told, ['deleted a 11 after 9'])
})

test('the end of a successor that was never seen is the end of the one that was', () => {
  const { cache, told } = cacheOf(thing('a', 9, 'old'))
  cache.observe({ type: 'DELETED', object: thing('a', 12, 'new') })
  assert.deepEqual(told, ['deleted a 9 after 9'])
})

test('a deletion that carries the version of the last state is a deletion', () => {
  const { cache, told } = cacheOf(thing('a', 9))
  cache.observe({ type: 'DELETED', object: thing('a', 9) })
  assert.deepEqual(told, ['deleted a 9 after 9'])
})

test('a state that comes after the deletion of its object stays away', () => {
  const { cache, told } = cacheOf(thing('a', 9))
  cache.observe({ type: 'DELETED', object: thing('a', 11) })
  cache.observe({ type: 'MODIFIED', object: thing('a', 9) })
  assert.deepEqual(told, ['deleted a 11 after 9'])
  cache.observe({ type: 'ADDED', object: thing('a', 12, 'new') })
  assert.equal(told.at(-1), 'added a 12')
})

test('a reset takes over older states, and tells only differences', () => {
  const { cache, told } = cacheOf(thing('a', 9), thing('b', 8), thing('c', 7))
  cache.reset({ items: [thing('a', 5), thing('b', 8)], resourceVersion: '8' })
  assert.deepEqual(told, ['deleted c 7 after 7', 'updated a 5 after 9'])
  assert.equal(cache.version, '8')
})

test('without versions that compare, what comes last counts', () => {
  const odd = (name: string, version: string): KubeObject => ({
    ...thing(name, 0),
    metadata: { name, uid: 'u', resourceVersion: version },
  })
  const { cache, told } = cacheOf()
  for (const version of ['zz', 'aa']) cache.observe({ type: 'MODIFIED', object: odd('a', version) })
  assert.deepEqual(told, ['added a zz', 'updated a aa after zz'])
  assert.equal(cache.version, 'aa')
})
