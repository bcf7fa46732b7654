import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, type ManagedCluster, type ManagedClusterMigration } from '../api/index.ts'
import type { HubFacts, MigrationFacts } from './migration-facts.ts'
import { controllerSharedTable, type SharedStage } from './shared-table.ts'

const hub = (name: string, given: Partial<HubFacts> = {}): HubFacts => ({
  name,
  hasLocalAgent: false,
  cluster: cluster(name),
  ...given,
})
const cluster = (name: string, own: Partial<ManagedCluster> = {}): ManagedCluster => ({
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: { name, annotations: { [annotations.onMulticlusterHub]: 'true' } },
  spec: { managedClusterClientConfigs: [{ url: 'https://hub' }] },
  status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'True' }] },
  ...own,
})
const side = (name: string) => ({ hub: name, task: undefined, wish: undefined, progress: undefined })
const migration = (spec: object): ManagedClusterMigration =>
  ({ apiVersion: 'v1', kind: 'ManagedClusterMigration', metadata: { name: 'm' }, spec }) as ManagedClusterMigration
const facts = (given: Partial<MigrationFacts> = {}) =>
  ({
    migration: migration({ from: 'hub1', to: 'hub2', includedManagedClusters: ['c1'] }),
    uid: 'u',
    before: undefined,
    from: hub('hub1'),
    to: hub('hub2'),
    installNamespace: 'addons',
    serviceAccount: undefined,
    token: undefined,
    hasCredential: false,
    source: side('hub1'),
    target: side('hub2'),
    clusters: ['c1'],
    items: [],
    unassigned: 1,
    isResultWritten: true,
    leftovers: { tasks: 0, bundles: 0 },
    isCancelled: false,
    attempt: 0,
    ...given,
  }) as MigrationFacts

const stageOf = (name: SharedStage) =>
  controllerSharedTable.stages.find(stage => stage.name === name) ?? assert.fail(name)
const refusal = (name: SharedStage, given: Partial<MigrationFacts>) =>
  stageOf(name)
    .guards.map(guard => guard.check(facts(given)))
    .find(({ kind }) => kind !== 'holds')

test('a migration of two good hubs is let in', () => assert.equal(refusal('Validating', {}), undefined))

const SPECS: readonly (readonly [string, object, RegExp])[] = [
  ['without source', { to: 'hub2', includedManagedClusters: ['c'] }, /spec\.from is empty/],
  ['without target', { from: 'hub1', includedManagedClusters: ['c'] }, /spec\.to is empty/],
  ['to where it comes from', { from: 'a', to: 'a', includedManagedClusters: ['c'] }, /two different hubs/],
  ['without clusters and placement', { from: 'a', to: 'b' }, /neither .* nor/],
  ['with an empty placement name', { from: 'a', to: 'b', includedManagedClustersPlacementRef: '' }, /neither .* nor/],
  ['with an empty list', { from: 'a', to: 'b', includedManagedClusters: [] }, /is empty/],
  ['with a name twice', { from: 'a', to: 'b', includedManagedClusters: ['x', 'y', 'x'] }, /names x twice/],
]
for (const [what, spec, message] of SPECS)
  test(`a migration ${what} that the API let through is refused before anything is done (H-26, H-27, H-29)`, () => {
    const verdict = refusal('Validating', { migration: migration(spec) })
    assert.ok(verdict?.kind === 'fails' && verdict.code === 'SpecInvalid' && message.test(verdict.message))
  })

const localCluster = (hasLocalAgent: boolean) =>
  hub('local', {
    cluster: cluster('local', { metadata: { name: 'local', labels: { 'local-cluster': 'true' } } }),
    hasLocalAgent,
  })
