import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable, Terminal } from '@godwit/core'
import { KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'
import { prepareHub } from '@godwit/simulation'
import { annotations, ocm, provisioning } from '../api/index.ts'
import { applyItem, namesOf, unmarkItem, withdrawItem } from './apply-item.ts'

const UID = 'uid-1'
const namespaced = { namespace: 'c1' }

interface Open extends KubeObject {
  readonly data?: Record<string, string>
  readonly spec?: unknown
  readonly status?: unknown
}

const cluster: Open = {
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: { name: 'c1' },
  spec: {
    hubAcceptsClient: true,
    taints: [{ key: 'k', effect: 'NoSelect', timeAdded: '2026-01-01T00:00:00Z' }],
  },
}
const secret = (data: Record<string, string>): Open => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', ...namespaced },
  data,
})
const host: Open = {
  apiVersion: 'metal3.io/v1alpha1',
  kind: 'BareMetalHost',
  metadata: { name: 'h', ...namespaced },
  spec: { online: true, bmc: { address: 'redfish://x', credentialsName: 's' } },
  status: { operationalStatus: 'OK', provisioning: { state: 'provisioned' } },
}

async function setUp(t: TestContext) {
  const server = await KubeServer.start({ listen: false })
  t.after(() => server.stop())
  const client = new KubeClient({ transport: server.transport() })
  await prepareHub({ client, clock: systemClock })
  const target = { client, cluster: 'c1', migrationUid: UID }
  const read = (resource: Resource, name: string) =>
    client.get<Open>(resource, { name, ...(resource.namespaced && namespaced) })
  const versions = async () =>
    Promise.all(
      [
        [ocm.managedClusters, 'c1'],
        [resources.secrets, 's'],
        [provisioning.bareMetalHosts, 'h'],
      ].map(async ([resource, name]) => (await read(resource as Resource, name as string))?.metadata.resourceVersion),
    )
  return { client, target, read, versions }
}

const isConflict = (what: RegExp) => (error: unknown) =>
  error instanceof Terminal && error.code === 'ClusterConflict' && what.test(error.message)

test('every object arrives with the mark of the migration, a status where it travels', async t => {
  const { target, read } = await setUp(t)
  await applyItem(target, [secret({ a: 'YQ==' }), cluster, host])
  for (const [resource, name] of [
    [ocm.managedClusters, 'c1'],
    [resources.namespaces, 'c1'],
    [resources.secrets, 's'],
    [provisioning.bareMetalHosts, 'h'],
  ] as const)
    assert.equal((await read(resource, name))?.metadata.annotations?.[annotations.migration], UID)
  assert.deepEqual((await read(resources.secrets, 's'))?.data, { a: 'YQ==' })
  assert.deepEqual((await read(provisioning.bareMetalHosts, 'h'))?.status, host.status)
})

test('a delivery that is repeated changes nothing, taints with their times included (H-46)', async t => {
  const { target, versions } = await setUp(t)
  const objects = [secret({ a: 'YQ==' }), cluster, host]
  await applyItem(target, objects)
  const before = await versions()
  await applyItem(target, objects)
  assert.deepEqual(await versions(), before)
})

test('a delivery that was cut short is completed, with what changed meanwhile on the source', async t => {
  const { target, read } = await setUp(t)
  await applyItem(target, [cluster, { ...secret({ a: 'YQ==' }), ...{ type: 'example.com/a' } }])
  await applyItem(target, [cluster, { ...secret({ b: 'Yg==' }), ...{ type: 'example.com/a' } }, host])
  assert.deepEqual((await read(resources.secrets, 's'))?.data, { b: 'Yg==' })
  assert.ok(await read(provisioning.bareMetalHosts, 'h'))
})

test('a list that became shorter is shortened', async t => {
  const { target, read } = await setUp(t)
  await applyItem(target, [cluster])
  const without = { ...cluster, spec: { hubAcceptsClient: true, taints: [] } }
  await applyItem(target, [without])
  assert.deepEqual(
    ((await read(ocm.managedClusters, 'c1'))?.spec as { taints?: unknown[] } | undefined)?.taints ?? [],
    [],
  )
})

