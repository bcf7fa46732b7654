import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { annotations, type ManagedClusterMigration, type MigrationSpec } from '../api/index.ts'
import { isAskedToRetry, nextName, renderRetry, selectionOf } from './retry.ts'

const LISTED: MigrationSpec = { from: 'A', to: 'B', includedManagedClusters: ['c1', 'c2', 'c3'] }
const PLACED: MigrationSpec = { from: 'A', to: 'B', includedManagedClustersPlacementRef: 'some' }

const rows: readonly [string, MigrationSpec, string[] | undefined, string[], object | undefined][] = [
  ['what failed', LISTED, ['c2', 'c3'], [], { includedManagedClusters: ['c2', 'c3'] }],
  ['but not what is not back yet', LISTED, ['c2', 'c3'], ['c3'], { includedManagedClusters: ['c2'] }],
  [
    'nor what somebody took out',
    { ...LISTED, cancelledManagedClusters: ['c2'] },
    ['c2', 'c3'],
    [],
    { includedManagedClusters: ['c3'] },
  ],
  ['nothing, when all of it is not back yet', LISTED, ['c2'], ['c2'], undefined],
  ['nothing, when nothing failed', LISTED, [], [], undefined],
  ['clusters of a placement by name, once they are known', PLACED, ['c9'], [], { includedManagedClusters: ['c9'] }],
  ['the placement, when it never was asked', PLACED, undefined, [], { includedManagedClustersPlacementRef: 'some' }],
]
describe('what is tried again', () => {
  for (const [what, spec, failure, stuck, expected] of rows)
    test(what, () => assert.deepEqual(selectionOf(spec, failure, new Set(stuck)), expected))
})

test('attempts are counted in the name, over attempts of attempts, and no name is taken twice', () => {
  assert.equal(nextName('move', new Set(['move'])), 'move-retry-1')
  assert.equal(nextName('move', new Set(['move', 'move-retry-1'])), 'move-retry-2')
  assert.equal(nextName('move-retry-1', new Set(['move', 'move-retry-1'])), 'move-retry-2')
  assert.ok(nextName('x'.repeat(253), new Set()).length <= 253)
})

const migration = (phase: string, request?: string, over: object = {}): ManagedClusterMigration => ({
  apiVersion: 'g/v1',
  kind: 'ManagedClusterMigration',
  metadata: {
    name: 'move',
    uid: 'u',
    namespace: 'n',
    ...(request && { annotations: { [annotations.request]: request } }),
    ...over,
  },
  spec: { ...LISTED, paused: true, cancel: true, cancelledManagedClusters: ['c1'], strategy: { batchSize: 2 } },
  status: { phase: phase as 'Failed' },
})

test('only a failed migration that stays can be asked to try again', () => {
  const asked: readonly [ManagedClusterMigration, boolean][] = [
    [migration('Failed', 'retry'), true],
    [migration('Failed', 'retry/move-retry-1'), true],
    [migration('Failed', 'rollback'), false],
    [migration('Failed', 'retryall'), false],
    [migration('Failed'), false],
    [migration('Completed', 'retry'), false],
    [migration('Rollbacking', 'retry'), false],
    [migration('Failed', 'retry', { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ]
  for (const [one, expected] of asked) assert.equal(isAskedToRetry(one), expected, JSON.stringify(one))
})

test('the new migration keeps hubs, deadlines and strategy, and neither pause nor cancellation', () => {
  const retry = renderRetry(migration('Failed', 'retry'), 'move-retry-1', { includedManagedClusters: ['c2'] })
  assert.deepEqual(retry.spec, { from: 'A', to: 'B', includedManagedClusters: ['c2'], strategy: { batchSize: 2 } })
  assert.deepEqual(retry.metadata, {
    name: 'move-retry-1',
    namespace: 'n',
    annotations: { [annotations.retryOf]: 'move/u' },
  })
})