const unready = { status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'Unknown' }] } }
const HUBS: readonly (readonly [string, HubFacts, RegExp | undefined])[] = [
  ['does not exist', hub('x', { cluster: undefined }), /hub x not found/],
  ['is not Available', hub('x', { cluster: cluster('x', unready) }), /hub x is not ready/],
  ['says nothing of itself', hub('x', { cluster: cluster('x', { status: {} }) }), /hub x is not ready/],
  [
    'is an ordinary cluster',
    hub('x', { cluster: cluster('x', { metadata: { name: 'x' } }) }),
    /x is not a managed hub/,
  ],
  ['is the global hub without an agent', localCluster(false), /local is not a managed hub/],
  ['is the global hub with an agent', localCluster(true), undefined],
]
for (const which of ['from', 'to'] as const)
  for (const [what, given, message] of HUBS)
    test(`hub \`${which}\` that ${what} is ${message ? 'refused' : 'let in'}`, () => {
      const verdict = refusal('Validating', { [which]: given })
      if (message)
        assert.ok(verdict?.kind === 'fails' && verdict.code === 'HubClusterInvalid' && message.test(verdict.message))
      else assert.equal(verdict, undefined)
    })

test('a target that klusterlets could not find, or that makes no tokens, is refused with what to do', () => {
  const nowhere = refusal('Validating', { to: hub('hub2', { cluster: cluster('hub2', { spec: {} }) }) })
  assert.ok(nowhere?.kind === 'fails' && /managedClusterClientConfigs/.test(nowhere.message))
  const tokenless = refusal('Validating', { installNamespace: undefined })
  assert.ok(
    tokenless?.kind === 'fails' && tokenless.code === 'AddonMissing' && /enable the add-on/.test(tokenless.message),
  )
})

test('a ManagedServiceAccount of somebody else is neither used nor deleted', () => {
  const serviceAccount = { apiVersion: 'v1', kind: 'ManagedServiceAccount', metadata: { name: 'm' } }
  for (const stage of ['Validating', 'Initializing'] as const) {
    const verdict = refusal(stage, { serviceAccount })
    assert.ok(verdict?.kind === 'fails' && verdict.code === 'NameTaken')
  }
  const deletion = stageOf('Revoking').steps.find(step =>
    step.missing(facts({ serviceAccount })).some(({ kind }) => kind === 'deleteServiceAccount'),
  )
  assert.equal(deletion?.permit?.check(facts({ serviceAccount })).kind, 'fails')
})

test('the bootstrap kubeconfig is written only when the token lies ready', () => {
  const step = stageOf('Initializing').steps.find(each =>
    each.missing(facts()).some(({ kind }) => kind === 'writeCredential'),
  )
  assert.equal(step?.permit?.check(facts()).kind, 'waits')
  const token = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'm' }, data: { token: 'dA==' } }
  assert.equal(step?.permit?.check(facts({ token })).kind, 'holds')
})

const retiring = (items: readonly object[]) => {
  const step = stageOf('Retiring').steps.find(({ what }) => what.includes('tasks'))
  return step?.permit?.check(facts({ items: items as MigrationFacts['items'] }))
}
const arrived = { outcome: 'Completed', residue: ['Timeout: too slow'] }
const item = (source: object, target: object = {}) => ({ name: 'c1', source, target })

test('tasks stay while an agent still cleans up what it had no time for, or takes back what came back', () => {
  assert.equal(retiring([item({ wish: { outcome: 'Completed' } })])?.kind, 'holds')
  assert.equal(retiring([item({ wish: arrived, progress: { state: 'Acting' } })])?.kind, 'waits')
  const undoing = { progress: { direction: 'Undo', state: 'Acting' } }
  assert.equal(retiring([item({ wish: { outcome: 'RolledBack' } }, undoing)])?.kind, 'waits')
  const over = { progress: { direction: 'Undo', state: 'Done' } }
  assert.equal(retiring([item({ wish: { outcome: 'RolledBack' } }, over)])?.kind, 'holds')
})

test('tasks stay for good, and the end says why, when an agent cannot finish', () => {
  const failed = { state: 'Failed', code: 'ClusterConflict', message: 'taken back' }
  const verdict = retiring([item({ wish: arrived, progress: failed })])
  assert.deepEqual(verdict, { kind: 'fails', code: 'ClusterConflict', message: 'cluster c1: taken back' })
})
