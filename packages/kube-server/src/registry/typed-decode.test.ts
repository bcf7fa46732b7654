import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import {
  anything,
  boolean,
  bytes,
  integer,
  intOrString,
  keptList,
  listOf,
  mapOf,
  microTime,
  record,
  strings,
  text,
  time,
} from './openapi-types.ts'
import type { Draft } from './resource.ts'
import { decodeTyped } from './typed-decode.ts'

const schema = record({
  spec: record({
    count: integer,
    on: boolean,
    port: intOrString,
    names: strings,
    any: anything,
    map: mapOf(text),
    data: bytes,
    at: time,
    exact: microTime,
    parts: listOf(record({ name: text })),
    kept: keptList(text),
  }),
})

function decode(spec: Json, more: JsonObject = {}) {
  const draft: Draft = { apiVersion: 'v1', kind: 'Thing', metadata: {}, spec, ...more }
  const unknown = decodeTyped(draft, schema)
  return { spec: draft['spec'], unknown, draft }
}

test('what fits stays, nulls and empty maps and lists vanish, unless they are kept', () => {
  const good = {
    count: 1,
    on: false,
    port: 'http',
    names: ['a'],
    any: { x: [null] },
    map: { a: 'b' },
    data: 'YQ==',
    kept: [],
  }
  assert.deepEqual(decode(good).spec, good)
  assert.deepEqual(decode({ count: null, names: [], map: {}, any: {}, parts: [{ name: null }] }).spec, {
    any: {},
    parts: [{}],
  })
})

test('unknown fields are dropped and named by their path', () => {
  const { spec, unknown } = decode(
    { nope: 1, constructor: 1, parts: [{ name: 'a' }, { odd: 1 }], any: { fine: 1 } },
    { extra: 1 },
  )
  assert.deepEqual(spec, { parts: [{ name: 'a' }, {}], any: { fine: 1 } })
  assert.deepEqual(unknown, ['spec.nope', 'spec.constructor', 'spec.parts[1].odd', 'extra'])
})

test('fields named like members of every JavaScript object are unknown too', () => {
  const odd = () => JSON.parse('{"constructor":{"a":1},"toString":"x","__proto__":{"count":1}}')
  const { spec, unknown } = decode({ ...odd(), count: 1, parts: [odd()] }, odd())
  assert.equal(JSON.stringify(spec), '{"count":1,"parts":[{}]}')
  assert.equal(unknown.length, 9)
})

test('a wrong type says what could not become what', () => {
  const wrong: [JsonObject, RegExp][] = [
    [{ count: '1' }, /cannot unmarshal string into Go struct field Thing\.spec\.count of type int32/],
    [{ count: 1.5 }, /cannot unmarshal number/],
    [{ on: 'true' }, /of type bool/],
    [{ port: true }, /IntOrString/],
    [{ names: 'a' }, /of type \[\]/],
    [{ names: [1] }, /cannot unmarshal number into Go struct field Thing\.spec\.names\[0\]/],
    [{ map: { a: 1 } }, /Thing\.spec\.map\.a of type string/],
    [{ data: '***' }, /illegal base64 data at input byte 0/],
    [{ at: 'noon' }, /parsing time "noon"/],
    [{ exact: '2026-01-01T00:00:00Z' }, /parsing time/],
  ]
  for (const [spec, message] of wrong) assert.throws(() => decode(spec), { code: 400, message })
})

test('what is shared with a frozen object is copied where it changes', () => {
  const frozen = Object.freeze({
    nope: 1,
    parts: Object.freeze([Object.freeze({ name: 'a', odd: 1 })]),
    map: Object.freeze({ a: 'b' }),
  })
  const { spec } = decode(frozen as unknown as JsonObject)
  assert.deepEqual(spec, { parts: [{ name: 'a' }], map: { a: 'b' } })
  assert.equal((spec as JsonObject)['map'], frozen.map)
  assert.equal(frozen.nope, 1)
})
