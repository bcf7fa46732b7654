import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootstrapData } from './values.ts'

test('values and address are what a playbook is given', () =>
  assert.deepEqual(bootstrapData({ name: 's1', 'bootstrap-address': '10.0.0.1' }), {
    kind: 'complete',
    values: { name: 's1' },
    bootstrapAddress: '10.0.0.1',
  }))

test('whatever is missing is named', () => {
  const missing = (payload: Record<string, unknown> | undefined) => {
    const data = bootstrapData(payload)
    return data.kind === 'incomplete' ? data.missing : 'nothing'
  }
  for (const payload of [undefined, {}]) assert.deepEqual(missing(payload), ['bootstrap values', 'bootstrap-address'])
  assert.deepEqual(missing({ name: 's1' }), ['bootstrap-address'])
  assert.deepEqual(missing({ name: 's1', 'bootstrap-address': '' }), ['bootstrap-address'])
  assert.deepEqual(missing({ 'bootstrap-address': '10.0.0.1' }), ['bootstrap values'])
})
