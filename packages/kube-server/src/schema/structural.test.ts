import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { refusals, specSchema } from './sample.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const preserving = { 'x-kubernetes-preserve-unknown-fields': true }
const either = { 'x-kubernetes-int-or-string': true }
const embedded = { 'x-kubernetes-embedded-resource': true }
const listOf = (items: Json, more: JsonObject = {}) => ({ type: 'array', items, ...more })
const withX = (x: JsonObject, more: JsonObject = {}) => ({ type: 'object', properties: { x }, ...more })
const set = (items: Json) => listOf(items, { 'x-kubernetes-list-type': 'set' })
const keyed = (items: Json, ...keys: string[]) =>
  listOf(items, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })

/** Where the field stands in the definition; a row's causes name it `@`. */
const place = 'schema.properties[spec].properties[a]'

/** Schema of the field, the causes. */
type Row = readonly [schema: JsonObject, ...causes: string[]]

function judgesFields(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [schema, ...causes] of rows)
      it(`${causes.length ? 'refuses' : 'takes'} ${JSON.stringify(schema)}`, () => {
        assert.deepEqual(
          refusals(specSchema({ a: schema })),
          causes.map(cause => cause.replace(' at @', ` at ${place}`)),
        )
      })
  })
}

function judgesRoots(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [schema, ...causes] of rows)
      it(`${causes.length ? 'refuses' : 'takes'} ${JSON.stringify(schema)}`, () => {
        assert.deepEqual(refusals(schema), causes)
      })
  })
}

const types = 'supported values: "array", "boolean", "integer", "number", "object", "string"'

judgesRoots('the root', [
  [{ type: 'object' }],
  [{ type: 'object', ...preserving }],
  [{ type: 'object', required: ['spec'], description: 'x', properties: { status: { type: 'object', ...preserving } } }],
  [{}, 'Required at schema.type: Required value: must not be empty at the root'],
  [{ type: 'string' }, 'Invalid at schema.type: Invalid value: "string": must be object at the root'],
  [
    { type: 'foo' },
    'Invalid at schema.type: Invalid value: "foo": must be object at the root',
    `NotSupported at schema.type: Unsupported value: "foo": ${types}`,
  ],
  [{ type: 'object', nullable: true }, 'Forbidden at schema.nullable: Forbidden: nullable cannot be true at the root'],
  [
    { type: 'object', additionalProperties: text },
    'Forbidden at schema.additionalProperties: Forbidden: must not be used at the root',
  ],
])

const onlyNames =
  'Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified'

