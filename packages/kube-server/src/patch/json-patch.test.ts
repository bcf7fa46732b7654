import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import fastJsonPatch from 'fast-json-patch'
import { anyObject, deepFreeze } from '../../test/json-arbitrary.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { jsonPatch } from './json-patch.ts'
import { isObject, sameJson } from './json-value.ts'

const document = (): JsonObject => ({ a: { b: 'x', list: [1, 2, 3] }, 'd/e': 1, 'f~g': 2, n: null })

const applied: readonly (readonly [string, Json[], (result: JsonObject) => Json | undefined, Json | undefined])[] = [
  ['adds a member', [{ op: 'add', path: '/a/c', value: 1 }], result => at(result, 'a', 'c'), 1],
  ['adds over a member', [{ op: 'add', path: '/a/b', value: { c: 1 } }], result => at(result, 'a', 'b'), { c: 1 }],
  ['inserts', [{ op: 'add', path: '/a/list/1', value: 9 }], result => at(result, 'a', 'list'), [1, 9, 2, 3]],
  ['inserts at the end', [{ op: 'add', path: '/a/list/3', value: 9 }], result => at(result, 'a', 'list'), [1, 2, 3, 9]],
  ['appends', [{ op: 'add', path: '/a/list/-', value: 9 }], result => at(result, 'a', 'list'), [1, 2, 3, 9]],
  ['counts from the end', [{ op: 'remove', path: '/a/list/-1' }], result => at(result, 'a', 'list'), [1, 2]],
  ['replaces', [{ op: 'replace', path: '/a/b', value: 'y' }], result => at(result, 'a', 'b'), 'y'],
  ['replaces a missing member by adding it', [{ op: 'replace', path: '/new', value: 1 }], result => result['new'], 1],
  ['replaces an item', [{ op: 'replace', path: '/a/list/0', value: 9 }], result => at(result, 'a', 'list'), [9, 2, 3]],
  ['removes a member', [{ op: 'remove', path: '/a/b' }], result => at(result, 'a', 'b'), undefined],
  ['understands ~1', [{ op: 'replace', path: '/d~1e', value: 7 }], result => result['d/e'], 7],
  ['understands ~0', [{ op: 'replace', path: '/f~0g', value: 7 }], result => result['f~g'], 7],
  ['moves', [{ op: 'move', from: '/a/b', path: '/moved' }], result => result['moved'], 'x'],
  ['copies', [{ op: 'copy', from: '/a/list', path: '/copy' }], result => result['copy'], [1, 2, 3]],
  ['tests', [{ op: 'test', path: '/a/list', value: [1, 2, 3] }], result => at(result, 'a', 'b'), 'x'],
  [
    'takes a missing member for null in a test',
    [{ op: 'test', path: '/none', value: null }],
    at => at['none'],
    undefined,
  ],
  [
    'works on the result of the operation before',
    [
      { op: 'add', path: '/x', value: {} },
      { op: 'add', path: '/x/y', value: 1 },
    ],
    result => at(result, 'x', 'y'),
    1,
  ],
  ['replaces the whole document', [{ op: 'replace', path: '', value: { z: 1 } }], result => result['z'], 1],
]

const refused: readonly (readonly [string, Json])[] = [
  ['a test that fails', { op: 'test', path: '/a/b', value: 'y' }],
  ['a test of another type', { op: 'test', path: '/a/list/0', value: '1' }],
  ['removing a missing member', { op: 'remove', path: '/a/none' }],
  ['removing beyond the end', { op: 'remove', path: '/a/list/3' }],
  ['removing the whole document', { op: 'remove', path: '' }],
  ['adding below a missing parent', { op: 'add', path: '/none/x', value: 1 }],
  ['adding below a scalar', { op: 'add', path: '/a/b/c', value: 1 }],
  ['adding beyond the end', { op: 'add', path: '/a/list/4', value: 1 }],
  ['replacing below a missing parent', { op: 'replace', path: '/none/x', value: 1 }],
  ['replacing beyond the end', { op: 'replace', path: '/a/list/3', value: 1 }],
  ['replacing the place after the end', { op: 'replace', path: '/a/list/-', value: 1 }],
  ['a name as an index', { op: 'add', path: '/a/list/x', value: 1 }],
  ['moving what is missing', { op: 'move', from: '/none', path: '/x' }],
  ['copying what is missing', { op: 'copy', from: '/none', path: '/x' }],
  ['a copy of the whole document', { op: 'copy', from: '', path: '/x' }],
  ['an unknown operation', { op: 'merge', path: '/a', value: 1 }],
  ['an operation without a path', { op: 'remove' }],
  ['a path that does not start with /', { op: 'remove', path: 'a' }],
  ['adding without a value', { op: 'add', path: '/x' }],
  ['an operation that is no object', 'remove'],
  ['reaching the prototype', { op: 'add', path: '/__proto__/polluted', value: true }],
  ['reaching the constructor', { op: 'add', path: '/constructor/prototype/polluted', value: true }],
]

