/** Whatever the rule, evaluation has an outcome: it holds, it does not, or there is a complaint. Nothing is thrown. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { outcome } from './sample.ts'

const fields = ['n', 's', 'list', 'map', 'keyed', 'set', 'objects', 'either', 'when', 'span', 'raw', 'nothing', 'inner']
const leaf = fc.constantFrom(
  ...fields.map(name => `self.${name}`),
  ...['1', '2u', '1.5', "'a'", "b'a'", 'true', 'null', '[]', '{}', "{'a': 1}", 'optional.none()', 'int', 'self', 'x'],
  ...["duration('1h')", "quantity('1')", "ip('1.2.3.4')", "cidr('1.2.3.4/8')", "url('http://a')"],
)
const methods = ['size', 'min', 'sum', 'isSorted', 'trim', 'join', 'value', 'hasValue', 'getHours', 'family', 'nope']
const functions = [
  'size',
  'string',
  'int',
  'bytes',
  'timestamp',
  'quantity',
  'ip',
  'url',
  'isIP',
  'type',
  'has',
  'nope',
]
const macros = ['all', 'exists', 'exists_one', 'map', 'filter', 'optMap']
const operators = ['+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in']
const named = ['contains', 'matches', 'findAll', 'indexOf', 'charAt', 'substring', 'format', 'join', 'add', 'orValue']

/** Half of them hide their type, so that more rules get past the compiler. */
const expression = fc.letrec<{ any: string }>(tie => {
  const part = fc.tuple(tie('any'), fc.boolean()).map(([inner, isHidden]) => (isHidden ? `dyn(${inner})` : inner))
  return {
    any: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(fc.constantFrom('!', '-'), part).map(([sign, inner]) => `${sign}${inner}`),
      fc.tuple(part, fc.constantFrom(...methods)).map(([inner, name]) => `${inner}.${name}()`),
      fc.tuple(fc.constantFrom(...functions), part).map(([name, inner]) => `${name}(${inner})`),
      fc.tuple(part, fc.constantFrom(...operators), part).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      fc.tuple(part, fc.constantFrom(...macros), part).map(([range, name, body]) => `${range}.${name}(x, ${body})`),
      fc.tuple(part, fc.constantFrom(...named), part).map(([a, name, b]) => `${a}.${name}(${b})`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(part, fc.constantFrom('', '?'), part).map(([a, mark, b]) => `${a}[${mark}${b}]`),
      fc.tuple(part, fc.constantFrom('.x', '.?x', '.__proto__', '.constructor')).map(([a, name]) => `${a}${name}`),
    ),
  }
}).any

it('Any expression has an outcome', () => {
  fc.assert(
    fc.property(expression, inner => {
      assert.doesNotMatch(outcome(`dyn(${inner}) == dyn(1)`), /internal error/)
    }),
    { numRuns: 400 },
  )
})

it('Any text has an outcome', () => {
  const token = fc.oneof(
    leaf,
    fc.constantFrom(...'()[]{}.,?:+-!"\'\\&|=<>', ' in ', '.all(x, ', 'has(', '\n', 'é𝒳', '\u0000'),
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), tokens => {
      outcome(tokens.join(''))
    }),
    { numRuns: 400 },
  )
})
