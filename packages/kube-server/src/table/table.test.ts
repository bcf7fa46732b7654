import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/object.ts'
import { ageOf, humanDuration } from './age.ts'
import { evaluatePath, parsePath } from './json-path.ts'
import { printerColumn } from './printer-column.ts'

test('ages read as kubectl prints them', () => {
  const s = 1000
  const [m, h, d] = [60 * s, 3600 * s, 86_400 * s]
  const expected: [number, string][] = [
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [3 * m + 20 * s, '3m20s'],
    [10 * m, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 5 * m, '7h5m'],
    [47 * h, '47h'],
    [3 * d + 4 * h, '3d4h'],
    [100 * d, '100d'],
    [3 * 365 * d, '3y'],
    [9 * 365 * d, '9y'],
    [-5 * s, '<invalid>'],
  ]
  for (const [duration, text] of expected) assert.equal(humanDuration(duration), text)
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('yesterday', 0), '<invalid>')
})

test('paths of printer columns find what they name', () => {
  const root = {
    spec: {
      a: 1,
      'b.c': 2,
      list: [
        { name: 'x', n: 1 },
        { name: 'y', n: 2 },
      ],
      nested: { deep: { leaf: 'l' } },
    },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Other', status: 'False' },
      ],
    },
  }
  const found = (path: string) => evaluatePath(parsePath(path), root)
  assert.deepEqual(found('.spec.a'), [1])
  assert.deepEqual(found('{.spec.a}'), [1])
  assert.deepEqual(found("$.spec['b.c']"), [2])
  assert.deepEqual(found('.spec.b\\.c'), [2])
  assert.deepEqual(found('.spec.list[0].name'), ['x'])
  assert.deepEqual(found('.spec.list[-1].name'), ['y'])
  assert.deepEqual(found('.spec.list[*].name'), ['x', 'y'])
  assert.deepEqual(found('.spec.list[0:1].name'), ['x'])
  assert.deepEqual(found('.status.conditions[?(@.type=="Ready")].status'), ['True'])
  assert.deepEqual(found(".status.conditions[?(@.type=='Nope')].status"), [])
  assert.deepEqual(found('.spec.list[?(@.n>1)].name'), ['y'])
  assert.deepEqual(found('.spec..leaf'), ['l'])
  assert.deepEqual(found('.constructor.name'), [])
})

test('cells have the type of their column, or are empty', () => {
  const object = {
    metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { n: 5, t: 'x', o: { a: 1 } },
  } as unknown as KubeObject
  const cell = (type: string, jsonPath: string) =>
    printerColumn({ name: 'C', type, jsonPath }).read(object, Date.parse('2026-01-01T00:01:00Z'))
  assert.equal(cell('integer', '.spec.n'), 5)
  assert.equal(cell('integer', '.spec.t'), null)
  assert.equal(cell('string', '.spec.n'), '5')
  assert.equal(cell('string', '.spec.o'), '{"a":1}')
  assert.equal(cell('date', '.metadata.creationTimestamp'), '60s')
  assert.equal(cell('string', '.spec.none'), null)
})
