import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isForbidden, type KubeClient, resources } from '@godwit/kube'
import { eventually } from '../../test/eventually.ts'
import { startHub, type TestHub } from '../../test/world.ts'
import { findCondition, isTrue } from '../foreign/conditions.ts'
import {
  AUTO_APPROVAL_GATE,
  agentGroups,
  agentUser,
  annotations,
  CLUSTER_MANAGER,
  conditions,
  LEASE_NAME,
  registrationBindingName,
  workBindingName,
} from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster } from '../foreign/types.ts'
import { renewLease } from '../klusterlet/agent-calls.ts'

describe('registration controller', () => {
  let hub: TestHub
  let client: KubeClient
  before(async () => {
    hub = await startHub({ importControllerMode: 'absent' })
    client = hub.client
  })
  after(() => hub.stop())

  const read = (name: string) => client.get<ManagedCluster>(foreign.managedClusters, { name })
  const agentOf = (name: string) => client.as({ user: agentUser(name, 'id'), groups: agentGroups(name) })
  const accept = (name: string, hubAcceptsClient: boolean) =>
    client.patch(foreign.managedClusters, { name }, { spec: { hubAcceptsClient } })
  const hasCondition = async (name: string, type: string, status: string) => {
    const cluster = await read(name)
    return cluster !== undefined && findCondition(cluster, type)?.status === status
  }
  const isAccepted = (name: string) =>
    eventually(`${name} is accepted`, () => hasCondition(name, conditions.hubAccepted, 'True'))
  const hasLease = (name: string) =>
    eventually(`${name} has a lease`, async () => {
      const lease = await client.get(resources.leases, { name: LEASE_NAME, namespace: name })
      return lease !== undefined
    })
  const mayRenew = async (name: string) => {
    try {
      await renewLease(agentOf(name), name, hub.clock.now())
      return true
    } catch (error) {
      if (isForbidden(error)) return false
      throw error
    }
  }
  const create = (name: string, hubAcceptsClient: boolean) =>
    client.create<ManagedCluster>(foreign.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name },
      spec: { hubAcceptsClient },
    })
  const work = (name: string) => ({
    apiVersion: 'work.open-cluster-management.io/v1',
    kind: 'ManifestWork',
    metadata: { name: 'some-work', namespace: name },
    spec: { workload: { manifests: [] } },
  })

  test('an accepted cluster gets a namespace, permissions and a lease', async () => {
    await create('accepted', true)
    await isAccepted('accepted')
    await hasLease('accepted')
    const namespace = await client.get(resources.namespaces, { name: 'accepted' })
    assert.equal(namespace?.metadata.labels?.['open-cluster-management.io/cluster-name'], 'accepted')
    await eventually('its agent may renew the lease', () => mayRenew('accepted'))
    await assert.rejects(agentOf('accepted').list(resources.secrets, { namespace: 'accepted' }), isForbidden)
  })

  test('an agent has no rights on another cluster', async () => {
    await create('mine', true)
    await create('yours', true)
    await isAccepted('yours')
    await hasLease('yours')
    await eventually('its own agent may renew the lease', () => mayRenew('yours'))
    await assert.rejects(renewLease(agentOf('mine'), 'yours', hub.clock.now()), isForbidden)
  })

  test('a cluster that nobody accepts gets nothing', async () => {
    await create('stranger', false)
    await create('after-stranger', true)
    await isAccepted('after-stranger')
    assert.equal(await client.get(resources.namespaces, { name: 'stranger' }), undefined)
    assert.equal(await hasCondition('stranger', conditions.hubAccepted, 'True'), false)
  })

  test('refusal takes the lease away at once but works only when none is left', async () => {
    const name = 'refused'
    await create(name, true)
    await isAccepted(name)
    await hasLease(name)
    await client.create(foreign.manifestWorks, work(name))
    await eventually('the agent may renew', () => mayRenew(name))
    await accept(name, false)
    await eventually('the agent may not renew any more', async () => !(await mayRenew(name)))
    const binding = await client.get(resources.roleBindings, { name: workBindingName(name), namespace: name })
    assert.ok(binding?.metadata.deletionTimestamp)
    assert.equal((await agentOf(name).list(foreign.manifestWorks, { namespace: name })).items.length, 1)
    assert.equal(await hasCondition(name, conditions.hubAccepted, 'True'), true)
    await client.delete(foreign.manifestWorks, { name: 'some-work', namespace: name })
    await eventually('the refusal is complete', () => hasCondition(name, conditions.hubAccepted, 'False'))
    await eventually('works are out of reach', async () => {
      try {
        await agentOf(name).list(foreign.manifestWorks, { namespace: name })
        return false
      } catch (error) {
        return isForbidden(error)
      }
    })
  })

  test('re-acceptance while works still hold the old binding restores all permissions', async () => {
    const name = 'returned'
    await create(name, true)
    await isAccepted(name)
    await client.create(foreign.manifestWorks, work(name))
    await accept(name, false)
    await eventually('refusal has begun', async () => {
      const binding = await client.get(resources.roleBindings, { name: registrationBindingName(name), namespace: name })
      return binding === undefined
    })
    await accept(name, true)
    await hasLease(name)
    await eventually('the agent may renew again', () => mayRenew(name))
    await eventually('the binding for works is a new one', async () => {
      const binding = await client.get(resources.roleBindings, { name: workBindingName(name), namespace: name })
      return binding !== undefined && !binding.metadata.deletionTimestamp
    })
  })

  test('a namespace that came without label is tied to its cluster', async () => {
    const metadata = { name: 'bare' }
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata })
    await create('bare', true)
    await isAccepted('bare')
    const namespace = await client.get(resources.namespaces, metadata)
    assert.equal(namespace?.metadata.labels?.['open-cluster-management.io/cluster-name'], 'bare')
  })

  test('with the gate any new cluster is accepted, but one that was refused later stays refused', async () => {
    await create('waiting', false)
    const featureGates = [{ feature: AUTO_APPROVAL_GATE, mode: 'Enable' }]
    await client.patch(
      foreign.clusterManagers,
      { name: CLUSTER_MANAGER },
      { spec: { registrationConfiguration: { featureGates } } },
    )
    await isAccepted('waiting')
    assert.ok((await read('waiting'))?.metadata.annotations?.[annotations.automaticallyAcceptedOn])
    await accept('waiting', false)
    await eventually('the refusal is complete', () => hasCondition('waiting', conditions.hubAccepted, 'False'))
    assert.equal((await read('waiting'))?.spec.hubAcceptsClient, false)
  })

  test('a lease that nobody renews makes the cluster Unknown and tainted, and a report makes it available again', async () => {
    const name = 'silent'
    await create(name, true)
    await isAccepted(name)
    await hasLease(name)
    const ref = { name: LEASE_NAME, namespace: name }
    await client.patch(resources.leases, ref, { spec: { renewTime: '2020-01-01T00:00:00.000000Z' } })
    await client.patch(foreign.managedClusters, { name }, { metadata: { annotations: { look: 'again' } } })
    await eventually('it is Unknown', () => hasCondition(name, conditions.available, 'Unknown'))
    await eventually('it is tainted', async () =>
      Boolean((await read(name))?.spec.taints?.some(taint => taint.key.endsWith('/unreachable'))),
    )
    await client.delete(resources.leases, ref)
    await eventually('the hub makes a fresh lease', async () => {
      const lease = await client.get<{ spec: { renewTime: string } } & ManagedCluster>(resources.leases, ref)
      return Date.parse(lease?.spec.renewTime ?? '') > Date.parse('2025-01-01')
    })
    assert.equal(await hasCondition(name, conditions.available, 'Unknown'), true, 'a fresh lease proves nothing')
    const cluster = await read(name)
    assert.ok(cluster && !isTrue(cluster, conditions.available))
  })
})