judgesRoots('metadata, apiVersion and kind', [
  [{ type: 'object', properties: { metadata: { type: 'object' } } }],
  [{ type: 'object', properties: { metadata: { type: 'object', properties: { name: { ...text, maxLength: 5 } } } } }],
  [{ type: 'object', properties: { kind: { ...text, enum: ['A'] } } }],
  [
    { type: 'object', properties: { metadata: { type: 'object', required: ['name'] } } },
    `Forbidden at schema.properties[metadata]: ${onlyNames}`,
  ],
  [
    { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
    `Forbidden at schema.properties[metadata]: ${onlyNames}`,
  ],
  [
    { type: 'object', properties: { metadata: { type: 'object', default: {} } } },
    'Forbidden at schema.properties[metadata].default: Forbidden: must not be set in top-level metadata',
  ],
  [
    { type: 'object', properties: { metadata: text } },
    'Invalid at schema.properties[metadata].type: Invalid value: "string": must be object',
  ],
  [
    { type: 'object', properties: { kind: integer, apiVersion: integer } },
    'Invalid at schema.properties[apiVersion].type: Invalid value: "integer": must be string',
    'Invalid at schema.properties[kind].type: Invalid value: "integer": must be string',
  ],
])

const exclusive =
  'Forbidden at @.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'

judgesFields('every node has a type', [
  [{}, 'Required at @.type: Required value: must not be empty for specified object fields'],
  [preserving],
  [either],
  [{ type: 'array' }, 'Required at @.items: Required value: must be specified'],
  [listOf({}), 'Required at @.items.type: Required value: must not be empty for specified array items'],
  [withX({}), 'Required at @.properties[x].type: Required value: must not be empty for specified object fields'],
  [{ type: 'foo' }, `NotSupported at @.type: Unsupported value: "foo": ${types}`],
  [
    { type: 'null' },
    'Forbidden at @.type: Forbidden: type cannot be set to null, use nullable as an alternative',
    `NotSupported at @.type: Unsupported value: "null": ${types}`,
  ],
  [withX(text, { additionalProperties: text }), exclusive],
  [withX(text, { additionalProperties: false }), exclusive],
  [{ type: 'object', additionalProperties: text }],
])

judgesFields('keywords of JSON schema that are not supported', [
  [{ ...text, $ref: '#/x' }, 'Forbidden at @.$ref: Forbidden: $ref is not supported'],
  [{ ...text, id: 'x' }, 'Forbidden at @.id: Forbidden: id is not supported'],
  [
    { type: 'object', patternProperties: { x: text } },
    'Forbidden at @.patternProperties: Forbidden: patternProperties is not supported',
  ],
  [{ type: 'object', definitions: { x: text } }, 'Forbidden at @.definitions: Forbidden: definitions is not supported'],
  [
    { type: 'object', dependencies: { x: ['y'] } },
    'Forbidden at @.dependencies: Forbidden: dependencies is not supported',
  ],
  [listOf([text]), 'Forbidden at @.items: Forbidden: items must be a schema object and not an array'],
  [
    listOf(text, { additionalItems: true }),
    'Forbidden at @.additionalItems: Forbidden: additionalItems is not supported',
  ],
  [
    listOf(text, { uniqueItems: true }),
    'Forbidden at @.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
  ],
  [listOf(text, { uniqueItems: false })],
])

const eitherOf = [{ type: 'integer' }, { type: 'string' }]

judgesFields('int-or-string, preserved fields and embedded resources', [
  [{ ...either, anyOf: eitherOf }],
  [{ ...either, allOf: [{ anyOf: eitherOf }, { maxLength: 5 }] }],
  [
    { ...either, anyOf: eitherOf.toReversed() },
    'Forbidden at @.anyOf[0].type: Forbidden: must be empty to be structural',
    'Forbidden at @.anyOf[1].type: Forbidden: must be empty to be structural',
  ],
  [
    { ...either, ...preserving },
    'Invalid at @.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true',
  ],
  [
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
    'Invalid at @.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined',
  ],
  [{ type: 'object', ...embedded, ...preserving }],
  [withX(text, embedded)],
  [
    { type: 'object', ...embedded },
    'Required at @.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
  ],
  [
    { ...embedded, ...preserving },
    'Required at @.type: Required value: must be object if x-kubernetes-embedded-resource is true',
  ],
  [
    { type: 'object', ...embedded, ...preserving, additionalProperties: text },
    'Forbidden at @.additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource is set',
  ],
  [
    { type: 'object', ...embedded, properties: { kind: integer, metadata: text } },
    'Invalid at @.properties[kind].type: Invalid value: "integer": must be string',
    'Invalid at @.properties[metadata].type: Invalid value: "string": must be object',
  ],
])

const structuralOnly = (path: string, what: string) =>
  `Forbidden at @.${path}: Forbidden: must be ${what} to be structural`

judgesFields('junctors add conditions only', [
  [withX(text, { oneOf: [{ required: ['x'] }, { properties: { x: { pattern: 'a' } } }] })],
  [{ ...text, allOf: [{ minLength: 3 }, { not: { pattern: 'a' } }] }],
  [withX(text, { oneOf: [{ properties: { x: text } }] }), structuralOnly('oneOf[0].properties[x].type', 'empty')],
  [
    withX(text, { not: { description: 'a', nullable: true, default: 1, additionalProperties: text } }),
    structuralOnly('not.additionalProperties', 'undefined'),
    structuralOnly('not.default', 'undefined'),
    structuralOnly('not.description', 'empty'),
    structuralOnly('not.nullable', 'false'),
  ],
  [
    { ...integer, anyOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] },
    structuralOnly('anyOf[0].x-kubernetes-validations', 'empty'),
  ],
  [
    { type: 'object', properties: { metadata: withX(text) }, allOf: [{ properties: { metadata: {} } }] },
    'Forbidden at @.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context',
  ],
])

const badPattern = (path: string, pattern: string, why: string) =>
  `Invalid at @.${path}: Invalid value: "${pattern}": must be a valid regular expression, but isn't: error parsing regexp: ${why}`

judgesFields('patterns are RE2', [
  [{ ...text, pattern: '\\d+(?P<x>a)\\pL[[:alpha:]]' }],
  [{ ...text, pattern: '(' }, badPattern('pattern', '(', 'missing closing ): `(`')],
  [{ ...text, pattern: '(?=a)' }, badPattern('pattern', '(?=a)', 'invalid or unsupported Perl syntax: `(?=`')],
  [{ ...text, pattern: 'a{2000}' }, badPattern('pattern', 'a{2000}', 'invalid repeat count: `{2000}`')],
  [
    withX(text, { oneOf: [{ properties: { x: { pattern: '(' } } }] }),
    badPattern('oneOf[0].properties[x].pattern', '(', 'missing closing ): `(`'),
  ],
])