describe('json patch', () => {
  for (const [what, patch, look, found] of applied)
    it(what, () => {
      const result = jsonPatch(deepFreeze(document()), patch)
      assert.ok(isObject(result))
      assert.deepEqual(look(result), found)
    })

  for (const [what, operation] of refused)
    it(`refuses ${what} with a 422 that says nothing more`, () => {
      const error = failure(() => jsonPatch(deepFreeze(document()), [operation]))
      assert.equal(error.code, 422)
      assert.equal(error.reason, 'Invalid')
      assert.equal(error.message, 'the server rejected our request due to an error in our request')
      assert.deepEqual(error.details, {})
      assert.equal(({} as JsonObject)['polluted'], undefined)
    })

  it('refuses a body that is no list with 400', () => {
    const error = failure(() => jsonPatch({}, { data: {} }))
    assert.equal(error.code, 400)
    assert.match(error.message, /^error decoding patch: json: cannot unmarshal object/)
  })

  it('refuses more than 10,000 operations with 413 and applies 10,000', () => {
    const operations = Array.from({ length: 10_000 }, (_, index) => ({ op: 'add', path: '/n', value: index }))
    assert.deepEqual(jsonPatch({}, operations), { n: 9999 })
    const error = failure(() => jsonPatch({}, [...operations, { op: 'add', path: '/n', value: 1 }]))
    assert.equal(error.code, 413)
    assert.match(error.message, /allowed maximum operations in a JSON patch is 10000, got 10001/)
  })

  it('refuses a document that doubles with every copy', () => {
    const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/list', path: '/list/-' }))
    assert.equal(failure(() => jsonPatch({ list: ['some text'] }, doubling)).code, 422)
  })

  it('refuses to nest a document beyond what could be read again', () => {
    const levels = (count: number) => Array.from({ length: count }, () => ({ op: 'move', from: '/a', path: '/b/c' }))
    const deeper = levels(120).flatMap(move => [
      { op: 'add', path: '/b', value: {} },
      move,
      { op: 'move', from: '/b', path: '/a' },
    ])
    assert.equal(failure(() => jsonPatch({ a: {} }, [...deeper, ...deeper])).code, 422)
    assert.ok(isObject(jsonPatch({ a: {} }, deeper)))
    const path = '/a'.repeat(201)
    assert.equal(failure(() => jsonPatch({}, [{ op: 'add', path, value: 1 }])).code, 422)
  })

  it('returns the target itself when nothing changes', () => {
    const target = document()
    const patch = [
      { op: 'replace', path: '/a/list', value: [1, 2, 3] },
      { op: 'test', path: '/a/b', value: 'x' },
    ]
    assert.equal(jsonPatch(target, patch), target)
  })

  it('shares everything but the way down to the change', () => {
    const target = { spec: { big: [1] }, status: { phase: 'A' } }
    const result = jsonPatch(target, [{ op: 'replace', path: '/status/phase', value: 'B' }])
    assert.ok(isObject(result))
    assert.equal(result['spec'], target.spec)
  })

  it('takes a document to another by the operations of a second implementation', () => {
    fc.assert(
      fc.property(plainObject, plainObject, (from, to) => {
        const operations: Json = structuredClone(fastJsonPatch.compare(from, to)) as unknown as Json
        assert.ok(sameJson(jsonPatch(deepFreeze(from), operations), to))
      }),
    )
  })

  it('lets a member named __proto__ be data', () => {
    const target = JSON.parse('{"__proto__":{"a":1}}')
    const result = jsonPatch(target, [{ op: 'add', path: '/__proto__/b', value: 2 }])
    assert.equal(JSON.stringify(result), '{"__proto__":{"a":1,"b":2}}')
  })
})

/** The second implementation refuses hostile names, so they stay out of its documents. */
const plainObject = anyObject.filter(object => !JSON.stringify(object).includes('__proto__'))

function at(object: JsonObject, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)
}

function failure(run: () => unknown): StatusError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return error
  }
  return assert.fail('it was not refused')
}
