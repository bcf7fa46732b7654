import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions, mergeVersions, nextVersion, type ValuesVersion } from './values-version.ts'

const version: fc.Arbitrary<ValuesVersion> = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(3))

test('an edit in sight of the other one is newer; two without sight of each other are in conflict (H14)', () => {
  const start = { a: 1 }
  const onA = nextVersion(start, 'a')
  const onB = nextVersion(start, 'b')
  assert.equal(compareVersions(onA, start), 'newer')
  assert.equal(compareVersions(start, onB), 'older')
  assert.equal(compareVersions(onA, onB), 'conflict')
  const settled = nextVersion(onA, 'a', onB)
  assert.deepEqual([compareVersions(settled, onA), compareVersions(settled, onB)], ['newer', 'newer'])
})

test('either side sees the same order from its own side', () => {
  const mirrored = { equal: 'equal', older: 'newer', newer: 'older', conflict: 'conflict' }
  fc.assert(
    fc.property(version, version, (left, right) => {
      assert.equal(compareVersions(left, right), mirrored[compareVersions(right, left)])
      const merged = mergeVersions(left, right)
      for (const each of [left, right]) assert.ok(['equal', 'newer'].includes(compareVersions(merged, each)))
      assert.deepEqual(merged, mergeVersions(right, left))
    }),
  )
})
