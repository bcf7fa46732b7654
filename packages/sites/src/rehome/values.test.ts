import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootstrapData } from './values.ts'

const stored = (payload: unknown) => JSON.stringify({ saved_payload: payload })

test('values and address are what a playbook is given', () =>
  assert.deepEqual(bootstrapData(stored({ name: 's1', 'bootstrap-address': '10.0.0.1' })), {
    kind: 'complete',
    values: { name: 's1' },
    bootstrapAddress: '10.0.0.1',
  }))

test('whatever is missing is named', () => {
  const missing = (json: string | null) => {
    const data = bootstrapData(json)
    return data.kind === 'incomplete' ? data.missing : 'nothing'
  }
  for (const json of [null, '{}', stored(null), stored({}), stored('text')])
    assert.deepEqual(missing(json), ['bootstrap values', 'bootstrap-address'])
  assert.deepEqual(missing(stored({ name: 's1' })), ['bootstrap-address'])
  assert.deepEqual(missing(stored({ name: 's1', 'bootstrap-address': '' })), ['bootstrap-address'])
  assert.deepEqual(missing(stored({ 'bootstrap-address': '10.0.0.1' })), ['bootstrap values'])
})
