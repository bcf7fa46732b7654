import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAlarming, nextAvailability } from './availability.ts'

test('a subcloud is offline after two looks that failed, and online after one that did not', () => {
  const online = { availability: 'online', auditFailCount: 0 } as const
  const once = nextAvailability(online, 'offline')
  assert.deepEqual(once, { availability: 'online', auditFailCount: 1 })
  const twice = nextAvailability(once, 'unauthorized')
  assert.deepEqual(twice, { availability: 'offline', auditFailCount: 2 })
  assert.deepEqual(nextAvailability(twice, 'offline'), twice)
  assert.deepEqual(nextAvailability(twice, 'online'), online)
  assert.deepEqual(nextAvailability(once, 'online'), online)
})

test('only an outage of a subcloud that this site looks after is alarming', () => {
  const offline = { availability: 'offline', auditFailCount: 2 } as const
  assert.equal(isAlarming('complete', offline), true)
  for (const status of ['secondary', 'rehome-pending', 'rehoming', 'rehome-failed'])
    assert.equal(isAlarming(status, offline), false, status)
  assert.equal(isAlarming('complete', { availability: 'offline', auditFailCount: 0 }), false)
})
