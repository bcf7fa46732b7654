import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cursor, decide } from '@godwit/core'
import type { RehomeFacts } from './facts.ts'
import { HOLDS_SLOT, REHOME_STAGES, type RehomeStage, rehomeTable } from './table.ts'

const facts = (given: Partial<RehomeFacts> = {}): RehomeFacts => ({
  name: 's1',
  deployStatus: 'secondary',
  managementState: 'unmanaged',
  wantedEpoch: 3,
  ownerEpoch: 2,
  missingValues: [],
  peer: 'available',
  remote: remote(),
  isSlotFree: false,
  isPrepared: false,
  wantsManaged: true,
  run: { kind: 'none' },
  answersHere: false,
  isFailureReported: false,
  ...given,
})
function remote(view: Partial<Extract<RehomeFacts['remote'], { kind: 'member' }>['view']> = {}): RehomeFacts['remote'] {
  return {
    kind: 'member',
    view: { deployStatus: 'rehome-pending', managementState: 'unmanaged', ownerEpoch: 3, values: {}, ...view },
  }
}
const managedThere = remote({ deployStatus: 'complete', managementState: 'managed', ownerEpoch: 2 })

const at = (stage: RehomeStage, given: Partial<Cursor<RehomeStage>> = {}): Cursor<RehomeStage> => ({
  stage,
  direction: 'Forward',
  entered: true,
  ...given,
})
const next = (cursor: Cursor<RehomeStage>, given: Partial<RehomeFacts>, nowMs = 0) => {
  const decision = decide(rehomeTable, cursor, facts(given), nowMs)
  return decision.kind === 'act' ? decision.effects.map(({ kind }) => kind).join() : decision.kind
}
const enter = { entered: false }
const undo = { direction: 'Undo' } as const
const claimed = { ownerEpoch: 3, deployStatus: 'pre-rehome' } as const

test('the stages are those of the reference, in order', () =>
  assert.deepEqual(
    rehomeTable.stages.map(({ name }) => name),
    [...REHOME_STAGES],
  ))

test('the epoch is written down before anybody is asked for anything', () => {
  assert.equal(next(at('Claiming', enter), {}), 'claim')
  assert.equal(next(at('Claiming'), claimed), 'advance')
})

test('a subcloud without values, or one that is somewhere else in its life, is not begun', () => {
  assert.equal(next(at('Claiming', enter), { missingValues: ['bootstrap-address'] }), 'compensate')
  for (const deployStatus of ['complete', 'rehoming', 'secondary-failed'])
    assert.equal(next(at('Claiming', enter), { deployStatus }), 'compensate')
})

test('the other site is asked to stand down until it has proven it', () => {
  assert.equal(next(at('Releasing'), { ...claimed, remote: managedThere }), 'release')
  assert.equal(next(at('Releasing'), { ...claimed, remote: remote({ managementState: 'managed' }) }), 'release')
  assert.equal(next(at('Releasing'), { ...claimed, remote: remote({ deployStatus: 'rehoming' }) }), 'release')
  assert.equal(next(at('Releasing'), claimed), 'advance')
})

test('one call that failed permits nothing; a peer that the monitor has given up is passed over (H11)', () => {
  assert.equal(next(at('Releasing'), { ...claimed, remote: { kind: 'unread' } }), 'release')
  assert.equal(next(at('Releasing'), { ...claimed, remote: { kind: 'unread' }, peer: 'unavailable' }), 'advance')
  const unsure = { ...claimed, remote: { kind: 'unread' }, isPrepared: true } as const
  for (const entered of [false, true]) assert.equal(next(at('Running', { entered }), unsure), 'release')
})

test('a copy that is not there, or was never managed there, needs no release', () => {
  for (const kind of ['absent'] as const)
    assert.equal(next(at('Releasing'), { ...claimed, remote: { kind } }), 'advance')
  assert.equal(next(at('Releasing'), { ...claimed, remote: { kind: 'deleted', ownerEpoch: 1 } }), 'advance')
  assert.equal(next(at('Releasing'), { ...claimed, remote: remote({ deployStatus: 'secondary' }) }), 'advance')
})

test('when the other site has set out later, this one gives way, up to the last moment', () => {
  for (const stage of ['Releasing', 'Running', 'Managing'] as const)
    assert.equal(next(at(stage, enter), { ...claimed, remote: remote({ ownerEpoch: 4 }) }), 'compensate')
})

