import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SYNC_STATES, type SyncState } from '../model/states.ts'
import { isPossibleWithoutPeer, nextSyncState, type SyncEvent } from './status.ts'

const LOST: readonly (readonly [SyncState, SyncState, SyncState])[] = [
  ['in-sync', 'unknown', 'in-sync'],
  ['out-of-sync', 'failed', 'out-of-sync'],
  ['syncing', 'failed', 'out-of-sync'],
]
for (const [before, lost, back] of LOST)
  test(`an association that was ${before} is ${lost} while the peer is away, and ${back} when it is back`, () => {
    assert.equal(nextSyncState(before, 'peer-lost'), lost)
    assert.equal(nextSyncState(lost, 'peer-back'), back)
  })

test('an edit while the peer is away is not forgotten when it is back', () => {
  const edited = nextSyncState(nextSyncState('in-sync', 'peer-lost'), 'edited')
  assert.equal(edited, 'failed')
  assert.equal(nextSyncState(edited, 'peer-back'), 'out-of-sync')
})

test('an edit during a sync makes it out of sync, whatever the sync says then', () => {
  const edited = nextSyncState('syncing', 'edited')
  assert.equal(edited, 'out-of-sync')
  assert.equal(nextSyncState(edited, 'sync-succeeded'), 'out-of-sync')
})

test('a sync that nobody finishes ends, so that another can begin (H5)', () => {
  assert.equal(nextSyncState('syncing', 'interrupted'), 'failed')
  for (const status of SYNC_STATES) if (status !== 'syncing') assert.equal(nextSyncState(status, 'interrupted'), status)
})

test('no story leaves a status that says more than is known while the peer is away', () => {
  const event = fc.constantFrom<SyncEvent>('sync-failed', 'edited', 'interrupted', 'peer-lost')
  fc.assert(
    fc.property(fc.constantFrom(...SYNC_STATES), fc.array(event), (before, events) => {
      const away = nextSyncState(before, 'peer-lost')
      assert.ok(isPossibleWithoutPeer(events.reduce(nextSyncState, away)))
    }),
  )
})

test('from every status a sync leads to in-sync', () => {
  for (const status of SYNC_STATES)
    assert.equal(nextSyncState(nextSyncState(status, 'sync-started'), 'sync-succeeded'), 'in-sync')
})
