import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { judge, judgeSchema, sampleObject, specSchema } from './sample.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }

const ruled = (schema: JsonObject, rule: string, more: JsonObject = {}): JsonObject => ({
  ...schema,
  'x-kubernetes-validations': [{ rule, ...more }],
})

describe('the cause of a rule that does not hold', () => {
  const range = { type: 'object', properties: { min: integer, max: integer } }
  const judgeRange = (more: JsonObject) =>
    judge({ a: ruled(range, 'self.min <= self.max', more) }, { a: { min: 5, max: 3 } })
  const invalid = (message: string, field = 'spec.a') => [`Invalid at ${field}: Invalid value: "object": ${message}`]

  it('quotes the rule, unless there is a message', () => {
    assert.deepEqual(judgeRange({}), invalid('failed rule: self.min <= self.max'))
    assert.deepEqual(judgeRange({ message: ' min is above max ' }), invalid('min is above max'))
  })

  it('prefers the text that the message expression makes', () => {
    const messageExpression = "'min ' + string(self.min) + ' is above ' + string(self.max)"
    assert.deepEqual(judgeRange({ message: 'unused', messageExpression }), invalid('min 5 is above 3'))
  })

  for (const [why, messageExpression] of [
    ['fails', 'string(self.min / 0)'],
    ['is empty', "'  '"],
    ['has several lines', "'a\\nb'"],
    ['is too long', `'${'x'.repeat(5 * 1024 + 1)}'`],
  ] as const)
    it(`falls back to the message when the text of the message expression ${why}`, () => {
      assert.deepEqual(judgeRange({ message: 'fallback', messageExpression }), invalid('fallback'))
      assert.deepEqual(judgeRange({ messageExpression }), invalid('failed rule: self.min <= self.max'))
    })

  it('has the reason that the rule gives', () => {
    const message = 'm'
    assert.deepEqual(judgeRange({ message, reason: 'FieldValueInvalid' }), invalid('m'))
    assert.deepEqual(judgeRange({ message, reason: 'FieldValueForbidden' }), ['Forbidden at spec.a: Forbidden: m'])
    assert.deepEqual(judgeRange({ message, reason: 'FieldValueRequired' }), ['Required at spec.a: Required value: m'])
    assert.deepEqual(judgeRange({ message, reason: 'FieldValueDuplicate' }), [
      'Duplicate at spec.a: Duplicate value: "object"',
    ])
  })

  it('points at the field path of the rule', () => {
    assert.deepEqual(judgeRange({ message: 'm', fieldPath: '.max' }), invalid('m', 'spec.a.max'))
    const dotted = ruled({ type: 'object', properties: { 'a.b': integer } }, 'false', { fieldPath: "['a.b']" })
    assert.deepEqual(judge({ o: dotted }, { o: {} }), [
      'Invalid at spec.o.a.b: Invalid value: "object": failed rule: false',
    ])
    const byName = ruled({ type: 'object', additionalProperties: integer }, 'false', { fieldPath: '.size' })
    assert.deepEqual(judge({ o: byName }, { o: {} }), [
      'Invalid at spec.o.[size]: Invalid value: "object": failed rule: false',
    ])
  })

  it('shows the type of the value', () => {
    const failing = (schema: JsonObject, value: Json) => judge({ a: ruled(schema, 'false') }, { a: value })
    const shown = (type: string) => [`Invalid at spec.a: Invalid value: "${type}": failed rule: false`]
    assert.deepEqual(failing(text, 'x'), shown('string'))
    assert.deepEqual(failing(integer, 1), shown('integer'))
    assert.deepEqual(failing({ type: 'number' }, 1.5), shown('number'))
    assert.deepEqual(failing({ type: 'boolean' }, true), shown('boolean'))
    assert.deepEqual(failing({ type: 'array', items: text }, []), shown('array'))
    assert.deepEqual(failing({ 'x-kubernetes-int-or-string': true }, 1), shown(''))
  })
})

