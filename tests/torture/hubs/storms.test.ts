import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Storms } from './storms.ts'

const GET = { method: 'GET', path: '/api' }

test('a process that sends more than a thousand requests within five seconds is named, once', () => {
  const storms = new Storms()
  for (let request = 0; request < 1_000; request++) storms.note('busy', 0, GET)
  for (let request = 0; request < 3_000; request++) storms.note('steady', request * 10, GET)
  assert.deepEqual(storms.violations, [])
  for (let request = 0; request < 2; request++) storms.note('busy', 4_999, GET)
  assert.deepEqual(storms.violations, ['busy sent 1002 requests within 5 s, the last one GET /api'])
})
