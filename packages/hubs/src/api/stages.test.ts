import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STAGE_DEADLINE_MS } from './stages.ts'

/** Of a klusterlet with several hubs: it gives a silent hub up after 600 s, looks every 60 s, restarts and rolls out. */
const KLUSTERLET_NEEDS_MS = (600 + 60 + 60) * 1000

test('a rollback, and the switch itself, are given longer than a klusterlet needs to notice that it must move (H-23)', () => {
  assert.ok(STAGE_DEADLINE_MS.Rollbacking > KLUSTERLET_NEEDS_MS)
})
