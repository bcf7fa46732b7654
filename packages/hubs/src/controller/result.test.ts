import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, MAX_ITEMS, type ManagedClusterMigration } from '../api/index.ts'
import type { ItemFacts } from './item-table.ts'
import { renderResult, resultsOf } from './result.ts'

const migration: ManagedClusterMigration = {
  apiVersion: 'global-hub.open-cluster-management.io/v1alpha1',
  kind: 'ManagedClusterMigration',
  metadata: { name: 'move', namespace: 'ns', uid: 'u' },
}
const failure = (message: string): Failure => ({ stage: 'Deploying', code: 'ClusterConflict', message })
const item = (name: string, wish: Partial<NonNullable<ItemFacts['source']['wish']>>): ItemFacts => ({
  name,
  source: { hub: 'hub1', wish: { stage: 'Cleaning', direction: 'Forward', ...wish }, progress: undefined },
  target: { hub: 'hub2', wish: undefined, progress: undefined },
  isBundleDelivered: () => true,
})
const read = (data: Record<string, string> | undefined) =>
  Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, JSON.parse(value)]))

test('every cluster is listed once, with the reason of those that did not arrive', () => {
  const items = [
    item('c1', { outcome: 'Completed' }),
    item('c2', { outcome: 'RolledBack', failure: failure('a "foreign" cluster\nis there') }),
    item('stranger', { outcome: 'Completed' }),
  ]
  const results = resultsOf({ clusters: ['c1', 'c2', 'c3'], items })
  const { data, metadata } = renderResult(migration, results, undefined)
  assert.deepEqual(read(data), {
    'all-clusters': ['c1', 'c2', 'c3'],
    success: ['c1'],
    failure: ['c2', 'c3'],
    'failure-reasons': { c2: 'Deploying: ClusterConflict: a "foreign" cluster\nis there' },
  })
  assert.deepEqual([metadata.name, metadata.namespace], ['move', 'ns'])
  assert.equal(metadata.ownerReferences?.[0]?.uid, 'u', 'it goes with the migration')
})

test('a migration that failed as a whole is the reason of all that have none of their own', () => {
  const results = resultsOf({ clusters: ['c1', 'c2'], items: [item('c2', { failure: failure('own') })] })
  const { 'failure-reasons': reasons } = read(renderResult(migration, results, failure('whole')).data)
  assert.deepEqual(reasons, { c1: 'Deploying: ClusterConflict: whole', c2: 'Deploying: ClusterConflict: own' })
})

test('lists without members have no key, as in the reference', () => {
  assert.deepEqual(renderResult(migration, [], undefined).data, {})
  const all = renderResult(
    migration,
    resultsOf({ clusters: ['c1'], items: [item('c1', { outcome: 'Completed' })] }),
    undefined,
  )
  assert.deepEqual(Object.keys(all.data ?? {}), ['all-clusters', 'success'])
})

test('the results of 5,000 failed clusters with the longest names fit into one object; what is left out is counted', () => {
  const clusters = Array.from({ length: MAX_ITEMS }, (_, index) => String(index).padStart(63, 'c'))
  const items = clusters.map(name => item(name, { outcome: 'RolledBack', failure: failure('ü"'.repeat(4000)) }))
  const { data = {} } = renderResult(migration, resultsOf({ clusters, items }), undefined)
  const bytes = Buffer.byteLength(Object.values(data).join(''))
  assert.ok(bytes < 1_048_576, `${bytes} bytes`)
  const { failure: failed, 'failure-reasons': reasons = {} } = read(data)
  assert.equal(failed.length, MAX_ITEMS)
  assert.equal(Object.keys(reasons).length + Number(data['failure-reasons-omitted']), MAX_ITEMS)
  assert.ok(Object.keys(reasons).length > 500)
})
