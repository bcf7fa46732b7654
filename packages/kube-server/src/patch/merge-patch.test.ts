import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyJson, deepFreeze, hostileText } from '../../test/json-arbitrary.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { isObject, sameJson } from './json-value.ts'
import { mergePatch } from './merge-patch.ts'

/** Target, patch, result: the examples of RFC 7396, appendix A. */
const examples: readonly (readonly [Json, Json, Json])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

describe('merge patch', () => {
  for (const [target, patch, result] of examples)
    it(`makes ${JSON.stringify(result)} of ${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(mergePatch(target, patch), result)
    })

  it('returns the target itself when nothing changes, even for a list that is only equal', () => {
    const target = { a: { list: [1, { b: 2 }] }, c: 'd' }
    assert.equal(mergePatch(target, { a: { list: [1, { b: 2 }] }, missing: null }), target)
  })

  it('shares everything but the way down to the change', () => {
    const target = { spec: { big: { x: 1 } }, status: { phase: 'A', list: [1] } }
    const result = mergePatch(target, { status: { phase: 'B' } })
    assert.ok(isObject(result) && isObject(result['status']))
    assert.equal(result['spec'], target.spec)
    assert.equal(result['status']['list'], target.status.list)
  })

  it('takes __proto__ for a member like any other', () => {
    const target = JSON.parse('{"__proto__":{"a":1},"b":1}')
    const result = mergePatch(target, JSON.parse('{"__proto__":{"polluted":true},"constructor":{"x":1}}'))
    assert.equal(JSON.stringify(result), '{"__proto__":{"a":1,"polluted":true},"b":1,"constructor":{"x":1}}')
    assert.equal(Object.getPrototypeOf(result), Object.prototype)
    assert.equal(({} as JsonObject)['polluted'], undefined)
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (target, patch) => {
        const once = mergePatch(target, patch)
        assert.equal(mergePatch(once, patch), once)
      }),
    )
  })

  it('never changes its inputs and leaves no trace on other objects', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (target, patch) => {
        const result = mergePatch(deepFreeze(JSON.parse(target)), deepFreeze(JSON.parse(patch)))
        assert.deepEqual(Object.keys(Object.prototype), [])
        assert.ok(!isObject(result) || Object.getPrototypeOf(result) === Object.prototype)
      }),
    )
  })

  it('takes a document to another by their difference', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (from, to) => {
        assert.ok(sameJson(mergePatch(from, difference(from, to)), to))
      }),
    )
  })
})

/** The merge patch that leads from one document without nulls to another. */
function difference(from: Json | undefined, to: Json): Json {
  if (!isObject(from) || !isObject(to)) return to
  const patch: [string, Json][] = []
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch.push([key, null])
  for (const [key, value] of Object.entries(to))
    if (value !== undefined) patch.push([key, Object.hasOwn(from, key) ? difference(from[key], value) : value])
  return Object.fromEntries(patch)
}
