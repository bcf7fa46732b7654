import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warningHeaders } from './warning-headers.ts'

test('a warning is quoted, and what no header may hold is replaced', () => {
  assert.deepEqual(warningHeaders(['unknown field "a\\b"', 'ü\n']), [
    '299 - "unknown field \\"a\\\\b\\""',
    '299 - "??"',
  ])
})

test('a warning is said once', () => {
  assert.deepEqual(warningHeaders(['a', 'a']), ['299 - "a"'])
})

test('warnings of any number and length stay below what clients read as headers', () => {
  const many = warningHeaders(Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(10_000)}`))
  assert.ok(many.length > 10)
  assert.ok(many.join('').length < 8 * 1024)
  assert.match(many[0] ?? '', /^299 - "0 x{251}\.\.\."$/)
})
