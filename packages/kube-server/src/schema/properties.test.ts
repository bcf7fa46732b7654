/** What holds for any schema and any value. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '../api/object.ts'
import { applyDefaults, compileSchema, prune, validate } from './schema.ts'
import { checkStructural } from './structural.ts'

const names = ['a', 'b', 'metadata', 'apiVersion', '__proto__', 'constructor', 'toString', 'a.b/c-d', '']
const name = fc.constantFrom(...names)
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 2.5, 1e21, -1e308, Number.MAX_SAFE_INTEGER + 2),
  fc.integer({ min: -5, max: 5 }),
)
const text = fc.constantFrom('', 'a', 'aa', 'é𝒳', '2020-01-01T00:00:00Z', '1h', '50%', '\u0000', 'x'.repeat(100))

const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5 },
    number,
    text,
    fc.constantFrom(null, true, false),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map(toObject),
  ),
})).value

/** Own members whatever their names. */
function toObject<T extends Json>(members: readonly (readonly [string, T])[]): JsonObject {
  return Object.fromEntries(members) as JsonObject
}

const flag = fc.boolean()
const rule = (...rules: string[]) =>
  fc.option(
    fc.constantFrom(...rules).map(one => ({ 'x-kubernetes-validations': [{ rule: one }] })),
    { nil: {} },
  )

const scalarSchema: fc.Arbitrary<JsonObject> = fc.oneof(
  fc
    .record(
      {
        maxLength: fc.nat(3),
        minLength: fc.nat(2),
        pattern: fc.constantFrom('^a', 'a+', '(a|aa)+$'),
        format: fc.constantFrom('date-time', 'duration', 'byte', 'uri', 'ipv4', 'nope'),
        nullable: flag,
        enum: fc.constant<Json>(['a', 'aa']),
        default: fc.constantFrom('a', 'aa'),
      },
      { requiredKeys: [] },
    )
    .chain(more => rule("self == 'a'", 'self != oldSelf').map(rules => ({ type: 'string', ...more, ...rules }))),
  fc
    .record(
      {
        minimum: number,
        maximum: number,
        multipleOf: fc.constantFrom(1, 2, 0.5),
        nullable: flag,
        default: fc.constantFrom(0, 1, 2),
      },
      { requiredKeys: [] },
    )
    .chain(more => rule('self > 0').map(rules => ({ type: 'integer', ...more, ...rules }))),
  fc.constant({ type: 'number' }),
  fc.constant({ type: 'boolean', default: true }),
  fc.constant({ 'x-kubernetes-int-or-string': true }),
  fc.constant({ 'x-kubernetes-preserve-unknown-fields': true }),
)

const anySchema: fc.Arbitrary<JsonObject> = fc.letrec<{ schema: JsonObject; object: JsonObject }>(tie => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    scalarSchema,
    tie('object'),
    fc
      .tuple(tie('schema'), fc.constantFrom({}, { default: {} }), rule('size(self) < 3'))
      .map(([child, more, rules]) => ({
        type: 'object',
        additionalProperties: child,
        ...more,
        ...rules,
      })),
    fc
      .tuple(tie('schema'), fc.constantFrom({}, { 'x-kubernetes-list-type': 'set' }), fc.option(fc.nat(3), { nil: 9 }))
      .map(([items, more, maxItems]) => ({ type: 'array', items, maxItems, ...more })),
    tie('object').map(items => ({
      type: 'array',
      items,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
    })),
  ),
  object: fc
    .record(
      {
        properties: fc.array(fc.tuple(name, tie('schema')), { maxLength: 4 }).map(toObject),
        required: fc.array(name, { maxLength: 2 }),
        default: fc.constant({}),
        nullable: flag,
        'x-kubernetes-preserve-unknown-fields': fc.constant(true),
        'x-kubernetes-embedded-resource': fc.constant(true),
        oneOf: fc.constant<Json>([{ required: ['a'] }, { required: ['b'] }]),
      },
      { requiredKeys: ['properties'] },
    )
    .chain(more => rule('has(self.a)', 'self == oldSelf').map(rules => ({ type: 'object', ...more, ...rules }))),
})).schema

