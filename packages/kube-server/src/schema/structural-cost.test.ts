import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { refusals, specSchema } from './sample.ts'

const integers: JsonObject = { type: 'array', items: { type: 'integer' } }
const listOf = (items: JsonObject, maxItems?: number): JsonObject => ({
  type: 'array',
  items,
  ...(maxItems === undefined ? {} : { maxItems }),
})
const properties: JsonObject = {
  a: integers,
  b: integers,
  few: { ...integers, maxItems: 100 },
  nested: listOf({ type: 'object', properties: { l: integers } }),
  map: { type: 'object', additionalProperties: { type: 'integer' } },
  maps: { type: 'object', additionalProperties: { type: 'object', additionalProperties: { type: 'integer' } } },
}
const ruled = (...rules: string[]): JsonObject => ({ 'x-kubernetes-validations': rules.map(rule => ({ rule })) })
const judge = (...rules: string[]) => refusals(specSchema(properties, ruled(...rules)))

const advice =
  'exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'
const total = `Forbidden at schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema ${advice}`
const refused = (path: string) => [
  `Forbidden at ${path}.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
  `Forbidden at ${path}.rule: Forbidden: estimated rule cost ${advice}`,
  total,
]
const place = 'schema.properties[spec].x-kubernetes-validations'

describe('a rule is refused when loops without limits are inside each other', () => {
  for (const rule of [
    'self.a.all(x, self.b.all(y, x != y))',
    'self.nested.all(x, x.l.all(y, y > 0))',
    'self.map.all(k, self.map.exists(j, true))',
    'self.maps.all(k, self.maps[k].all(j, true))',
    'self.a.map(x, x + 1).all(x, self.a.filter(y, y > 1).all(z, true))',
    'has(self.a) ? self.a.all(x, self.b.all(y, true)) : true',
    'self.a.all(x, oldSelf.b.all(y, true))',
  ])
    it(rule, () => assert.deepEqual(judge(rule), refused(`${place}[0]`)))
})

describe('a rule is taken when its loops are limited, or side by side', () => {
  for (const rule of [
    'self.a.all(x, x > 0) && self.b.all(x, x > 0)',
    'self.few.all(x, self.few.all(y, x == y || x != y))',
    'self.a.all(x, [1, 2].all(y, true))',
  ])
    it(rule, () => assert.deepEqual(judge(rule), []))
})

describe('a rule counts as often as its value can occur', () => {
  const loop = ruled('self.l.all(x, x > 0)')

  it('A loop in the items of a list without a limit is refused', () => {
    const items = { type: 'object', properties: { l: integers }, ...loop }
    const path = 'schema.properties[spec].properties[list].items.x-kubernetes-validations[0]'
    assert.deepEqual(refusals(specSchema({ list: listOf(items) })), refused(path))
  })

  it('A loop with a limit in the items of a list with one is taken', () => {
    const items = { type: 'object', properties: { l: { ...integers, maxItems: 10 } }, ...loop }
    assert.deepEqual(refusals(specSchema({ list: listOf(items, 10) })), [])
  })

  it('Limits that are no limits are refused', () => {
    const list = listOf(listOf({ type: 'integer', ...ruled('self > 0') }, 100_000), 100_000)
    const path = 'schema.properties[spec].properties[list].items.items.x-kubernetes-validations[0]'
    assert.deepEqual(refusals(specSchema({ list })), refused(path))
  })
})

it('Only the four most expensive rules are named as contributing', () => {
  const rules = Array<string>(6).fill('self.a.all(x, self.b.all(y, x != y))')
  const found = judge(...rules)
  assert.equal(found.filter(line => line.includes('estimated rule cost exceeds')).length, 6)
  assert.equal(found.filter(line => line.includes('contributed to')).length, 4)
  assert.equal(found.filter(line => line === total).length, 1)
})
