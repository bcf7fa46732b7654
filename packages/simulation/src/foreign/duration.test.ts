import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'

test('Go durations are read in milliseconds', () => {
  assert.equal(parseDuration('24h'), 86_400_000)
  assert.equal(parseDuration('8640h0m0s'), 8640 * 3_600_000)
  assert.equal(parseDuration('1h30m'), 5_400_000)
  assert.equal(parseDuration('1.5s'), 1500)
  assert.equal(parseDuration('250ms'), 250)
})

test('anything else is none', () => {
  for (const text of ['', '24', 'h', '1d', '1h x']) assert.equal(parseDuration(text), undefined, text)
})
