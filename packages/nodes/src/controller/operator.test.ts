import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pod, set, withAnnotations } from '../../test/set-world.ts'
import { isOwnedBy } from '../set/members.ts'
import { checkConcurrency } from './operator.ts'
import { isSetNews } from './world.ts'

test('CF01 a concurrency of none or less refuses the start', () => {
  for (const value of [0, -1, 1.5, Number.NaN])
    assert.throws(() => checkConcurrency('cocoonset-concurrency', value), RangeError)
  assert.equal(checkConcurrency('cocoonset-concurrency', 4), 4)
})

test('EV01 a change of spec or status is news; an annotation of somebody else or a resync is not', () => {
  const before = set()
  const with3 = { ...before, metadata: { ...before.metadata, generation: 4 } }
  assert.equal(isSetNews({ object: with3, previous: before }), true)
  assert.equal(isSetNews({ object: set({}, { phase: 'Running' }), previous: before }), true)
  assert.equal(isSetNews({ object: withAnnotations(before, { 'example.com/x': 'y' }), previous: before }), false)
  assert.equal(isSetNews({ object: { ...before }, previous: before }), false)
  assert.equal(
    isSetNews({ object: withAnnotations(before, { 'godwit.dev/force-delete': 'true' }), previous: before }),
    true,
  )
})

test('DL01 a pod with the labels of a set and another owner is not of the set', () => {
  const foreign = pod(set(), { node: 'node-a' })
  const { ownerReferences: _, ...metadata } = foreign.metadata
  assert.equal(isOwnedBy(set(), foreign), true)
  assert.equal(isOwnedBy(set(), { ...foreign, metadata }), false)
})