describe('where rules look', () => {
  it('reaches items, map values and properties, each with its own path', () => {
    const positive = ruled(integer, 'self > 0')
    const failed = (field: string) => `Invalid at ${field}: Invalid value: "integer": failed rule: self > 0`
    assert.deepEqual(
      judge(
        {
          list: { type: 'array', items: positive },
          map: { type: 'object', additionalProperties: positive },
          deep: { type: 'array', items: { type: 'object', properties: { n: positive } } },
        },
        { list: [1, 0], map: { good: 1, 'example.com/bad': -1 }, deep: [{}, { n: 0 }] },
      ),
      [failed('spec.deep[1].n'), failed('spec.list[1]'), failed('spec.map[example.com/bad]')],
    )
  })

  it('passes over a value that is absent or null', () => {
    const never = ruled({ ...integer, nullable: true }, 'false')
    assert.deepEqual(judge({ n: never }, {}), [])
    assert.deepEqual(judge({ n: never }, { n: null }), [])
  })

  it('sees defaults', () => {
    const o = ruled({ type: 'object', properties: { n: { ...integer, default: 3 } } }, 'self.n == 3')
    assert.deepEqual(judge({ o }, { o: {} }), [])
  })

  it('sees type, name and generateName at the root, and nothing else of the metadata', () => {
    const root = (rule: string) => judgeSchema(ruled(specSchema({}), rule), sampleObject({}))
    assert.deepEqual(root("self.metadata.name == 'sample' && self.kind == 'Sample'"), [])
    assert.deepEqual(root("self.apiVersion == 'tests.example.com/v1' && !has(self.metadata.generateName)"), [])
    assert.deepEqual(root("self.metadata.name == 'other'"), [
      `Invalid at <nil>: Invalid value: "object": failed rule: self.metadata.name == 'other'`,
    ])
    const [refused] = root("self.metadata.namespace == 'default'")
    assert.match(refused ?? '', /rule compile error: compilation failed: .*undefined field 'namespace'/s)
  })

  it('sees the metadata of an embedded resource likewise', () => {
    const embedded = { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { n: integer } }
    const value = { apiVersion: 'v1', kind: 'Inner', metadata: { name: 'inner' }, n: 1 }
    assert.deepEqual(
      judge(
        { e: ruled(embedded, "self.metadata.name == 'inner' && self.kind == 'Inner' && self.n == 1") },
        { e: value },
      ),
      [],
    )
  })
})

describe('a rule that cannot be evaluated fails with the reason', () => {
  const failure = (schema: JsonObject, value: Json, rule: string, more: JsonObject = {}) =>
    judge({ a: ruled(schema, rule, more) }, { a: value })

  for (const [schema, value, rule, message] of [
    [integer, 1, 'self / 0 == 1', 'division by zero evaluating rule: self / 0 == 1'],
    [integer, 1, 'self % 0 == 1', 'modulus by zero evaluating rule: self % 0 == 1'],
    [integer, 1, 'self + 9223372036854775807 > 0', 'integer overflow evaluating rule: self + 9223372036854775807 > 0'],
    [{ type: 'array', items: integer }, [1], 'self[5] == 1', 'index out of bounds: 5 evaluating rule: self[5] == 1'],
    [{ type: 'object', properties: { n: integer } }, {}, 'self.n == 1', 'no such key: n evaluating rule: self.n == 1'],
    [
      { type: 'object', additionalProperties: integer },
      {},
      "self['k'] == 1",
      "no such key: k evaluating rule: self['k'] == 1",
    ],
  ] as const satisfies readonly (readonly [JsonObject, Json, string, string])[])
    it(`${rule}: ${message}`, () => {
      assert.deepEqual(failure(schema, value, rule), [`Invalid at spec.a: Invalid value: "${schema.type}": ${message}`])
    })

  it('A value of int or string must be asked for its type first', () => {
    const either = { 'x-kubernetes-int-or-string': true }
    assert.deepEqual(failure(either, '50%', 'self > 5'), [
      `Invalid at spec.a: Invalid value: "": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self > 5`,
    ])
    assert.deepEqual(failure(either, '50%', "type(self) == string ? self.endsWith('%') : self > 5"), [])
    assert.deepEqual(failure(either, 6, "type(self) == string ? self.endsWith('%') : self > 5"), [])
  })

  it('The failure names the message instead of the rule', () => {
    assert.deepEqual(failure(integer, 1, 'self / 0 == 1', { message: 'be careful' }), [
      'Invalid at spec.a: Invalid value: "integer": division by zero evaluating rule: be careful',
    ])
  })

  it('An error decides nothing where the other side of a junction decides', () => {
    assert.deepEqual(failure(integer, 1, 'self / 0 == 1 || true'), [])
    assert.deepEqual(failure(integer, 1, '!(self / 0 == 1 && false)'), [])
  })
})

