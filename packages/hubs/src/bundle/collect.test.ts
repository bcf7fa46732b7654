import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'
import { prepareHub } from '@godwit/simulation'
import { annotations, labels, ocm, provisioning } from '../api/index.ts'
import { collect } from './collect.ts'

const CLUSTER = 'c1'

interface Given {
  readonly resource: Resource
  readonly apiVersion: string
  readonly kind: string
}
const secret: Given = { resource: resources.secrets, apiVersion: 'v1', kind: 'Secret' }
const configMap: Given = { resource: resources.configMaps, apiVersion: 'v1', kind: 'ConfigMap' }

describe('what is collected of one cluster', () => {
  let server: KubeServer
  let client: KubeClient

  async function give({ resource, apiVersion, kind }: Given, name: string, rest: object = {}, meta: object = {}) {
    const namespace = resource.namespaced ? { namespace: CLUSTER } : {}
    await client.create(resource, {
      apiVersion,
      kind,
      metadata: { name, ...namespace, ...meta },
      ...rest,
    } as KubeObject)
  }
  const collected = async () =>
    (await collect({ client, cluster: CLUSTER, keepDisableAutoImport: false })).map(
      ({ kind, metadata }) => `${kind}/${metadata.name}`,
    )

  before(async () => {
    server = await KubeServer.start({ listen: false })
    client = new KubeClient({ transport: server.transport() })
    await prepareHub({ client, clock: systemClock })
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CLUSTER } })
    await give(
      { resource: ocm.managedClusters, apiVersion: 'cluster.open-cluster-management.io/v1', kind: 'ManagedCluster' },
      CLUSTER,
      {
        spec: { hubAcceptsClient: true },
      },
    )
  })
  after(() => server.stop())

  test('the ManagedCluster alone when there is nothing else', async () => {
    assert.deepEqual(await collected(), ['ManagedCluster/c1'])
  })

  test('own Secrets by name, annotation and label, ConfigMaps by label; others of the namespace stay', async () => {
    for (const suffix of ['admin-password', 'admin-kubeconfig', 'metadata-json', 'seed-reconfiguration'])
      await give(secret, `c1-${suffix}`)
    await give(secret, 'by-wave', {}, { annotations: { [annotations.siteconfigSyncWave]: '1' } })
    await give(secret, 'by-label', {}, { labels: { [labels.siteconfigPreserve]: '' } })
    await give(secret, 'c2-admin-password')
    await give(secret, 'other')
    await give(configMap, 'kept', {}, { labels: { [labels.siteconfigPreserve]: 'x' } })
    await give(configMap, 'left')
    assert.deepEqual((await collected()).sort(), [
      'ConfigMap/kept',
      'ManagedCluster/c1',
      'Secret/by-label',
      'Secret/by-wave',
      'Secret/c1-admin-kubeconfig',
      'Secret/c1-admin-password',
      'Secret/c1-metadata-json',
      'Secret/c1-seed-reconfiguration',
    ])
  })

  test('referenced objects come first, each once, missing ones are passed over; every host, whatever its name (H-33)', async () => {
    const host: Given = {
      resource: provisioning.bareMetalHosts,
      apiVersion: 'metal3.io/v1alpha1',
      kind: 'BareMetalHost',
    }
    const install: Given = {
      resource: provisioning.imageClusterInstalls,
      apiVersion: 'extensions.hive.openshift.io/v1alpha1',
      kind: 'ImageClusterInstall',
    }
    await give(secret, 'bmc')
    await give(configMap, 'extra')
    await give(host, 'node-a', { spec: { bmc: { credentialsName: 'bmc' } } })
    await give(host, 'node-b', { spec: { bmc: { credentialsName: 'by-label' } } })
    await give(host, 'node-c', { spec: { bmc: { credentialsName: 'missing' } } })
    await give(install, 'c1', { spec: { extraManifestsRefs: [{ name: 'extra' }, { name: 'missing' }] } })
    await give(install, 'another')
    const found = await collected()
    assert.deepEqual(found.slice(0, 3).sort(), ['ConfigMap/extra', 'Secret/bmc', 'Secret/by-label'])
    assert.equal(new Set(found).size, found.length, 'each once')
    for (const name of ['node-a', 'node-b', 'node-c']) assert.ok(found.includes(`BareMetalHost/${name}`))
    assert.ok(found.includes('ImageClusterInstall/c1') && !found.includes('ImageClusterInstall/another'))
  })

  test('a cluster that is gone is told so', async () => {
    await assert.rejects(
      collect({ client, cluster: 'ghost', keepDisableAutoImport: false }),
      error => error instanceof Terminal && error.code === 'ClusterNotFound',
    )
  })
})

test('kinds that a hub does not serve are passed over', async t => {
  const server = await KubeServer.start({ listen: false })
  t.after(() => server.stop())
  const client = new KubeClient({ transport: server.transport() })
  await prepareHub({ client, clock: systemClock, flavour: 'ocm' })
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CLUSTER } })
  await client.create(ocm.managedClusters, {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: { name: CLUSTER },
    ...{ spec: { hubAcceptsClient: true } },
  })
  const found = await collect({ client, cluster: CLUSTER, keepDisableAutoImport: false })
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['ManagedCluster'],
  )
})
