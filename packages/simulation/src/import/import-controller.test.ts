import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type KubeClient, type KubeObject, resources } from '@godwit/kube'
import { eventually } from '../../test/eventually.ts'
import { startHub, type TestHub } from '../../test/world.ts'
import {
  annotations,
  CURRENT_HUB_BOOTSTRAP,
  crdsWorkName,
  ENGINE_NAMESPACE,
  finalizers,
  importSecretName,
  klusterletWorkName,
  SINGLE_BOOTSTRAP,
} from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { KlusterletConfig, ManagedCluster, ManifestWork } from '../foreign/types.ts'
import type { ImportControllerMode } from '../hub/context.ts'
import { healthyStatus } from '../population/managed-cluster.ts'

const config: KlusterletConfig = {
  apiVersion: 'config.open-cluster-management.io/v1alpha1',
  kind: 'KlusterletConfig',
  metadata: { name: 'migration-hub2' },
  spec: {
    multipleHubsConfig: {
      genBootstrapKubeConfigStrategy: 'IncludeCurrentHub',
      bootstrapKubeConfigs: {
        type: 'LocalSecrets',
        localSecretsConfig: { kubeConfigSecrets: [{ name: 'bootstrap-hub2' }], hubConnectionTimeoutSeconds: 180 },
      },
    },
  },
}

class Scene {
  readonly hub: TestHub
  readonly client: KubeClient
  constructor(hub: TestHub) {
    this.hub = hub
    this.client = hub.client
  }

  async addCluster(name: string, marks: Record<string, string> = {}): Promise<void> {
    await this.client.create<ManagedCluster>(foreign.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name, annotations: marks },
      spec: { hubAcceptsClient: true },
    })
    const status = healthyStatus(name, this.hub.clock.now())
    await this.client.patch(foreign.managedClusters, { name }, { status }, { subresource: 'status' })
    await eventually(`${name} has its works`, async () => {
      const works = await Promise.all([this.work(name), this.work(name, crdsWorkName(name))])
      return works.every(Boolean)
    })
  }

  work(cluster: string, name = klusterletWorkName(cluster)): Promise<ManifestWork | undefined> {
    return this.client.get<ManifestWork>(foreign.manifestWorks, { name, namespace: cluster })
  }

  async secretsIn(cluster: string): Promise<readonly string[]> {
    const manifests = (await this.work(cluster))?.spec.workload?.manifests ?? []
    return manifests.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name)
  }

  annotate(name: string, marks: Readonly<Record<string, string | null>>): Promise<KubeObject> {
    return this.client.patch(foreign.managedClusters, { name }, { metadata: { annotations: marks } })
  }

  async isReadOnly(cluster: string): Promise<boolean> {
    const { manifestConfigs = [], workload } = (await this.work(cluster))?.spec ?? {}
    return manifestConfigs.length > 0 && manifestConfigs.length === workload?.manifests?.length
  }

  addBootstrap(): Promise<KubeObject> {
    const metadata = { name: 'bootstrap-hub2', namespace: ENGINE_NAMESPACE }
    const data = { kubeconfig: Buffer.from('{}').toString('base64') }
    return this.client.create(resources.secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data } as KubeObject)
  }
}

