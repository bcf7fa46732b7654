import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedClusterMigration, Progress } from '../api/index.ts'
import type { ItemFacts } from '../controller/item-table.ts'
import { itemRunbook, renderRunbook, sharedRunbook } from './runbook.ts'
import { runbookHint, runbookPages } from './runbook-pages.ts'

const KEYS = {
  'ManagedCluster/c1/annotation/godwit.dev/migration': 'null',
  'ManagedCluster/c1/annotation/global-hub.open-cluster-management.io/migrating': 'null',
  'ManagedCluster/c1/annotation/agent.open-cluster-management.io/klusterlet-config': '"mine"',
  'ManagedCluster/c1/annotation/import.open-cluster-management.io/disable-auto-import': 'null',
  'BareMetalHost/host-0/annotation/baremetalhost.metal3.io/paused': 'null',
}

const progress = (over: Partial<Progress>): Progress => ({
  stage: 'Registering',
  direction: 'Undo',
  state: 'Acting',
  entered: true,
  since: '2026-01-01T00:00:00Z',
  ...over,
})

const item = (source: Progress | undefined, target: Progress | undefined): ItemFacts => ({
  name: 'c1',
  source: { hub: 'hub1', wish: undefined, progress: source },
  target: { hub: 'hub2', wish: undefined, progress: target },
  isBundleDelivered: () => false,
})

const stepsOf = (source: Progress | undefined, target: Progress | undefined) =>
  itemRunbook({ migrationUid: 'u1', item: item(source, target) })
const commandsOf = (steps: ReturnType<typeof stepsOf>) =>
  steps.filter(({ isDone }) => !isDone).flatMap(({ commands }) => commands)

const migration = {
  apiVersion: 'a/v1',
  kind: 'ManagedClusterMigration',
  metadata: { name: 'm', namespace: 'ns', uid: '12345678-aaaa' },
  spec: { from: 'hub1', to: 'hub2' },
} as ManagedClusterMigration

test('a cluster whose agents died before they undid anything: every command, in the order of the controller', () => {
  const source = progress({ direction: 'Forward', state: 'Done', journal: KEYS })
  const target = progress({ direction: 'Forward', evidence: { objects: 'ManagedCluster/c1,BareMetalHost/host-0' } })
  const steps = stepsOf(source, target)
  assert.deepEqual(
    steps.map(({ stage, hub }) => `${stage} ${hub}`),
    [
      'Registering hub1',
      'Registering hub1',
      'Registering hub2',
      'Deploying hub2',
      'Deploying hub2',
      'Deploying hub2',
      'Initializing hub1',
      'Initializing hub1',
    ],
  )
  const kind = 'managedclusters.cluster.open-cluster-management.io'
  assert.deepEqual(commandsOf(steps), [
    `kubectl --context hub1 patch ${kind} c1 --type=merge -p '{"spec":{"hubAcceptsClient":true}}'`,
    'kubectl --context hub1 -n c1 delete leases.coordination.k8s.io managed-cluster-lease --ignore-not-found --wait=false',
    `kubectl --context hub2 patch ${kind} c1 --type=merge -p '{"spec":{"hubAcceptsClient":false}}'`,
    'kubectl --context hub2 -n c1 annotate baremetalhosts.metal3.io host-0 --overwrite baremetalhost.metal3.io/paused=true',
    `kubectl --context hub2 -n c1 patch baremetalhosts.metal3.io host-0 --type=merge -p '{"metadata":{"finalizers":null}}'`,
    'kubectl --context hub2 -n c1 delete baremetalhosts.metal3.io host-0 --ignore-not-found --wait=false',
    `kubectl --context hub2 delete ${kind} c1 --ignore-not-found --wait=false`,
    'kubectl --context hub2 delete namespaces c1 --ignore-not-found --wait=false',
    'kubectl --context hub1 -n c1 annotate baremetalhosts.metal3.io host-0 --overwrite baremetalhost.metal3.io/paused-',
    `kubectl --context hub1 annotate ${kind} c1 --overwrite godwit.dev/migration- global-hub.open-cluster-management.io/migrating- agent.open-cluster-management.io/klusterlet-config=mine import.open-cluster-management.io/disable-auto-import-`,
  ])
})

