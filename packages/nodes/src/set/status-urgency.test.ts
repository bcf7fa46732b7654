import assert from 'node:assert/strict'
import { test } from 'node:test'
import { record } from '../../test/set-world.ts'
import type { CocoonSetStatus } from '../api/index.ts'
import { isUrgentChange } from './status-urgency.ts'

const condition = (type: string, reason: string, message = '') => ({
  type,
  status: 'True' as const,
  reason,
  message,
  lastTransitionTime: '2026-11-21T12:00:00Z',
})
const moving: CocoonSetStatus = { phase: 'Migrating', migrations: [record({ waitsFor: 'rain' })] }

test('words and counts may wait for more to come', () => {
  assert.equal(isUrgentChange(moving, { ...moving, migrations: [record({ waitsFor: 'snow' })] }), false)
  assert.equal(isUrgentChange({ ...moving, readyAgents: 1 }, { ...moving, readyAgents: 0 }), false)
  const says = (message: string) => ({ conditions: [condition('Migrating', 'Quiesce', message)] })
  assert.equal(isUrgentChange(says('a'), says('b')), false)
})

test('what is decided on, or waited for by others, is written at once', () => {
  assert.ok(isUrgentChange(moving, { ...moving, migrations: [record({ stage: 'Release' })] }))
  assert.ok(isUrgentChange(moving, { ...moving, phase: 'Running' }))
  assert.ok(isUrgentChange({ observedGeneration: 1 }, { observedGeneration: 2 }))
  assert.ok(isUrgentChange({}, { conditions: [condition('SnapshotLost', 'Missing')] }))
})
