import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isEqualJson, mergeDiff } from './merge-diff.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** RFC 7396, written down once more as the oracle. */
function applyPatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch
  const result: Record<string, unknown> =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = applyPatch(result[key], value)
  }
  return result
}

/** A merge patch cannot set a member to null, so the states that we patch have none. */
const leaf = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 2 }))
const key = fc.constantFrom('a', 'b', 'c', 'status')
const members = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { noNullPrototype: true })), {
  maxKeys: 4,
  noNullPrototype: true,
}) as fc.Arbitrary<Record<string, Json>>

test('the difference turns before into after, and is undefined exactly when they are equal', () => {
  fc.assert(
    fc.property(members, members, (before, after) => {
      const patch = mergeDiff(before, after)
      assert.equal(patch === undefined, isEqualJson(before, after))
      assert.deepEqual(applyPatch(before, patch ?? {}), { ...after })
    }),
  )
})

test('a member that vanished is removed by null and nothing else is sent', () => {
  assert.deepEqual(mergeDiff({ a: { x: 1, y: 2 }, b: 1 }, { a: { x: 1 }, b: 1 }), { a: { y: null } })
})

test('a null cannot be expressed and is refused, at any depth, instead of being lost', () => {
  for (const after of [{ a: null }, { a: { x: null } }, { b: { c: { x: null } } }])
    assert.throws(() => mergeDiff({ a: { y: 1 } }, after), /cannot express/)
})