test('what a side has undone is done, what it never did is not mentioned', () => {
  const steps = stepsOf(
    progress({ stage: 'Registering', state: 'Failed', journal: KEYS }),
    progress({ stage: 'Deploying', state: 'Done' }),
  )
  assert.deepEqual(
    steps.map(({ stage, hub, isDone }) => `${stage} ${hub} ${isDone}`),
    [
      'Registering hub1 false',
      'Registering hub1 false',
      'Registering hub2 true',
      'Deploying hub2 true',
      'Deploying hub2 true',
      'Deploying hub2 true',
      'Initializing hub1 false',
      'Initializing hub1 false',
    ],
  )
  const early = stepsOf(progress({ stage: 'Initializing', direction: 'Forward', journal: KEYS }), undefined)
  assert.deepEqual([...new Set(early.map(({ stage, hub }) => `${stage} ${hub}`))], ['Initializing hub1'])
})

test('the text tells how many steps are to do, what each must wait for and how one sees that it is done', () => {
  const text = renderRunbook('T', stepsOf(progress({ journal: KEYS }), progress({ stage: 'Deploying' })))
  assert.match(text, /^# T\n# 5 of 8 steps are to do\.\n/)
  assert.match(text, /# 3\. \[done\] Registering, hub2: set hubAcceptsClient to false/)
  assert.match(text, /# {4}only when the klusterlet is not connected to the target hub/)
  assert.match(text, /# {4}done when the klusterlet has renewed its lease on the source hub since the rollback/)
})

test('a step that this cluster does not need is not given to a person without a command', () => {
  const journal = Object.fromEntries(Object.entries(KEYS).filter(([key]) => key.startsWith('ManagedCluster/')))
  const text = renderRunbook('T', stepsOf(progress({ journal }), progress({ stage: 'Deploying' })))
  assert.match(text, /# 7\. \[nothing to do\] Initializing, hub1: give Hive and Metal3/)
  assert.match(text, /^# T\n# 4 of 8 steps are to do\.\n/)
})

test('what the migration needed once is taken away by name, the token included', () => {
  const steps = sharedRunbook({
    migration,
    source: progress({ stage: 'Initializing', direction: 'Forward' }),
    target: progress({ stage: 'Initializing', direction: 'Forward' }),
    user: 'system:serviceaccount:addons:m',
  })
  const text = renderRunbook('T', steps)
  for (const name of [
    'klusterletconfigs.config.open-cluster-management.io migration-hub2',
    '-n multicluster-engine delete secrets bootstrap-hub2',
    'clusterrolebindings.rbac.authorization.k8s.io global-hub-migration-m-registration',
    'clusterroles.rbac.authorization.k8s.io global-hub-migration-m-sar',
    'take system:serviceaccount:addons:m out of spec.registrationConfiguration.autoApproveUsers',
    '-n hub2 delete managedserviceaccounts.authentication.open-cluster-management.io m',
    '-n hub1 delete secrets godwit-credential-12345678',
    'delete secrets godwit-sealing-12345678',
  ])
    assert.ok(text.includes(name), `${name} is not in ${text}`)
})

test('the pages have a member for the whole and one for each cluster that is not back', () => {
  const stuck = [item(progress({ journal: KEYS }), progress({ stage: 'Deploying' }))]
  const shared = { source: undefined, target: undefined }
  const [page, ...more] = runbookPages({ migration, stuck, shared, serviceAccount: undefined })
  assert.deepEqual([Object.keys(page?.data ?? {}), more], [['_migration', 'c1'], []])
  assert.match(page?.data?.['_migration'] ?? '', /annotate managedclustermigrations\S+ m \S+migration-request=rollback/)
  assert.ok(runbookHint('m').includes(page?.metadata.name ?? 'no name'))
})
