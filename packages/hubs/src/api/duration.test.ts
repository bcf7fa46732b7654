import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'

test('durations are read as Go writes them', () => {
  for (const [text, expectedMs] of [
    ['10m', 600_000],
    ['90s', 90_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['1m0.5s', 60_500],
    ['250ms', 250],
    ['500µs', 0.5],
  ] as const)
    assert.equal(parseDuration(text), expectedMs, text)
})

test('what is no duration, or none at all, is undefined', () => {
  for (const text of ['', '10', 'm', 'soon', '-5m', '5 m', '5m ', '1d', '0s', '10m10', 'Infinityh'])
    assert.equal(parseDuration(text), undefined, text)
})
