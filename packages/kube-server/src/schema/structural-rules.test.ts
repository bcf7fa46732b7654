import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { refusals, specSchema } from './sample.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const properties = {
  x: integer,
  l: { type: 'array', items: text },
  m: { type: 'object', additionalProperties: text },
  kept: { 'x-kubernetes-preserve-unknown-fields': true },
}
const place = 'schema.properties[spec].properties[a]'
const first = `${place}.x-kubernetes-validations[0]`

/** How the real server prints a rule. */
const printed = ({ rule, messageExpression = '' }: { rule: string; messageExpression?: string }) =>
  `apiextensions.ValidationRule{Rule:${JSON.stringify(rule)}, Message:"", MessageExpression:${JSON.stringify(messageExpression)}, Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}`

const judge = (rule: JsonObject) =>
  refusals(specSchema({ a: { type: 'object', properties, 'x-kubernetes-validations': [rule] } }))

describe('a rule', () => {
  for (const [rule, ...causes] of [
    [{ rule: 'self.x > 1' }],
    [{ rule: 'self.x == oldSelf.x' }],
    [{ rule: 'true ||\nfalse', message: 'x' }],
    [{ rule: 'true', messageExpression: "'x is ' + string(self.x)" }],
    [{ rule: 'true', reason: 'FieldValueDuplicate' }],
    [{ rule: 'true', fieldPath: '.x' }],
    [{ rule: 'true', fieldPath: "['x']" }],
    [{ rule: 'true', fieldPath: ".m['k']" }],
    [{ rule: 'oldSelf.hasValue()', optionalOldSelf: true }],
    [{ rule: '' }, `Required at ${first}.rule: Required value: rule is not specified`],
    [
      { rule: 'true', message: ' ' },
      `Invalid at ${first}.message: Invalid value: " ": message must be non-empty if specified`,
    ],
    [
      { rule: 'true', message: 'a\nb' },
      `Invalid at ${first}.message: Invalid value: "a\\nb": message must not contain line breaks`,
    ],
    [
      { rule: 'true ||\nfalse' },
      `Required at ${first}.message: Required value: message must be specified if rule contains line breaks`,
    ],
    [
      { rule: 'true', messageExpression: '  ' },
      `Required at ${first}.messageExpression: Required value: messageExpression must be non-empty if specified`,
    ],
    [
      { rule: 'true', messageExpression: '1' },
      `Invalid at ${first}.messageExpression: Invalid value: ${printed({ rule: 'true', messageExpression: '1' })}: messageExpression must evaluate to a string`,
    ],
    [
      { rule: 'true', reason: 'Foo' },
      `NotSupported at ${first}.reason: Unsupported value: "Foo": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
    ],
    [
      { rule: 'true', fieldPath: '.q' },
      `Invalid at ${first}.fieldPath: Invalid value: ".q": fieldPath must be a valid path`,
    ],
    [
      { rule: 'true', fieldPath: '.l[0]' },
      `Invalid at ${first}.fieldPath: Invalid value: ".l[0]": fieldPath must be a valid path`,
    ],
    [
      { rule: 'true', fieldPath: 'x' },
      `Invalid at ${first}.fieldPath: Invalid value: "x": fieldPath must be a valid path`,
    ],
    [
      { rule: 'true', optionalOldSelf: true },
      `Invalid at ${first}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
    ],
    [
      { rule: 'self.nope' },
      `Invalid at ${first}.rule: Invalid value: ${printed({ rule: 'self.nope' })}: compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^`,
    ],
    [
      { rule: 'has(self.kept)' },
      `Invalid at ${first}.rule: Invalid value: ${printed({ rule: 'has(self.kept)' })}: compilation failed: ERROR: <input>:1:4: undefined field 'kept'\n | has(self.kept)\n | ...^`,
    ],
    [
      { rule: 'self.x' },
      `Invalid at ${first}.rule: Invalid value: ${printed({ rule: 'self.x' })}: cel expression must evaluate to a bool`,
    ],
  ] as const satisfies readonly (readonly [JsonObject, ...string[]])[])
    it(`${causes.length ? 'is refused' : 'is taken'}: ${JSON.stringify(rule)}`, () => {
      assert.deepEqual(judge(rule), causes)
    })
})

describe('a rule that looks at the old value', () => {
  const frozen = { ...integer, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] }
  const uncorrelatable = [
    `Invalid at ${place}.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${place}`,
  ]

  it('is refused in the items of lists without keys', () => {
    const list = { type: 'array', maxItems: 5, items: frozen }
    assert.deepEqual(refusals(specSchema({ a: list })), uncorrelatable)
    assert.deepEqual(refusals(specSchema({ a: { ...list, 'x-kubernetes-list-type': 'set' } })), uncorrelatable)
  })

  it('is taken in keyed lists and in maps', () => {
    const keyed = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', required: ['k'], properties: { k: text, v: frozen } },
    }
    assert.deepEqual(refusals(specSchema({ a: keyed })), [])
    assert.deepEqual(refusals(specSchema({ a: { type: 'object', additionalProperties: frozen } })), [])
  })
})

describe('what rules can see', () => {
  it('is nothing where fields are kept but not declared', () => {
    const kept = { 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-validations': [{ rule: 'self == 1' }] }
    assert.deepEqual(refusals(specSchema({ a: kept })), [
      `InternalError at ${place}.x-kubernetes-validations: Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations`,
    ])
  })

  it('is only the declared fields beside others that are kept', () => {
    const rule = { 'x-kubernetes-validations': [{ rule: 'self.x == 1' }] }
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...rule }
    assert.deepEqual(refusals(specSchema({ a: { ...open, properties: { x: integer } } })), [])
    const [refused = ''] = refusals(specSchema({ a: open }))
    assert.match(refused, /undefined field 'x'/)
  })

  it('is a value of any type for int-or-string', () => {
    const either = { 'x-kubernetes-int-or-string': true, 'x-kubernetes-validations': [{ rule: 'self == 1' }] }
    assert.deepEqual(refusals(specSchema({ a: either })), [])
  })
})
