import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { judge } from './sample.ts'

const colour = { type: 'string', enum: ['Red', 'Blue'] }
const bad = (field: string, value: string) =>
  `NotSupported at ${field}: Unsupported value: "${value}": supported values: "Red", "Blue"`
const keyed = (more: JsonObject = {}) => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
  items: {
    type: 'object',
    required: ['k'],
    properties: { k: { type: 'string' }, v: { type: 'integer' }, colour, ...more },
  },
})

it('A bad value that did not change does not fail an update, a changed or new one does', () => {
  assert.deepEqual(judge({ colour, n: { type: 'integer' } }, { colour: 'Pink', n: 2 }, { colour: 'Pink', n: 1 }), [])
  assert.deepEqual(judge({ colour }, { colour: 'Pink' }, { colour: 'Grey' }), [bad('spec.colour', 'Pink')])
  assert.deepEqual(judge({ colour }, { colour: 'Pink' }, {}), [bad('spec.colour', 'Pink')])
})

it('Items of a list map are told apart by their keys', () => {
  const old = [{ k: 'a', colour: 'Pink', v: 1 }]
  assert.deepEqual(judge({ l: keyed() }, { l: [{ k: 'b' }, { k: 'a', colour: 'Pink', v: 2 }] }, { l: old }), [])
  assert.deepEqual(judge({ l: keyed() }, { l: [{ k: 'c', colour: 'Pink' }] }, { l: old }), [
    bad('spec.l[0].colour', 'Pink'),
  ])
})

it('Items of other lists have no identity: only the whole list can be unchanged', () => {
  const l = { type: 'array', items: colour }
  assert.deepEqual(judge({ l }, { l: ['Pink'] }, { l: ['Pink'] }), [])
  assert.deepEqual(judge({ l }, { l: ['Pink', 'Red'] }, { l: ['Pink'] }), [bad('spec.l[0]', 'Pink')])
})

it('A member that is missing since long is missed only when its object changes', () => {
  const o = { type: 'object', required: ['q'], properties: { q: { type: 'string' }, w: { type: 'string' } } }
  assert.deepEqual(judge({ o, n: { type: 'integer' } }, { o: { w: '1' }, n: 2 }, { o: { w: '1' }, n: 1 }), [])
  assert.deepEqual(judge({ o }, { o: { w: '2' } }, { o: { w: '1' } }), ['Required at spec.o.q: Required value'])
})

it('Junctors are forgiven only with the whole value', () => {
  const a = {
    type: 'object',
    properties: { x: { type: 'string' }, y: { type: 'string' } },
    allOf: [{ properties: { x: { maxLength: 1 } } }],
  }
  assert.deepEqual(judge({ a }, { a: { x: 'zz', y: '1' } }, { a: { x: 'zz', y: '1' } }), [])
  assert.deepEqual(judge({ a }, { a: { x: 'zz', y: '2' } }, { a: { x: 'zz', y: '1' } }), [
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate all the schemas (allOf). None validated',
    'TooLong at spec.a.x: Too long: may not be more than 1 bytes',
  ])
})

it('Rules forgive what did not change, here or in the nearest value that can be told apart', () => {
  const rule = { 'x-kubernetes-validations': [{ rule: 'self >= 5' }] }
  const failed = (field: string) => `Invalid at ${field}: Invalid value: "integer": failed rule: self >= 5`
  const byName = { type: 'object', additionalProperties: { type: 'integer', ...rule } }
  assert.deepEqual(judge({ byName }, { byName: { a: 1, b: 9, c: 3 } }, { byName: { a: 1, b: 2 } }), [
    failed('spec.byName[c]'),
  ])
  const l = { type: 'array', maxItems: 5, items: { type: 'integer', ...rule } }
  assert.deepEqual(judge({ l, n: { type: 'integer' } }, { l: [1], n: 1 }, { l: [1] }), [])
  assert.deepEqual(judge({ l }, { l: [1, 9] }, { l: [1] }), [failed('spec.l[0]')])
  const list = keyed({ v: { type: 'integer', ...rule } })
  assert.deepEqual(
    judge(
      { list },
      {
        list: [
          { k: 'b', v: 2 },
          { k: 'a', v: 1, colour: 'Red' },
        ],
      },
      { list: [{ k: 'a', v: 1 }] },
    ),
    [failed('spec.list[0].v')],
  )
})

it('A transition rule is never forgiven', () => {
  const n = { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > oldSelf' }] }
  assert.deepEqual(judge({ n }, { n: 1 }, { n: 1 }), [
    'Invalid at spec.n: Invalid value: "integer": failed rule: self > oldSelf',
  ])
})