judgesFields('defaults are valid and complete', [
  [{ ...integer, default: 5 }],
  [withX(withX({ ...integer, default: 1 }), { default: { x: {} } })],
  [{ ...text, nullable: true, default: null }],
  [
    { ...integer, default: 'x' },
    'TypeInvalid at @.default: Invalid value: "string":  in body must be of type integer: "string"',
  ],
  [
    { ...integer, default: 5, minimum: 6 },
    'Invalid at @.default: Invalid value: 5:  in body should be greater than or equal to 6',
  ],
  [withX(text, { default: {}, required: ['x'] }), 'Required at @.default.x: Required value'],
  [
    withX(text, { default: { z: 1 } }),
    'Invalid at @.default: Invalid value: map[string]interface {}{"z":1}: must not have unknown fields',
  ],
  [
    listOf(text, { default: [1] }),
    'TypeInvalid at @.default.[0]: Invalid value: "integer": [0] in body must be of type string: "integer"',
  ],
  [
    listOf({ ...integer, default: 'q' }),
    'TypeInvalid at @.items.default: Invalid value: "string":  in body must be of type integer: "string"',
  ],
  [
    { ...integer, default: 1, 'x-kubernetes-validations': [{ rule: 'self > 5' }] },
    'Invalid at @.default: Invalid value: "integer": failed rule: self > 5',
  ],
  [
    { type: 'object', ...embedded, ...preserving, default: { kind: 'A', metadata: { name: 'x' } } },
    'Required at @.default.apiVersion: Required value: must not be empty',
  ],
])

const atomicItem = (keyword: string, value: string) =>
  `Invalid at @.items.${keyword}: Invalid value: "${value}": must be atomic as item of a list with x-kubernetes-list-type=set`

judgesFields('sets', [
  [set(text)],
  [set(withX(text, { 'x-kubernetes-map-type': 'atomic' }))],
  [set(withX(text)), atomicItem('x-kubernetes-map-type', 'null')],
  [set(set(text)), atomicItem('x-kubernetes-list-type', 'set')],
  [
    set({ ...text, nullable: true }),
    'Forbidden at @.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set',
  ],
  [
    listOf(text, { 'x-kubernetes-list-type': 'foo' }),
    'NotSupported at @.x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"',
  ],
  [
    { ...text, 'x-kubernetes-list-type': 'set' },
    'Invalid at @.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified',
  ],
  [
    { ...preserving, 'x-kubernetes-list-type': 'set' },
    'Required at @.type: Required value: must be array if x-kubernetes-list-type is specified',
  ],
])

judgesFields('keyed lists', [
  [keyed(withX(text, { required: ['x'] }), 'x')],
  [keyed(withX({ ...text, default: 'd' }), 'x')],
  [
    listOf(withX(text), { 'x-kubernetes-list-type': 'map' }),
    'Required at @.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
  ],
  [
    keyed(withX(text), 'x'),
    'Required at @.items.properties[x].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
  ],
  [
    keyed(withX(text, { required: ['x'] }), 'x', 'x', 'y'),
    'Invalid at @.x-kubernetes-list-map-keys: Invalid value: []string{"x", "x", "y"}: entries must all be names of item properties',
    'Invalid at @.x-kubernetes-list-map-keys: Invalid value: []string{"x", "x", "y"}: must not contain duplicate entries',
  ],
  [
    keyed(withX({ type: 'object' }, { required: ['x'] }), 'x'),
    `Invalid at @.items.properties[x].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
  ],
  [
    keyed(text, 'x'),
    `Invalid at @.items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`,
  ],
  [
    keyed(withX({ ...text, nullable: true }, { required: ['x'], nullable: true }), 'x'),
    'Forbidden at @.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map',
    'Forbidden at @.items.properties[x].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
  ],
  [
    listOf(text, { 'x-kubernetes-list-map-keys': ['x'] }),
    'Required at @.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty',
  ],
])

judgesFields('map types', [
  [{ type: 'object', 'x-kubernetes-map-type': 'granular' }],
  [
    { type: 'object', 'x-kubernetes-map-type': 'foo' },
    'NotSupported at @.x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"',
  ],
  [
    { ...text, 'x-kubernetes-map-type': 'atomic' },
    'Invalid at @.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified',
  ],
])

describe('schemas that cannot be read', () => {
  for (const schema of [
    { type: 5 },
    { type: 'object', properties: [] },
    { type: 'object', properties: { a: 'string' } },
    { type: 'object', required: 'a' },
    { type: 'object', maxProperties: 'many' },
    { type: 'object', 'x-kubernetes-validations': [{ rule: 1 }] },
  ] satisfies JsonObject[])
    it(`are refused: ${JSON.stringify(schema)}`, () => assert.notDeepEqual(refusals(schema), []))

  it('are refused when they are too deep to walk', () => {
    let schema: JsonObject = text
    for (let depth = 0; depth < 10_000; depth++) schema = withX(schema)
    assert.equal(refusals(schema).length, 1)
  })
})
