import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInvalid, KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { type CocoonSet, setPhases } from './cocoon-set.ts'
import { cocoonHibernationCrd, cocoonSetCrd } from './custom-resource-definitions.ts'
import { cocoon } from './kinds.ts'

async function served() {
  const server = await KubeServer.start({ listen: false })
  const client = new KubeClient({ transport: server.transport() })
  for (const crd of [cocoonSetCrd, cocoonHibernationCrd])
    await client.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
  return { client, stop: () => server.stop() }
}

const set = (name: string, spec: object): KubeObject => ({
  apiVersion: 'cocoonset.cocoonstack.io/v1',
  kind: 'CocoonSet',
  metadata: { name, namespace: 'default' },
  ...{ spec: { agent: { image: 'base:1' }, ...spec } },
})

const hibernation = (name: string, spec: object): KubeObject => ({
  apiVersion: 'cocoonset.cocoonstack.io/v1',
  kind: 'CocoonHibernation',
  metadata: { name, namespace: 'default' },
  ...{ spec },
})

test('a set of only an image gets the defaults of the reference', async () => {
  const { client, stop } = await served()
  const made = (await client.create(cocoon.sets, set('demo', {}))) as CocoonSet
  assert.deepEqual(made.spec, {
    snapshotPolicy: 'always',
    hibernatePolicy: 'retain',
    nodePool: 'default',
    agent: { image: 'base:1', replicas: 0, mode: 'clone', os: 'linux', backend: 'cloud-hypervisor' },
  })
  await stop()
})

test('every phase that the operator writes is one that the API server takes', async () => {
  const { client, stop } = await served()
  await client.create(cocoon.sets, set('demo', {}))
  const ref = { name: 'demo', namespace: 'default' }
  for (const phase of setPhases) {
    const written = await client.patch<CocoonSet>(cocoon.sets, ref, { status: { phase } }, { subresource: 'status' })
    assert.equal(written.status?.phase, phase)
  }
  await assert.rejects(
    client.patch(cocoon.sets, ref, { status: { phase: 'Elsewhere' } }, { subresource: 'status' }),
    isInvalid,
  )
  await stop()
})

test('release is refused for a set with sub-agents or toolboxes, and a CPU class that is set stays', async () => {
  const { client, stop } = await served()
  const create = (spec: object) => client.create(cocoon.sets, set('demo', spec))
  await assert.rejects(create({ hibernatePolicy: 'release', agent: { image: 'a', replicas: 1 } }), isInvalid)
  await assert.rejects(create({ hibernatePolicy: 'release', toolboxes: [{ name: 'tools', image: 'a' }] }), isInvalid)
  await create({ hibernatePolicy: 'release', toolboxes: [], snapshotCompatibilityClass: 'v3' })
  const ref = { name: 'demo', namespace: 'default' }
  for (const snapshotCompatibilityClass of ['v4', null])
    await assert.rejects(client.patch(cocoon.sets, ref, { spec: { snapshotCompatibilityClass } }), isInvalid)
  await client.patch(cocoon.sets, ref, { spec: { nodeName: 'node-b' } })
  await stop()
})

test('wrong values of agents and toolboxes are refused', async () => {
  const { client, stop } = await served()
  const wrong: readonly object[] = [
    { agent: { image: '' } },
    { agent: { image: 'a', mode: 'static' } },
    { agent: { image: 'a', os: 'plan9' } },
    { agent: { image: 'a', replicas: -1 } },
    { agent: { image: 'a', probePort: 65_536 } },
    { toolboxes: [{ name: 'Upper', image: 'a' }] },
    { snapshotPolicy: 'sometimes' },
    { snapshotCompatibilityClass: 'a/b' },
  ]
  for (const spec of wrong) await assert.rejects(client.create(cocoon.sets, set('demo', spec)), isInvalid)
  await stop()
})

test('the pod of a hibernation cannot change; desires are two', async () => {
  const { client, stop } = await served()
  const ref = { name: 'demo-0', namespace: 'default' }
  const wrong = hibernation('demo-0', { podRef: { name: 'demo-0' }, desire: 'Sleep' })
  await assert.rejects(client.create(cocoon.hibernations, wrong), isInvalid)
  await client.create(cocoon.hibernations, hibernation('demo-0', { podRef: { name: 'demo-0' }, desire: 'Hibernate' }))
  await assert.rejects(client.patch(cocoon.hibernations, ref, { spec: { podRef: { name: 'demo-1' } } }), isInvalid)
  await client.patch(cocoon.hibernations, ref, { spec: { desire: 'Wake' } })
  await stop()
})
