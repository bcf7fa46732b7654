/** Hostile rules answer, and the answer does not depend on how fast the machine is. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { compileSchema, validate } from '../schema/schema.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const properties: JsonObject = {
  list: { type: 'array', items: integer },
  names: { type: 'array', items: text },
  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
  map: { type: 'object', additionalProperties: integer },
  keyed: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: { type: 'object', required: ['k'], properties: { k: text, v: integer } },
  },
  s: text,
}

const size = 10_000
const numbers = Array.from({ length: size }, (_, i) => i)
const spec: JsonObject = {
  list: numbers,
  names: numbers.map(String),
  set: numbers.map(String),
  map: Object.fromEntries(numbers.map(i => [`k${i}`, i])),
  keyed: numbers.map(i => ({ k: `k${i}`, v: i })),
  s: 'ab'.repeat(size),
}

function judge(...rules: string[]): Cause[] {
  const ruled = { 'x-kubernetes-validations': rules.map(rule => ({ rule, message: 'rule' })) }
  const schema = compileSchema({ type: 'object', properties: { spec: { type: 'object', properties, ...ruled } } })
  return validate(schema, { apiVersion: 'a/b', kind: 'C', metadata: { name: 'x' }, spec })
}

const tooMuch =
  "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: rule"

const messages = (causes: readonly Cause[]) =>
  causes.map(({ message }) => message.replace('Invalid value: "object": ', ''))

describe('rules that would take forever are stopped', () => {
  for (const rule of [
    'self.list.all(x, self.list.all(y, self.list.all(z, x + y + z >= 0)))',
    'self.list.exists(x, self.list.exists(y, 1 / 0 == x))',
    'self.list.all(x, self.list == self.list + [1] || true)',
    'self.list.map(x, self.list + self.list).size() > 0',
    'self.list.all(x, self.list.sum() > 0)',
    'self.list.all(x, x in self.list)',
    'sets.contains(self.list, self.list)',
    'self.names.all(x, self.s.contains(x + "zz") || true)',
    'self.names.all(x, (self.s + self.s) != self.s)',
    'self.names.all(x, self.s < self.s + "a")',
    'self.names.all(x, self.s.matches("(a|b)*a(a|b){200}$"))',
    'self.names.all(x, self.s.matches("([ab]*a[ab]{500})" + x + "|b"))',
    'self.names.all(x, self.s.replace("a", self.s).size() > 0)',
    'self.names.all(x, self.names.join(self.s).size() > 0)',
    'self.names.all(x, self.s.split("").size() > 0)',
    'self.names.all(x, "%s".format([self.names]).size() > 0)',
    'self.names.all(x, self.s.indexOf("zz") < 0)',
    'self.names.all(x, self.s.trim() == self.s.lowerAscii())',
    'self.s.findAll(".*x|a").size() > 0',
    'self.map.all(k, self.map.exists(j, self.map[j] < 0) || true)',
    'self.keyed.all(x, (self.keyed + self.keyed).size() > 0)',
    'self.keyed.all(a, self.keyed.exists_one(b, b.k == a.k))',
    'self.set.all(x, self.set + self.set == self.set)',
    `${'[1, 2, 3].all(x, '.repeat(40)}true${')'.repeat(40)}`,
  ])
    it(rule.slice(0, 80), () => assert.deepEqual(messages(judge(rule)), [tooMuch]))
})

describe('rules whose work grows with the object only are not', () => {
  for (const rule of [
    'self.list.filter(x, x > 5).map(x, x * 2).all(x, x > 0)',
    'self.names.all(x, x.matches("^[0-9]+$"))',
    'self.map.all(k, k.startsWith("k") && self.map[k] >= 0)',
    'self.keyed.all(x, x.v >= 0) && self.keyed == self.keyed && self.set == self.set',
    '!self.s.matches("^(([a-z])+.)+[A-Z]([a-z])+$")',
    'self.list.isSorted() && self.list.sum() > 0 && size(self.s) > 0',
  ])
    it(rule, () => assert.deepEqual(judge(rule), []))
})

it('Nothing is evaluated after a rule that was stopped', () => {
  assert.deepEqual(messages(judge('self.list.all(x, x in self.list)', 'false')), [tooMuch])
})

it('Rules that are affordable one by one are stopped when they are too dear together', () => {
  // Each costs less than one rule may; the object as a whole has less than the sum.
  const dear = 'self.list.all(x, self.list[x] + self.list[x] + self.list[x] >= 0)'
  assert.deepEqual(judge(dear), [])
  const found = messages(judge(...Array<string>(60).fill(dear)))
  assert.equal(found.length, 1)
  assert.match(found[0] ?? '', /running out of cost budget|actual cost limit exceeded/)
})

it('The next object has a budget of its own', () => {
  const ruled = { 'x-kubernetes-validations': [{ rule: 'self.list.all(x, x in self.list)' }] }
  const schema = compileSchema({ type: 'object', properties: { spec: { type: 'object', properties, ...ruled } } })
  const object = (list: number[]) => ({ spec: { list } })
  assert.equal(validate(schema, object(numbers)).length, 1)
  assert.deepEqual(validate(schema, object([1, 2, 3])), [])
})

it('An error that goes on and on is no way around the limit', () => {
  assert.deepEqual(messages(judge('self.list.exists(x, self.list.exists(y, self.map["none"] == x) || 1 / 0 == 1)')), [
    tooMuch,
  ])
})