describe('transition rules', () => {
  const frozen = ruled(text, 'self == oldSelf', { message: 'is immutable' })
  const refused = ['Invalid at spec.f: Invalid value: "string": is immutable']

  it('run only where there is an old and a new value', () => {
    assert.deepEqual(judge({ f: frozen }, { f: 'a' }), [])
    assert.deepEqual(judge({ f: frozen }, { f: 'a' }, {}), [])
    assert.deepEqual(judge({ f: frozen }, {}, { f: 'a' }), [])
    assert.deepEqual(judge({ f: frozen }, { f: 'a' }, { f: 'a' }), [])
    assert.deepEqual(judge({ f: frozen }, { f: 'a' }, { f: 'b' }), refused)
  })

  it('run without an old value when it is optional', () => {
    const f = ruled(text, "oldSelf.hasValue() || self == 'first'", { optionalOldSelf: true, message: 'is immutable' })
    assert.deepEqual(judge({ f }, { f: 'first' }), [])
    assert.deepEqual(judge({ f }, { f: 'second' }), refused)
    assert.deepEqual(judge({ f }, { f: 'second' }, { f: 'first' }), [])
    assert.deepEqual(judge({ f }, { f: 'second' }, {}), refused)
  })

  it('give the old value to the message expression', () => {
    const f = ruled(text, 'self == oldSelf', { messageExpression: "oldSelf + ' cannot become ' + self" })
    assert.deepEqual(judge({ f }, { f: 'b' }, { f: 'a' }), [
      'Invalid at spec.f: Invalid value: "string": a cannot become b',
    ])
  })

  it('find the old item of a keyed list by its keys, in any order', () => {
    const list = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name', 'port'],
      items: {
        type: 'object',
        required: ['name', 'port'],
        properties: { name: text, port: integer, size: ruled(integer, 'self >= oldSelf', { message: 'no shrinking' }) },
      },
    }
    const old = [
      { name: 'a', port: 1, size: 5 },
      { name: 'a', port: 2, size: 9 },
    ]
    const now = [
      { name: 'new', port: 1, size: 0 },
      { name: 'a', port: 2, size: 8 },
      { name: 'a', port: 1, size: 6 },
    ]
    assert.deepEqual(judge({ list }, { list: now }, { list: old }), [
      'Invalid at spec.list[1].size: Invalid value: "integer": no shrinking',
    ])
  })

  it('find the old value of a map by its key', () => {
    const map = { type: 'object', additionalProperties: ruled(integer, 'self >= oldSelf') }
    assert.deepEqual(judge({ map }, { map: { a: 1, b: 2, c: 0 } }, { map: { a: 1, b: 3 } }), [
      'Invalid at spec.map[b]: Invalid value: "integer": failed rule: self >= oldSelf',
    ])
  })

  it('see whole lists before and after', () => {
    const list = ruled({ type: 'array', items: text }, 'oldSelf.all(one, one in self)', { message: 'append only' })
    assert.deepEqual(judge({ list }, { list: ['b', 'a'] }, { list: ['a'] }), [])
    assert.deepEqual(judge({ list }, { list: ['b'] }, { list: ['a'] }), [
      'Invalid at spec.list: Invalid value: "array": append only',
    ])
  })
})

describe('rules beside errors of the schema', () => {
  const skipped =
    'Invalid at <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
  const never = ruled(integer, 'false')

  it('are not checked when a type is wrong, a member missing, or a value too long', () => {
    assert.deepEqual(judge({ n: never, t: text }, { n: 1, t: 2 }), [
      skipped,
      'TypeInvalid at spec.t: Invalid value: "integer": spec.t in body must be of type string: "integer"',
    ])
    assert.deepEqual(judge({ n: never, t: { ...text, maxLength: 1 } }, { n: 1, t: 'ab' }), [
      skipped,
      'TooLong at spec.t: Too long: may not be more than 1 bytes',
    ])
    assert.deepEqual(
      judge({ n: never, o: { type: 'object', required: ['q'], properties: { q: text } } }, { n: 1, o: {} }),
      [skipped, 'Required at spec.o.q: Required value'],
    )
  })

  it('are checked beside a number that is out of its range', () => {
    assert.deepEqual(judge({ n: never, m: { ...integer, maximum: 1 } }, { n: 1, m: 2 }), [
      'Invalid at spec.m: Invalid value: 2: spec.m in body should be less than or equal to 1',
      'Invalid at spec.n: Invalid value: "integer": failed rule: false',
    ])
  })

  it('are not mentioned when the schema has none', () => {
    assert.deepEqual(judge({ t: text }, { t: 2 }), [
      'TypeInvalid at spec.t: Invalid value: "integer": spec.t in body must be of type string: "integer"',
    ])
  })
})