test('the playbook runs once, and how it ended decides', () => {
  const ready = { ...claimed, isPrepared: true }
  assert.equal(next(at('Running', enter), ready), 'run')
  assert.equal(next(at('Running'), { ...ready, run: { kind: 'under-way' } }), 'wait')
  assert.equal(next(at('Running'), { ...ready, run: { kind: 'succeeded' } }), 'advance')
  assert.equal(next(at('Running'), { ...ready, run: { kind: 'failed', task: 't', text: 'x' } }), 'compensate')
  assert.equal(next(at('Running'), { ...ready, run: { kind: 'interrupted', reason: 'killed' } }), 'compensate')
})

test('it is managed only when it has answered here since the playbook ended', () => {
  const ran = { ...claimed, run: { kind: 'succeeded' } } as const
  assert.equal(next(at('Adopting'), ran), 'wait')
  assert.equal(next(at('Adopting'), { ...ran, answersHere: true }), 'advance')
  assert.equal(next(at('Managing'), ran), 'wait')
  assert.equal(next(at('Managing'), { ...ran, answersHere: true }), 'manage')
  assert.equal(next(at('Managing'), { ...ran, deployStatus: 'complete', managementState: 'managed' }), 'finish')
})

test('a site that comes back before the end is asked to stand down first', () => {
  const ran = { ...claimed, deployStatus: 'rehoming', run: { kind: 'succeeded' }, answersHere: true } as const
  assert.equal(next(at('Managing', enter), { ...ran, remote: managedThere }), 'release')
  assert.equal(next(at('Running', enter), { ...claimed, isPrepared: true, remote: managedThere }), 'release')
})

test('a subcloud that was taken in alone is complete without being managed, and nobody waits for it', () => {
  const ran = { ...claimed, run: { kind: 'succeeded' }, wantsManaged: false } as const
  assert.equal(next(at('Adopting'), ran), 'advance')
  assert.equal(next(at('Managing'), ran), 'manage')
  assert.equal(next(at('Managing'), { ...ran, deployStatus: 'complete' }), 'finish')
})

test('what this attempt has not begun is not marked as its failure', () => {
  for (const deployStatus of ['complete', 'rehome-pending', 'secondary'])
    for (const stage of ['Running', 'Preparing', 'Claiming'] as const)
      assert.notEqual(next(at(stage, undo), { deployStatus }), 'mark')
  assert.equal(next(at('Claiming', undo), { missingValues: ['bootstrap-address'] }), 'mark')
  const marked = decide(rehomeTable, at('Running', undo), facts(claimed), 0)
  assert.deepEqual(marked.kind === 'act' && marked.effects, [{ kind: 'mark', deployStatus: 'rehome-prep-failed' }])
})

test('a subcloud that never comes online can be tried again instead of being stuck (H4)', () => {
  const ran = { ...claimed, deployStatus: 'rehoming', run: { kind: 'succeeded' } } as const
  assert.equal(next(at('Adopting', { deadlineMs: 10 }), ran, 11), 'compensate')
  assert.equal(next(at('Adopting', undo), ran), 'advance')
  assert.equal(next(at('Running', undo), ran), 'mark')
})

test('a failure is marked here and told there before the attempt is over', () => {
  assert.equal(next(at('Running', undo), { ...claimed, deployStatus: 'rehoming' }), 'mark')
  const marked = { ...claimed, deployStatus: 'rehome-failed' } as const
  assert.equal(next(at('Running', undo), marked), 'advance')
  assert.equal(next(at('Releasing', undo), marked), 'report-failure')
  assert.equal(next(at('Releasing', undo), { ...marked, peer: 'unavailable' }), 'advance')
  assert.equal(next(at('Releasing', undo), { ...marked, isFailureReported: true }), 'advance')
  assert.equal(next(at('Claiming', undo), marked), 'finish')
})

test('what a playbook needs is made before a slot is asked for', () => {
  assert.equal(next(at('Preparing', enter), claimed), 'prepare')
  const decision = decide(rehomeTable, at('Preparing'), facts({ ...claimed, isPrepared: true }), 0)
  assert.deepEqual(decision.kind === 'advance' && decision.to, 'Queueing')
})

test('who came to a slot without being prepared is prepared before the playbook runs', () => {
  assert.equal(next(at('Running', enter), claimed), 'prepare')
  assert.equal(next(at('Running'), { ...claimed, run: { kind: 'under-way' } }), 'wait')
})

test('whoever is prepared waits for a slot as long as others take', () => {
  assert.equal(next({ ...at('Queueing'), deadlineMs: 10 }, { ...claimed, isSlotFree: true }, 20), 'advance')
  assert.equal(next(at('Queueing'), claimed, Number.MAX_SAFE_INTEGER), 'wait')
  assert.equal(next(at('Queueing', undo), claimed), 'advance')
})

test('what waits to come online holds no slot of the batch', () => assert.deepEqual(HOLDS_SLOT, ['Running']))