const rooted = anySchema.map(spec => ({ type: 'object', properties: { spec } }))
const object = anyJson.map(spec => ({ apiVersion: 'a/b', kind: 'C', metadata: { name: 'x' }, spec }))

it('Pruning twice drops nothing more', () => {
  fc.assert(
    fc.property(rooted, object, (openApi, value) => {
      const schema = compileSchema(openApi)
      prune(schema, value)
      const once = JSON.stringify(value)
      assert.deepEqual(prune(schema, value), [])
      assert.equal(JSON.stringify(value), once)
    }),
  )
})

it('Defaults are complete after one pass, and survive pruning where they are valid', () => {
  fc.assert(
    fc.property(rooted, object, (openApi, value) => {
      const schema = compileSchema(openApi)
      prune(schema, value)
      applyDefaults(schema, value)
      const once = JSON.stringify(value)
      applyDefaults(schema, value)
      assert.equal(JSON.stringify(value), once)
      if (checkStructural(openApi, 'schema').length > 0) return
      assert.deepEqual(prune(schema, value), [])
    }),
  )
})

it('A value that was defaulted and found good is good again, and good as an update of itself without transition rules', () => {
  let isGood = 0
  fc.assert(
    fc.property(rooted, object, (openApi, value) => {
      const schema = compileSchema(openApi)
      prune(schema, value)
      applyDefaults(schema, value)
      if (validate(schema, value).length > 0) return
      isGood++
      applyDefaults(schema, value)
      assert.deepEqual(validate(schema, value), [])
      if (!JSON.stringify(openApi).includes('oldSelf')) assert.deepEqual(validate(schema, value, value), [])
    }),
  )
  assert.ok(isGood > 0)
})

it('An update that changes nothing cannot fail, but for embedded resources, duplicates and rules', () => {
  fc.assert(
    fc.property(rooted, object, (openApi, value) => {
      const text = JSON.stringify(openApi)
      if (/embedded-resource|validations/.test(text)) return
      const schema = compileSchema(openApi)
      const causes = validate(schema, value, structuredClone(value)).filter(
        ({ reason }) => reason !== 'FieldValueDuplicate',
      )
      assert.deepEqual(causes, [])
    }),
  )
})

it('Nothing is changed by validation', () => {
  fc.assert(
    fc.property(rooted, object, (openApi, value) => {
      const before = JSON.stringify([openApi, value])
      validate(compileSchema(openApi), value, value)
      checkStructural(openApi, 'schema')
      assert.equal(JSON.stringify([openApi, value]), before)
    }),
  )
})

it('Any JSON can be judged by any JSON, and nothing leaks into prototypes', () => {
  fc.assert(
    fc.property(fc.oneof(anyJson, anySchema), anyJson, anyJson, (openApi, value, old) => {
      if (typeof openApi !== 'object' || openApi === null || Array.isArray(openApi)) return
      checkStructural(openApi, 'schema')
      const schema = compileSchema(openApi)
      prune(schema, value)
      applyDefaults(schema, value)
      validate(schema, value)
      validate(schema, value, old)
      assert.equal(Object.keys(Object.prototype).length, 0)
      assert.equal(({} as JsonObject)['a'], undefined)
    }),
    { numRuns: 300 },
  )
})

/** `{"a": {"a": …}}` or `[[…]]`. */
function nested(depth: number, wrap: (inner: Json) => Json, innermost: Json = 1): Json {
  let value = innermost
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

it('Values that are nested as deep as a request may be are judged', () => {
  const wraps: readonly ((inner: Json) => Json)[] = [inner => [inner], inner => ({ a: inner })]
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  for (const wrap of wraps)
    for (const spec of [open, { ...open, enum: [{}] }, { ...open, type: 'array', 'x-kubernetes-list-type': 'set' }]) {
      const schema = compileSchema({ type: 'object', properties: { spec } })
      const [value, old] = [nested(1_000, wrap), nested(1_000, wrap, 2)].map(deep => ({ spec: deep }))
      assert.ok(value && old)
      prune(schema, value)
      applyDefaults(schema, value)
      validate(schema, value)
      validate(schema, value, old)
    }
})