test('a foreign cluster is not touched, and nothing is written into its namespace (H-28)', async t => {
  const { client, target, read } = await setUp(t)
  await client.create(ocm.managedClusters, { ...cluster, ...{ spec: { hubAcceptsClient: false } } })
  const before = await read(ocm.managedClusters, 'c1')
  // Whether its own klusterlet made it shows in a moment; until then the item is tried again.
  await assert.rejects(applyItem(target, [secret({ a: 'YQ==' }), cluster]), Retryable)
  assert.deepEqual(await read(ocm.managedClusters, 'c1'), before)
  const marked = { metadata: { annotations: { [annotations.migration]: 'another' } } }
  await client.patch(ocm.managedClusters, { name: 'c1' }, marked)
  await assert.rejects(
    applyItem(target, [secret({ a: 'YQ==' }), cluster]),
    isConflict(/ManagedCluster c1 .* was not made/),
  )
  assert.equal(await read(resources.secrets, 's'), undefined)
})

test('a foreign Secret of that name is not overwritten', async t => {
  const { client, target, read } = await setUp(t)
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'c1' } })
  await client.create(resources.secrets, secret({ mine: 'YQ==' }))
  await assert.rejects(applyItem(target, [cluster, secret({ a: 'YQ==' })]), isConflict(/Secret s .* was not made/))
  assert.deepEqual((await read(resources.secrets, 's'))?.data, { mine: 'YQ==' })
})

test('one object of somebody else refuses the whole item before anything is written (H-51)', async t => {
  const { target, read } = await setUp(t)
  const smuggled = { ...secret({ a: 'YQ==' }), metadata: { name: 's', namespace: 'kube-system' } }
  await assert.rejects(applyItem(target, [cluster, smuggled]), /BundleRefused|not the cluster's own/)
  assert.equal(await read(ocm.managedClusters, 'c1'), undefined)
  assert.equal(await read(resources.namespaces, 'c1'), undefined)
})

test('taking back deletes what this migration made, and only that (H-44)', async t => {
  const { client, target, read } = await setUp(t)
  await applyItem(target, [cluster, host])
  await client.create(resources.secrets, secret({ mine: 'YQ==' }))
  await withdrawItem(target)
  assert.equal(await read(ocm.managedClusters, 'c1'), undefined)
  assert.equal(await read(provisioning.bareMetalHosts, 'h'), undefined)
})

test('taking back leaves the cluster that somebody else made meanwhile, with its namespace', async t => {
  const { client, target, read } = await setUp(t)
  await applyItem(target, [cluster, secret({ a: 'YQ==' })])
  await client.delete(ocm.managedClusters, { name: 'c1' })
  await client.create(ocm.managedClusters, cluster)
  await withdrawItem(target)
  assert.ok(await read(ocm.managedClusters, 'c1'))
  const namespace = await read(resources.namespaces, 'c1')
  assert.ok(namespace && namespace.metadata.deletionTimestamp === undefined)
  assert.equal(namespace.metadata.annotations?.[annotations.migration], undefined)
})

test('taking back where another migration delivered leaves everything alone', async t => {
  const { target, read } = await setUp(t)
  await applyItem({ ...target, migrationUid: 'other' }, [cluster, secret({ a: 'YQ==' })])
  await withdrawItem(target)
  assert.ok(await read(ocm.managedClusters, 'c1'))
  assert.ok(await read(resources.secrets, 's'))
})

test('at the end the marks go and the objects stay; what was deleted since is passed over', async t => {
  const { client, target, read } = await setUp(t)
  const objects = [cluster, secret({ a: 'YQ==' }), host]
  await applyItem(target, objects)
  await client.delete(resources.secrets, { name: 's', ...namespaced })
  await unmarkItem(target, namesOf(objects))
  for (const [resource, name] of [
    [ocm.managedClusters, 'c1'],
    [resources.namespaces, 'c1'],
    [provisioning.bareMetalHosts, 'h'],
  ] as const) {
    const found = await read(resource, name)
    assert.ok(found)
    assert.equal(found.metadata.annotations?.[annotations.migration], undefined)
  }
})

test("a state that was seen too long ago does not lose a mark that is somebody else's by now", async t => {
  const { client, target, read } = await setUp(t)
  await applyItem(target, [cluster])
  const seen = {
    cluster: await read(ocm.managedClusters, 'c1'),
    namespace: await read(resources.namespaces, 'c1'),
  }
  const taken = { metadata: { annotations: { [annotations.migration]: 'other' } } }
  await client.patch(ocm.managedClusters, { name: 'c1' }, taken)
  assert.equal(await unmarkItem(target, namesOf([cluster]), seen), undefined)
  assert.equal((await read(ocm.managedClusters, 'c1'))?.metadata.annotations?.[annotations.migration], 'other')
  const namespace = await read(resources.namespaces, 'c1')
  assert.equal(namespace?.metadata.annotations?.[annotations.migration], undefined)
})
