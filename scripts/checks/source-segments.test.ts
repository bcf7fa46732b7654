import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codeOf, commentsOf, lineAt, segmentsOf } from './source-segments.ts'

const literals = (source: string) =>
  segmentsOf(source)
    .filter(segment => segment.kind !== 'code')
    .map(segment => `${segment.kind}:${source.slice(segment.start, segment.end)}`)

test('comments and strings are told from code', () => {
  assert.deepEqual(literals(`a // one\nb /* two\n */ c = 'x//y' + "it's"`), [
    'comment:// one',
    'comment:/* two\n */',
    "string:'x//y'",
    `string:"it's"`,
  ])
})

test('the expression inside a template is code, nested templates and braces included', () => {
  const source = 'f(`a ${ {x: now()} } b ${`in ${deep()} ner`} c`) + after()'
  assert.equal(codeOf(source).replace(/\s+/g, ' '), 'f(` {x: now()} ` deep() ` `) + after()')
})

test('a slash after a value divides and after an operator opens a regular expression', () => {
  assert.deepEqual(literals('const r = /[/\'"]\\//g; const q = a / b / c; return x'), ['regex:/[/\'"]\\//'])
  assert.deepEqual(literals('function f() { return /now()/ }'), ['regex:/now()/'])
  assert.deepEqual(literals('(a + b) / c / d'), [])
  assert.deepEqual(literals('list[0] / 2 // half'), ['comment:// half'])
})

test('escapes do not end a literal', () => {
  assert.deepEqual(literals(String.raw`'it\'s' + "\\"`), [String.raw`string:'it\'s'`, String.raw`string:"\\"`])
  assert.deepEqual(literals('`\\`${1}`'), ['string:`\\`${', 'string:}`'])
})

test('a first line that names an interpreter is a comment', () => {
  assert.equal(commentsOf('#!/usr/bin/env node\nx()').trim(), '#!/usr/bin/env node')
})

test('masking keeps every offset and line', () => {
  const pieces = fc.constantFrom("'", '"', '`', '${', '}', '{', '/*', '*/', '//', '\n', '/', '\\', 'a', ' ', '(', ')')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), parts => {
      const source = parts.join('')
      const segments = segmentsOf(source)
      assert.equal(segments.map(({ start, end }) => source.slice(start, end)).join(''), source)
      for (const masked of [codeOf(source), commentsOf(source)]) {
        assert.equal(masked.length, source.length)
        assert.equal(masked.split('\n').length, source.split('\n').length)
      }
    }),
  )
})

test('lines are counted from one', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map(offset => lineAt('a\nb\n', offset)),
    [1, 1, 2, 2],
  )
})
