/** Tests of rules: one object with a field of each kind, and what a rule about it comes to. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { compileSchema, validate } from '../schema/schema.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const listOf = (items: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'array', items, ...more })

const properties: JsonObject = {
  n: integer,
  d: { type: 'number' },
  b: { type: 'boolean' },
  s: text,
  uni: text,
  absent: text,
  nothing: { type: 'object', nullable: true, properties: { x: integer } },
  either: { 'x-kubernetes-int-or-string': true },
  when: { ...text, format: 'date-time' },
  day: { ...text, format: 'date' },
  span: { ...text, format: 'duration' },
  raw: { ...text, format: 'byte' },
  list: listOf(integer),
  names: listOf(text),
  objects: listOf({ type: 'object', properties: { x: integer } }),
  set: listOf(text, { 'x-kubernetes-list-type': 'set' }),
  keyed: listOf(
    { type: 'object', required: ['k'], properties: { k: text, v: integer } },
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
  ),
  map: { type: 'object', additionalProperties: text },
  nullables: listOf({ ...text, nullable: true }),
  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  inner: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
  namespace: text,
  'a-b.c/d__e': text,
}

const spec: JsonObject = {
  n: 3,
  d: 0.5,
  b: true,
  s: 'abc',
  uni: 'é𝒳z',
  nothing: null,
  either: '50%',
  when: '2021-03-04T05:06:07.5Z',
  day: '2021-01-02',
  span: '1h30m',
  raw: 'aGVsbG8=',
  list: [1, 2, 3],
  names: ['a', 'b', 'c'],
  objects: [{ x: 1 }, {}],
  set: ['x', 'y'],
  keyed: [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ],
  map: { k1: 'v1', k2: 'v2' },
  nullables: ['a', null],
  open: { q: 1 },
  inner: { apiVersion: 'v1', kind: 'Inner', metadata: { name: 'nm' } },
  namespace: 'ns',
  'a-b.c/d__e': 'z',
}

/** `holds`, or the complaint without what surrounds it. */
export function outcome(rule: string): string {
  const rules = { 'x-kubernetes-validations': [{ rule, message: 'rule' }] }
  const schema = compileSchema({ type: 'object', properties: { spec: { type: 'object', properties, ...rules } } })
  const [cause] = validate(schema, { apiVersion: 'a/b', kind: 'C', metadata: { name: 'x' }, spec })
  if (!cause) return 'holds'
  return cause.message
    .replace('Invalid value: "object": ', '')
    .replace(/ evaluating rule: rule$/, '')
    .replace(/^rule$/, 'does not hold')
}

/** One test per rule that must hold. */
export function allHold(name: string, rules: readonly string[]): void {
  describe(name, () => {
    for (const rule of rules) it(rule, () => assert.equal(outcome(rule), 'holds'))
  })
}

/** One test per rule that must fail, with the text that its complaint must contain. */
export function allFail(name: string, rules: readonly (readonly [rule: string, complaint: string])[]): void {
  describe(name, () => {
    for (const [rule, complaint] of rules)
      it(`${rule}: ${complaint.split('\n')[0]}`, () => {
        const found = outcome(rule)
        assert.ok(found.includes(complaint), found)
      })
  })
}
