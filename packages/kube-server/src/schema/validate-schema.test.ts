import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { judge, judgeSchema, sampleObject, specSchema } from './sample.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }

/** Schema of field `a`, its value, the causes. */
type Row = readonly [schema: JsonObject, value: Json, ...causes: string[]]

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [schema, value, ...causes] of rows)
      it(`${JSON.stringify(schema)} ${causes.length ? 'refuses' : 'takes'} ${JSON.stringify(value).slice(0, 60)}`, () => {
        assert.deepEqual(judge({ a: schema }, { a: value }), causes)
      })
  })
}

table('types', [
  [text, 'x'],
  [integer, 5],
  [integer, 5.0],
  [{ type: 'number' }, 5],
  [{ type: 'number' }, 5.5],
  [{ type: 'boolean' }, true],
  [{ type: 'object' }, {}],
  [{ type: 'array', items: text }, []],
  [text, 5, 'TypeInvalid at spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"'],
  [integer, '5', 'TypeInvalid at spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
  [integer, 5.5, 'TypeInvalid at spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"'],
  [integer, 1e20, 'TypeInvalid at spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"'],
  [
    { type: 'boolean' },
    'true',
    'TypeInvalid at spec.a: Invalid value: "string": spec.a in body must be of type boolean: "string"',
  ],
  [
    { type: 'object' },
    [],
    'TypeInvalid at spec.a: Invalid value: "array": spec.a in body must be of type object: "array"',
  ],
  [
    { type: 'array', items: text },
    {},
    'TypeInvalid at spec.a: Invalid value: "object": spec.a in body must be of type array: "object"',
  ],
  [
    { type: 'array', items: text },
    ['x', 1],
    'TypeInvalid at spec.a[1]: Invalid value: "integer": spec.a[1] in body must be of type string: "integer"',
  ],
  [
    { type: 'object', additionalProperties: text },
    { k: 1 },
    'TypeInvalid at spec.a.k: Invalid value: "integer": spec.a.k in body must be of type string: "integer"',
  ],
])

table('int-or-string', [
  [{ 'x-kubernetes-int-or-string': true }, 80],
  [{ 'x-kubernetes-int-or-string': true }, '80%'],
  [
    { 'x-kubernetes-int-or-string': true },
    true,
    'TypeInvalid at spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
  ],
  [
    { 'x-kubernetes-int-or-string': true },
    5.5,
    'TypeInvalid at spec.a: Invalid value: "number": spec.a in body must be of type integer,string: "number"',
  ],
])

table('null', [
  [{ ...text, nullable: true }, null],
  [text, null],
  [
    { type: 'array', items: text },
    [null],
    'TypeInvalid at spec.a[0]: Invalid value: "null": spec.a[0] in body must be of type string: "null"',
  ],
  [
    { ...text, nullable: true, enum: ['x'] },
    null,
    'NotSupported at spec.a: Unsupported value: "null": supported values: "x"',
  ],
])

table('enum', [
  [{ ...text, enum: ['Red', 'Green'] }, 'Red'],
  [{ ...integer, enum: [1, 2] }, 1],
  [{ 'x-kubernetes-preserve-unknown-fields': true, enum: [{ x: 1 }] }, { x: 1 }],
  [
    { ...text, enum: ['Red', 'Green'] },
    'Pink',
    'NotSupported at spec.a: Unsupported value: "Pink": supported values: "Red", "Green"',
  ],
  [{ ...integer, enum: [1, 2] }, 3, 'NotSupported at spec.a: Unsupported value: 3: supported values: "1", "2"'],
  [
    { 'x-kubernetes-preserve-unknown-fields': true, enum: [{ x: 1 }] },
    { x: 2 },
    'NotSupported at spec.a: Unsupported value: map[string]interface {}{"x":2}: supported values: "{\\"x\\":1}"',
  ],
])

table('numbers', [
  [{ ...integer, minimum: 1, maximum: 5 }, 1],
  [{ ...integer, minimum: 1, maximum: 5 }, 5],
  [{ ...integer, multipleOf: 3 }, 9],
  [
    { ...integer, minimum: 1 },
    0,
    'Invalid at spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1',
  ],
  [
    { ...integer, maximum: 5 },
    6,
    'Invalid at spec.a: Invalid value: 6: spec.a in body should be less than or equal to 5',
  ],
  [
    { ...integer, minimum: 1, exclusiveMinimum: true },
    1,
    'Invalid at spec.a: Invalid value: 1: spec.a in body should be greater than 1',
  ],
  [
    { ...integer, maximum: 5, exclusiveMaximum: true },
    5,
    'Invalid at spec.a: Invalid value: 5: spec.a in body should be less than 5',
  ],
  [{ ...integer, multipleOf: 2 }, 5, 'Invalid at spec.a: Invalid value: 5: spec.a in body should be a multiple of 2'],
  [
    { type: 'number', minimum: 1.5 },
    0.25,
    'Invalid at spec.a: Invalid value: 0.25: spec.a in body should be greater than or equal to 1.5',
  ],
  // The widths of integer formats are not enforced.
  [{ ...integer, format: 'int32' }, 3_000_000_000],
])

table('strings', [
  [{ ...text, maxLength: 2 }, 'é𝒳'],
  [{ ...text, minLength: 1 }, 'x'],
  [{ ...text, pattern: '^[a-z]*$' }, 'abc'],
  [{ ...text, pattern: 'b' }, 'abc'],
  [{ ...text, maxLength: 2 }, 'abc', 'TooLong at spec.a: Too long: may not be more than 2 bytes'],
  [
    { ...text, minLength: 2 },
    '𝒳',
    'Invalid at spec.a: Invalid value: "𝒳": spec.a in body should be at least 2 chars long',
  ],
  [
    { ...text, pattern: '^[a-z]*$' },
    'ABC',
    'Invalid at spec.a: Invalid value: "ABC": spec.a in body should match \'^[a-z]*$\'',
  ],
  [
    { ...text, pattern: '^a$' },
    '"\u0001',
    'Invalid at spec.a: Invalid value: "\\"\\x01": spec.a in body should match \'^a$\'',
  ],
])

table('sizes', [
  [{ type: 'array', items: text, minItems: 1, maxItems: 2 }, ['x']],
  [{ type: 'object', additionalProperties: text, minProperties: 1, maxProperties: 2 }, { x: 'y' }],
  [
    { type: 'array', items: text, maxItems: 1 },
    ['x', 'y'],
    'TooMany at spec.a: Too many: 2: must have at most 1 items',
  ],
  [
    { type: 'array', items: text, minItems: 1 },
    [],
    'Invalid at spec.a: Invalid value: 0: spec.a in body should have at least 1 items',
  ],
  [
    { type: 'object', additionalProperties: text, maxProperties: 1 },
    { x: 'a', y: 'b' },
    'TooMany at spec.a: Too many: 2: must have at most 1 items',
  ],
  [
    { type: 'object', additionalProperties: text, minProperties: 1 },
    {},
    'Invalid at spec.a: Invalid value: 0: spec.a in body should have at least 1 properties',
  ],
])

const either = { type: 'object', properties: { x: text, y: text } }

table('junctors', [
  [{ ...either, oneOf: [{ required: ['x'] }, { required: ['y'] }] }, { x: '1' }],
  [
    { ...either, oneOf: [{ required: ['x'] }, { required: ['y'] }] },
    {},
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found none valid',
    'Required at spec.a.x: Required value',
  ],
  [
    { ...either, oneOf: [{ required: ['x'] }, { required: ['y'] }] },
    { x: '1', y: '2' },
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    { ...either, anyOf: [{ required: ['x'] }, { required: ['y'] }] },
    { x: '1', y: '2' },
  ],
  [
    { ...either, anyOf: [{ required: ['x'] }, { required: ['y'] }] },
    {},
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate at least one schema (anyOf)',
    'Required at spec.a.x: Required value',
  ],
  [
    { ...either, allOf: [{ required: ['x'] }, { required: ['y'] }] },
    { x: '1' },
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate all the schemas (allOf)',
    'Required at spec.a.y: Required value',
  ],
  [
    { ...either, allOf: [{ required: ['x'] }] },
    {},
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate all the schemas (allOf). None validated',
    'Required at spec.a.x: Required value',
  ],
  [
    { ...either, not: { required: ['x'] } },
    { x: '1' },
    'Invalid at <nil>: Invalid value: "": "spec.a" must not validate the schema (not)',
  ],
  // Of several failed alternatives the one that says most is quoted.
  [
    { ...text, oneOf: [{ pattern: 'a' }, { format: 'ipv4' }] },
    'zzz',
    'Invalid at <nil>: Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found none valid',
    'TypeInvalid at spec.a: Invalid value: "zzz": spec.a in body must be of type ipv4: "zzz"',
  ],
])

describe('required members', () => {
  it('are missed at the path of the missing child', () => {
    const parts = { type: 'array', items: { type: 'object', required: ['name'], properties: { name: text } } }
    assert.deepEqual(judge({ parts }, { parts: [{ name: 'x' }, {}] }), [
      'Required at spec.parts[1].name: Required value',
    ])
  })

  it('are missed at the root', () => {
    const { spec: _, ...object } = sampleObject({})
    assert.deepEqual(judgeSchema({ ...specSchema({}), required: ['spec'] }, object), [
      'Required at spec: Required value',
    ])
  })
})

it('Several causes of one value are all reported', () => {
  assert.deepEqual(judge({ a: { ...integer, multipleOf: 2, maximum: 5 }, b: text }, { a: 9, b: 1 }), [
    'Invalid at spec.a: Invalid value: 9: spec.a in body should be a multiple of 2',
    'Invalid at spec.a: Invalid value: 9: spec.a in body should be less than or equal to 5',
    'TypeInvalid at spec.b: Invalid value: "integer": spec.b in body must be of type string: "integer"',
  ])
})
