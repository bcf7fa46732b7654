import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseDuration } from './duration.ts'

const second = 1_000_000_000n

for (const [text, nanos] of [
  ['0', 0n],
  ['1h', 3600n * second],
  ['1h30m', 5400n * second],
  ['-1.5s', (-3n * second) / 2n],
  ['+5m', 300n * second],
  ['.5s', second / 2n],
  ['1.s', second],
  ['1us', 1000n],
  ['1µs', 1000n],
  ['1ns', 1n],
  ['3 days', 3n * 86_400n * second],
  ['2 weeks 1 day', 15n * 86_400n * second],
  ['10 Seconds', 10n * second],
  ['1h 30m', 5400n * second],
] as const)
  it(`${text} is a duration`, () => assert.equal(parseDuration(text), nanos))

for (const text of ['', 'h', '1', '1x', '1h1', '--1s', '1e', 's1', '1..5s', `${'1h'.repeat(200)}`])
  it(`${JSON.stringify(text.slice(0, 20))} is none`, () => assert.equal(parseDuration(text), undefined))
