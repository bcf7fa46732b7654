import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { judge } from './sample.ts'

const set = (items: JsonObject) => ({ type: 'array', items, 'x-kubernetes-list-type': 'set' })
const map = (keys: string[]) => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
  items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
})

it('An item of a set occurs once; each repeated item is reported once, at its second place', () => {
  assert.deepEqual(judge({ tags: set({ type: 'string' }) }, { tags: ['x', 'y'] }), [])
  assert.deepEqual(judge({ tags: set({ type: 'string' }) }, { tags: ['x', 'x', 'x', 'y', 'y'] }), [
    'Duplicate at spec.tags[1]: Duplicate value: "x"',
    'Duplicate at spec.tags[4]: Duplicate value: "y"',
  ])
})

it('Objects in a set are compared whatever the order of their members', () => {
  const items = {
    type: 'object',
    'x-kubernetes-map-type': 'atomic',
    properties: { x: { type: 'integer' }, y: { type: 'integer' } },
  }
  assert.deepEqual(
    judge(
      { tags: set(items) },
      {
        tags: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ),
    ['Duplicate at spec.tags[1]: Duplicate value: map[string]interface {}{"x":1, "y":2}'],
  )
})

it('A key of a list map occurs once', () => {
  assert.deepEqual(judge({ parts: map(['name']) }, { parts: [{ name: 'x' }, { name: 'y' }] }), [])
  assert.deepEqual(judge({ parts: map(['name']) }, { parts: [{ name: 'x' }, { name: 'x' }] }), [
    'Duplicate at spec.parts[1]: Duplicate value: map[string]interface {}{"name":"x"}',
  ])
})

it('Several keys count together, and absent ones are equal', () => {
  assert.deepEqual(
    judge(
      { parts: map(['name', 'port']) },
      {
        parts: [
          { name: 'x', port: 1 },
          { name: 'x', port: 2 },
        ],
      },
    ),
    [],
  )
  assert.deepEqual(judge({ parts: map(['name', 'port']) }, { parts: [{ name: 'x' }, { name: 'x' }] }), [
    'Duplicate at spec.parts[1]: Duplicate value: map[string]interface {}{"name":"x"}',
  ])
})

it('Items of a list map are objects', () => {
  assert.deepEqual(judge({ parts: map(['name']) }, { parts: ['x'] }), [
    'Invalid at spec.parts[0]: Invalid value: "x": must be an object for an array of list-type map',
    'TypeInvalid at spec.parts[0]: Invalid value: "string": spec.parts[0] in body must be of type object: "string"',
  ])
})

it('Lists below lists and maps are checked, with the key of a map in brackets', () => {
  const inner = { type: 'object', properties: { tags: set({ type: 'string' }) } }
  const properties = { list: { type: 'array', items: inner }, byName: { type: 'object', additionalProperties: inner } }
  assert.deepEqual(judge(properties, { list: [{ tags: ['a', 'a'] }], byName: { k: { tags: ['b', 'b'] } } }), [
    'Duplicate at spec.byName[k].tags[1]: Duplicate value: "b"',
    'Duplicate at spec.list[0].tags[1]: Duplicate value: "a"',
  ])
})

it('An update is not failed for duplicates if there were some before', () => {
  const properties = { tags: set({ type: 'string' }) }
  assert.deepEqual(judge(properties, { tags: ['a', 'a', 'b'] }, { tags: ['a', 'a'] }), [])
  assert.deepEqual(judge(properties, { tags: ['a', 'a'] }, { tags: ['a'] }), [
    'Duplicate at spec.tags[1]: Duplicate value: "a"',
  ])
})
