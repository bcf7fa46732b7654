import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { sampleObject, specSchema } from './sample.ts'
import { applyDefaults, compileSchema } from './schema.ts'

function defaulted(properties: JsonObject, spec: JsonObject): Json | undefined {
  const object = sampleObject(spec)
  applyDefaults(compileSchema(specSchema(properties)), object)
  return object['spec']
}

const five = { type: 'integer', default: 5 }

it('Absent members get their defaults, present ones stay', () => {
  assert.deepEqual(defaulted({ a: five, b: five }, { b: 7 }), { a: 5, b: 7 })
})

it('Defaults are filled in inside objects, list items and map values', () => {
  const object = { type: 'object', properties: { q: five } }
  const properties = {
    o: object,
    l: { type: 'array', items: object },
    m: { type: 'object', additionalProperties: object },
  }
  assert.deepEqual(defaulted(properties, { o: {}, l: [{}, { q: 1 }], m: { k: {} } }), {
    o: { q: 5 },
    l: [{ q: 5 }, { q: 1 }],
    m: { k: { q: 5 } },
  })
})

it('A default on an absent parent does nothing, one inside a default does', () => {
  const child = { type: 'object', properties: { q: five } }
  assert.deepEqual(defaulted({ absent: child, present: { ...child, default: {} } }, {}), { present: { q: 5 } })
})

it('A null that is not allowed gives way to the default, or goes', () => {
  const properties = {
    replaced: { type: 'string', default: 'd' },
    dropped: { type: 'string' },
    kept: { type: 'string', nullable: true },
    keptWithDefault: { type: 'string', nullable: true, default: 'd' },
    map: { type: 'object', additionalProperties: { type: 'string' } },
  }
  const spec = { replaced: null, dropped: null, kept: null, keptWithDefault: null, map: { a: null, b: 'x' } }
  assert.deepEqual(defaulted(properties, spec), { replaced: 'd', kept: null, keptWithDefault: null, map: { b: 'x' } })
})

it('A null in a list is replaced by the default, or stays for the validation to refuse', () => {
  const list = (items: JsonObject) => ({ type: 'array', items })
  assert.deepEqual(defaulted({ l: list(five) }, { l: [null, 1] }), { l: [5, 1] })
  assert.deepEqual(defaulted({ l: list({ type: 'integer' }) }, { l: [null] }), { l: [null] })
})

it('Each object gets its own copy of a default', () => {
  const schema = compileSchema(
    specSchema({ o: { type: 'object', default: { list: [] }, properties: { list: { type: 'array', items: five } } } }),
  )
  const [first, second] = [sampleObject({}), sampleObject({})]
  applyDefaults(schema, first)
  applyDefaults(schema, second)
  const listOf = (object: JsonObject) => ((object['spec'] as JsonObject)['o'] as JsonObject)['list']
  assert.notEqual(listOf(first), listOf(second))
  assert.deepEqual(listOf(first), [])
})

it('A property called __proto__ changes no prototype', () => {
  const schema = compileSchema(
    JSON.parse(
      '{"type":"object","properties":{"spec":{"type":"object","properties":{"__proto__":{"type":"object","default":{"polluted":true}}}}}}',
    ),
  )
  const object = sampleObject({})
  applyDefaults(schema, object)
  assert.equal(Object.getPrototypeOf(object['spec']), Object.prototype)
  assert.equal(JSON.stringify(object['spec']), '{"__proto__":{"polluted":true}}')
})
