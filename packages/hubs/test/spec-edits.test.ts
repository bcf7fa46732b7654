import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { godwit, type ManagedClusterMigration, type MigrationSpec, managedClusterMigrationCrd } from '@godwit/hubs'
import { isInvalid, KubeClient, type KubeError, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'

const NAMESPACE = 'multicluster-global-hub'
const LISTED = { from: 'hub1', to: 'hub2', includedManagedClusters: ['c1', 'c2'] }
const PLACED = { from: 'hub1', to: 'hub2', includedManagedClustersPlacementRef: 'some' }

describe('the spec of a migration', () => {
  let server: KubeServer
  let client: KubeClient
  let count = 0
  before(async () => {
    server = await KubeServer.start({ listen: false })
    client = new KubeClient({ transport: server.transport() })
    await client.create(resources.customResourceDefinitions, managedClusterMigrationCrd as unknown as KubeObject)
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  })
  after(() => server.stop())

  const create = (spec: object) =>
    client.create<ManagedClusterMigration>(godwit.migrations, {
      apiVersion: 'global-hub.open-cluster-management.io/v1alpha1',
      kind: 'ManagedClusterMigration',
      metadata: { name: `m${++count}`, namespace: NAMESPACE },
      spec: spec as MigrationSpec,
    })
  const edit = async (spec: object, change: object | null) => {
    const { metadata } = await create(spec)
    return client.patch<ManagedClusterMigration>(godwit.migrations, metadata, { spec: change })
  }
  const refusedWith = async (doing: Promise<unknown>, message: string) => {
    await assert.rejects(doing, error => {
      assert.ok(isInvalid(error), String(error))
      const text = (error as KubeError).message
      assert.ok(text.includes(message), text)
      return true
    })
  }

  test('a controller that was replaced cannot write the status any more (INV-6)', async () => {
    const { metadata } = await create(LISTED)
    const write = (epoch: number, phase: string) =>
      client.patch(godwit.migrations, metadata, { status: { epoch, phase } }, { subresource: 'status' })
    await write(3, 'Validating')
    await write(3, 'Initializing')
    await refusedWith(write(2, 'Validating'), 'a newer controller has taken over')
    await write(5, 'Deploying')
  })

  const refusals: readonly [string, object, object | null, string][] = [
    [
      'from',
      LISTED,
      { from: 'hub3' },
      'spec.from: Invalid value: "object": from cannot change: delete this migration and make a new one',
    ],
    [
      'to',
      LISTED,
      { to: 'hub3' },
      'spec.to: Invalid value: "object": to cannot change: delete this migration and make a new one',
    ],
    [
      'the clusters, by one more',
      LISTED,
      { includedManagedClusters: ['c1', 'c2', 'c3'] },
      'spec.includedManagedClusters: Invalid value: "object": includedManagedClusters cannot change: delete this migration and make a new one, or name clusters in cancelledManagedClusters',
    ],
    [
      'the clusters, by one less',
      LISTED,
      { includedManagedClusters: ['c1'] },
      'spec.includedManagedClusters: Invalid value: "object": includedManagedClusters cannot change',
    ],
    [
      'the placement',
      PLACED,
      { includedManagedClustersPlacementRef: 'other' },
      'spec.includedManagedClustersPlacementRef: Invalid value: "object": includedManagedClustersPlacementRef cannot change: delete this migration and make a new one',
    ],
    [
      'the way of choosing',
      LISTED,
      { includedManagedClusters: null, includedManagedClustersPlacementRef: 'some' },
      'spec.includedManagedClusters: Invalid value: "object": includedManagedClusters cannot change',
    ],
    ['everything, by taking the spec away', LISTED, null, 'spec cannot be taken away: delete the migration instead'],
    [
      'a cancellation, to false',
      { ...LISTED, cancel: true },
      { cancel: false },
      'spec.cancel: Invalid value: "object": a migration that is cancelled stays cancelled: make a new one',
    ],
    [
      'a cancellation, by leaving it out',
      { ...LISTED, cancel: true },
      { cancel: null },
      'spec.cancel: Invalid value: "object": a migration that is cancelled stays cancelled: make a new one',
    ],
    [
      'the cancelled clusters, by another one',
      { ...LISTED, cancelledManagedClusters: ['c1'] },
      { cancelledManagedClusters: ['c2'] },
      'spec.cancelledManagedClusters: Invalid value: "object": a cluster that is cancelled stays cancelled: name it in a new migration',
    ],
    [
      'the cancelled clusters, by none',
      { ...LISTED, cancelledManagedClusters: ['c1'] },
      { cancelledManagedClusters: null },
      'spec.cancelledManagedClusters: Invalid value: "object": a cluster that is cancelled stays cancelled: name it in a new migration',
    ],
  ]
  for (const [what, spec, change, message] of refusals)
    test(`cannot change ${what}, and says so`, () => refusedWith(edit(spec, change), message))

  const edits: readonly [string, object, object][] = [
    ['be paused', LISTED, { paused: true }],
    ['be resumed', { ...LISTED, paused: true }, { paused: false }],
    ['be cancelled', LISTED, { cancel: true }],
    ['cancel a cluster', LISTED, { cancelledManagedClusters: ['c1'] }],
    ['cancel one more', { ...LISTED, cancelledManagedClusters: ['c1'] }, { cancelledManagedClusters: ['c2', 'c1'] }],
    ['change its strategy', { ...LISTED, strategy: { batchSize: 1 } }, { strategy: { batchSize: '50%', soak: '1m' } }],
    ['lose its strategy', { ...LISTED, strategy: { batchSize: 1 } }, { strategy: null }],
    ['change its deadlines', LISTED, { supportedConfigs: { stageTimeout: '1s', stageTimeouts: { deploying: '9m' } } }],
  ]
  for (const [what, spec, change] of edits)
    test(`can ${what} at any time`, async () => {
      const after = (await edit(spec, change)).spec ?? {}
      for (const [key, value] of Object.entries(change))
        assert.deepEqual((after as Record<string, unknown>)[key], value ?? undefined)
    })

  const BATCH = 'batchSize is a number from 1 to 5000 or a percentage from 1% to 100%'
  const badStrategies: readonly [object, string][] = [
    [{ batchSize: 0 }, BATCH],
    [{ batchSize: -1 }, BATCH],
    [{ batchSize: '0%' }, BATCH],
    [{ batchSize: '101%' }, BATCH],
    [{ batchSize: '5' }, BATCH],
    [{ batchSize: 5001 }, BATCH],
    [{ maxConcurrent: 0 }, 'spec.strategy.maxConcurrent'],
    [{ stopAfterFailures: 0 }, 'spec.strategy.stopAfterFailures'],
    [{ soak: 'a while' }, 'spec.strategy.soak'],
  ]
  for (const [strategy, message] of badStrategies)
    test(`is refused with strategy ${JSON.stringify(strategy)}`, () =>
      refusedWith(create({ ...LISTED, strategy }), message))

  test('is as large as it may be, with every name cancelled that may be', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `cluster-${index}`)
    const spec = { ...LISTED, includedManagedClusters: names, cancelledManagedClusters: names.slice(0, 999) }
    const after = await edit(spec, { paused: true, cancelledManagedClusters: names.slice(0, 1000) })
    assert.equal(after.spec?.cancelledManagedClusters?.length, 1000)
  })
})
