import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STAGES } from '../api/index.ts'
import { type TargetSharedFacts, targetSharedTable } from './shared-table.ts'

const facts = (given: Partial<TargetSharedFacts> = {}): TargetSharedFacts => ({
  journal: {},
  evidence: {},
  hasClusterManager: true,
  user: 'system:serviceaccount:ns:sa',
  isApproving: false,
  isRelyingOnApproval: false,
  bootstrapRole: 'open-cluster-management:bootstrap',
  hasSealingKey: false,
  rbac: { wanted: ['ClusterRole/a', 'ClusterRoleBinding/a'], present: [] },
  ...given,
})
const granted = { rbac: { wanted: ['ClusterRole/a'], present: ['ClusterRole/a'] } }
const stageOf = (name: (typeof STAGES)[number]) =>
  targetSharedTable.stages.find(stage => stage.name === name) ?? assert.fail(name)
const guardsOf = (name: (typeof STAGES)[number], given: TargetSharedFacts) =>
  stageOf(name)
    .guards.map(guard => guard.check(given))
    .find(({ kind }) => kind !== 'holds')
const missing = (name: (typeof STAGES)[number], given: TargetSharedFacts, direction: 'steps' | 'undo' = 'steps') =>
  stageOf(name)
    [direction].flatMap(step => step.missing(given))
    .map(({ kind }) => kind)

test('the table has every stage once, in order', () =>
  assert.deepEqual(
    targetSharedTable.stages.map(({ name }) => name),
    [...STAGES],
  ))

test('a hub without ClusterManager, or without a role to bootstrap with, is no target', () => {
  for (const stage of ['Validating', 'Initializing'] as const) {
    for (const given of [{ hasClusterManager: false }, { bootstrapRole: undefined }]) {
      const verdict = guardsOf(stage, facts(given))
      assert.ok(verdict?.kind === 'fails' && verdict.code === 'HubInvalid', JSON.stringify(verdict))
    }
    assert.equal(guardsOf(stage, facts()), undefined)
  }
})

test('the account is waited for before anything is granted', () => {
  assert.equal(guardsOf('Initializing', facts({ user: undefined }))?.kind, 'waits')
  assert.deepEqual(missing('Initializing', facts({ user: undefined })), ['grant'])
})

test('approval and permissions are given once, and only both together prove the stage', () => {
  const { proof } = stageOf('Initializing')
  assert.deepEqual(missing('Initializing', facts()), ['approve', 'grant'])
  assert.deepEqual(missing('Initializing', facts({ isApproving: true, ...granted })), [])
  assert.equal(proof.check(facts({ isApproving: true })).kind, 'waits')
  assert.equal(proof.check(facts(granted)).kind, 'waits')
  assert.equal(proof.check(facts({ isApproving: true, ...granted })).kind, 'holds')
})

test('the sealing key is made once: who published it knows', () => {
  assert.deepEqual(missing('Validating', facts()), ['makeSealingKey'])
  assert.deepEqual(missing('Validating', facts({ evidence: { sealingKey: 'k' } })), [])
})

test('undo takes back only what is there, and is over only when nothing is left', () => {
  const { undone } = stageOf('Initializing')
  assert.deepEqual(missing('Initializing', facts({ isRelyingOnApproval: true, ...granted }), 'undo'), [
    'disapprove',
    'revoke',
  ])
  assert.deepEqual(missing('Initializing', facts(), 'undo'), [])
  assert.equal(undone.check(facts({ isRelyingOnApproval: true })).kind, 'waits')
  assert.equal(undone.check(facts(granted)).kind, 'waits')
  assert.equal(undone.check(facts()).kind, 'holds')
})

test('Cleaning takes everything away, the key with it', () => {
  const left = facts({ isRelyingOnApproval: true, hasSealingKey: true, ...granted })
  const { proof } = stageOf('Cleaning')
  assert.deepEqual(missing('Cleaning', left), ['disapprove', 'revoke', 'deleteSealingKey'])
  assert.equal(proof.check(left).kind, 'waits')
  assert.equal(proof.check(facts({ hasSealingKey: true })).kind, 'waits')
  assert.equal(proof.check(facts()).kind, 'holds')
})