describe('import controller', () => {
  const hubs: TestHub[] = []
  after(() => Promise.all(hubs.map(hub => hub.stop())))
  async function scene(importControllerMode: ImportControllerMode): Promise<Scene> {
    const hub = await startHub({ importControllerMode })
    hubs.push(hub)
    return new Scene(hub)
  }

  test('an accepted cluster gets its import Secret and two works', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1')
    assert.deepEqual(await here.secretsIn('c1'), [SINGLE_BOOTSTRAP])
    const secret = await here.client.get(resources.secrets, { name: importSecretName('c1'), namespace: 'c1' })
    assert.ok(secret)
    assert.equal((await here.work('c1'))?.spec.deleteOption?.propagationPolicy, 'Orphan')
    assert.equal(
      (await here.work('c1', crdsWorkName('c1')))?.metadata.annotations?.[annotations.cleanupPriority],
      '100',
    )
  })

  test('a KlusterletConfig is rendered when its Secret is there, and taken back with the annotation', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1')
    await here.client.create<KlusterletConfig>(foreign.klusterletConfigs, config)
    await here.annotate('c1', { [annotations.klusterletConfig]: 'migration-hub2' })
    await here.addCluster('c2')
    assert.deepEqual(await here.secretsIn('c1'), [SINGLE_BOOTSTRAP], 'a missing Secret blocks rendering')
    await here.addBootstrap()
    await eventually('both hubs are rendered', async () => (await here.secretsIn('c1')).length === 2)
    assert.deepEqual(await here.secretsIn('c1'), ['bootstrap-hub2', CURRENT_HUB_BOOTSTRAP])
    assert.deepEqual(await here.secretsIn('c2'), [SINGLE_BOOTSTRAP])
    await here.annotate('c1', { [annotations.klusterletConfig]: null })
    await eventually('one hub is rendered again', async () => (await here.secretsIn('c1'))[0] === SINGLE_BOOTSTRAP)
  })

  test('legacy: disabled auto-import does not concern the works', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1', { [annotations.disableAutoImport]: '' })
    await here.addBootstrap()
    await here.client.create<KlusterletConfig>(foreign.klusterletConfigs, config)
    await here.annotate('c1', { [annotations.klusterletConfig]: 'migration-hub2' })
    await eventually('both hubs are rendered', async () => (await here.secretsIn('c1')).length === 2)
    assert.equal(await here.isReadOnly('c1'), false)
  })

  test('readOnly: disabled auto-import makes the works ReadOnly, though they are still updated', async () => {
    const here = await scene('readOnly')
    await here.addCluster('c1')
    await here.annotate('c1', { [annotations.disableAutoImport]: '' })
    await eventually('it is ReadOnly', () => here.isReadOnly('c1'))
    await here.addBootstrap()
    await here.client.create<KlusterletConfig>(foreign.klusterletConfigs, config)
    await here.annotate('c1', { [annotations.klusterletConfig]: 'migration-hub2' })
    await eventually('both hubs are rendered', async () => (await here.secretsIn('c1')).length === 2)
    assert.equal(await here.isReadOnly('c1'), true)
    await here.annotate('c1', { [annotations.disableAutoImport]: null })
    await eventually('it is written again', async () => !(await here.isReadOnly('c1')))
  })

  test('frozen: disabled auto-import stops updates, and its removal delivers them', async () => {
    const here = await scene('frozen')
    await here.addCluster('c1')
    await here.annotate('c1', { [annotations.disableAutoImport]: '' })
    await eventually('it is ReadOnly', () => here.isReadOnly('c1'))
    await here.addBootstrap()
    await here.client.create<KlusterletConfig>(foreign.klusterletConfigs, config)
    await here.annotate('c1', { [annotations.klusterletConfig]: 'migration-hub2' })
    await eventually('the import Secret knows both hubs', async () => {
      const ref = { name: importSecretName('c1'), namespace: 'c1' }
      const secret = await here.client.get<{ data: Record<string, string> } & KubeObject>(resources.secrets, ref)
      return Buffer.from(secret?.data['import.yaml'] ?? '', 'base64').includes('bootstrap-hub2')
    })
    assert.deepEqual(await here.secretsIn('c1'), [SINGLE_BOOTSTRAP])
    await here.annotate('c1', { [annotations.disableAutoImport]: null })
    await eventually('both hubs are delivered', async () => (await here.secretsIn('c1')).length === 2)
    assert.equal(await here.isReadOnly('c1'), false)
  })

  test('a refused cluster is detached by force, and its namespace goes with it', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1')
    await hold(here, 'c1')
    await here.client.patch(foreign.managedClusters, { name: 'c1' }, { spec: { hubAcceptsClient: false } })
    await here.client.delete(foreign.managedClusters, { name: 'c1' })
    await eventually('everything is gone', async () => {
      const cluster = await here.client.get(foreign.managedClusters, { name: 'c1' })
      return !cluster && !(await here.client.get(resources.namespaces, { name: 'c1' }))
    })
  })

  test('a connected cluster is detached gracefully: works wait for the agent, definitions go last', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1')
    await hold(here, 'c1')
    await here.client.delete(foreign.managedClusters, { name: 'c1' })
    await eventually('the klusterlet work is being deleted', async () =>
      Boolean((await here.work('c1'))?.metadata.deletionTimestamp),
    )
    assert.equal((await here.work('c1', crdsWorkName('c1')))?.metadata.deletionTimestamp, undefined)
    await release(here, 'c1', klusterletWorkName('c1'))
    await eventually('the definitions follow', async () =>
      Boolean((await here.work('c1', crdsWorkName('c1')))?.metadata.deletionTimestamp),
    )
    await release(here, 'c1', crdsWorkName('c1'))
    await eventually(
      'the cluster is gone',
      async () => !(await here.client.get(foreign.managedClusters, { name: 'c1' })),
    )
  })

  test('a ClusterDeployment keeps the namespace of a cluster that is gone', async () => {
    const here = await scene('legacy')
    await here.addCluster('c1')
    await here.client.create(foreign.clusterDeployments, {
      apiVersion: 'hive.openshift.io/v1',
      kind: 'ClusterDeployment',
      metadata: { name: 'c1', namespace: 'c1' },
      spec: { baseDomain: 'example.com', clusterName: 'c1' },
    } as KubeObject)
    await here.client.patch(foreign.managedClusters, { name: 'c1' }, { spec: { hubAcceptsClient: false } })
    await here.client.delete(foreign.managedClusters, { name: 'c1' })
    await eventually(
      'the cluster is gone',
      async () => !(await here.client.get(foreign.managedClusters, { name: 'c1' })),
    )
    await here.addCluster('c2')
    const namespace = await here.client.get(resources.namespaces, { name: 'c1' })
    assert.ok(namespace && !namespace.metadata.deletionTimestamp)
    await here.client.delete(foreign.clusterDeployments, { name: 'c1', namespace: 'c1' })
    await eventually(
      'the namespace is gone',
      async () => !(await here.client.get(resources.namespaces, { name: 'c1' })),
    )
  })
})

/** Gives the works the finalizer that their agent holds. */
async function hold({ client }: Scene, cluster: string): Promise<void> {
  for (const name of [klusterletWorkName(cluster), crdsWorkName(cluster)])
    await client.patch(
      foreign.manifestWorks,
      { name, namespace: cluster },
      { metadata: { finalizers: [finalizers.manifestWorkCleanup] } },
    )
}

async function release({ client }: Scene, cluster: string, name: string): Promise<void> {
  await client.patch(foreign.manifestWorks, { name, namespace: cluster }, { metadata: { finalizers: null } })
}
