import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedRegistry } from '../registry/embedded-registry.ts'
import { SnapshotStore } from '../registry/snapshot-store.ts'
import { InvariantWatch } from './invariants.ts'
import { GuestLedger } from './ledger.ts'
import type { RunningGuest } from './vm-agents.ts'

const snapshot = { snapshotId: 's', image: 'i', fromNode: 'a', createdAt: '', counter: 7 }

async function start() {
  const registry = await EmbeddedRegistry.start({ listen: false })
  const ledger = new GuestLedger()
  const guests: RunningGuest[] = []
  const watch = new InvariantWatch({
    agents: { guestsOf: () => guests, seatsOf: () => [], takeTouched: () => new Set(['vm']), ledger },
    content: registry.content,
    prefix: 'vms',
    isGivenUp: () => false,
    moment: () => 'now',
  })
  const run = (node: string, counter: number, isReady = true) =>
    guests.push({ vmName: 'vm', node, id: `${node}-${counter}`, counter, isReady })
  const found = () => watch.violations.map(line => line.split(' ')[0])
  return { watch, ledger, guests, run, found, store: new SnapshotStore(registry.transport(), 'vms') }
}

test('I1: one VM on two nodes is seen', async () => {
  const { watch, run, found } = await start()
  run('a', 1)
  watch.look()
  assert.deepEqual(found(), [])
  run('b', 1)
  watch.look()
  watch.look()
  assert.deepEqual(found(), ['I1'], 'once')
})

test('I2 and I4: a saved state that is deleted while nothing newer runs is seen twice over', async () => {
  const { watch, ledger, store, found } = await start()
  const digest = await store.push('vm', 'hibernate', snapshot)
  ledger.record('vm', 'a', { type: 'saved', snapshot, tag: 'hibernate' }, 0, false)
  watch.look()
  assert.deepEqual(found(), [])
  await store.drop('vm', digest)
  watch.look()
  assert.deepEqual(found(), ['I4', 'I2'])
})

test('I4: a guest that is not ready, or behind, proves nothing; one that is ready and ahead does', async () => {
  for (const [counter, isReady, expected] of [
    [9, false, ['I4']],
    [6, true, ['I4']],
    [7, true, []],
  ] as const) {
    const { ledger, store, run, found } = await start()
    const digest = await store.push('vm', 'hibernate', snapshot)
    ledger.record('vm', 'a', { type: 'saved', snapshot, tag: 'hibernate' }, 0, false)
    run('b', counter, isReady)
    await store.drop('vm', digest)
    assert.deepEqual(found(), expected)
  }
})

test('I5: a pod that is deleted without its uid is seen', async () => {
  const { watch, found } = await start()
  const path = '/api/v1/namespaces/ns/pods/demo-0'
  const request = (body?: object) => ({
    method: 'DELETE',
    path,
    headers: {},
    ...(body && { body: JSON.stringify(body) }),
  })
  watch.noteRequest(request({ preconditions: { uid: 'u' } }))
  watch.noteRequest({ method: 'GET', path, headers: {} })
  assert.deepEqual(found(), [])
  watch.noteRequest(request())
  assert.deepEqual(found(), ['I5'])
})

test('I7: a saved state that nobody has on record is seen', async () => {
  const { watch, store, found } = await start()
  await store.push('vm', 'hibernate', snapshot)
  watch.lookForStrays(new Set(['vm']))
  assert.deepEqual(found(), [])
  watch.lookForStrays(new Set())
  assert.deepEqual(found(), ['I7'])
})

test('what burned with its node while it ran is nobody’s fault; what was saved before must still be there', async () => {
  for (const [isFrozen, expected] of [
    [false, []],
    [true, ['I4', 'I2']],
  ] as const) {
    const { watch, ledger, store, found } = await start()
    const digest = await store.push('vm', 'hibernate', snapshot)
    ledger.record('vm', 'a', { type: 'saved', snapshot, tag: 'hibernate' }, 0, false)
    ledger.record('vm', 'a', { type: 'stopped', counter: 7, why: 'destroyed', isFrozen }, 0, false)
    await store.drop('vm', digest)
    watch.look()
    assert.deepEqual(found(), expected)
  }
})
