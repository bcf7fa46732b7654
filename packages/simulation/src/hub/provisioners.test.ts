import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { KubeClient } from '@godwit/kube'
import { eventually } from '../../test/eventually.ts'
import { startHub, type TestHub } from '../../test/world.ts'
import { annotations } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import { populateHub } from '../population/populate-hub.ts'

describe('Hive and Metal3', () => {
  let hub: TestHub
  let client: KubeClient
  before(async () => {
    hub = await startHub({ importControllerMode: 'legacy' })
    client = hub.client
    await populateHub({ client, clock: hub.clock, count: 2, namePrefix: 'ztp', ztpEvery: 1, imageBasedEvery: 0 })
  })
  after(() => hub.stop())

  test('deleting an unpaused object deprovisions, and is remembered', async () => {
    await client.delete(foreign.clusterDeployments, { name: 'ztp-0001', namespace: 'ztp-0001' })
    await client.delete(foreign.bareMetalHosts, { name: 'ztp-0001-host', namespace: 'ztp-0001' })
    await eventually('both are destroyed', () => hub.world.disasters.length === 2)
    const expected = ['BareMetalHost ztp-0001-host', 'ClusterDeployment ztp-0001']
    assert.deepEqual(hub.world.disasters.map(({ kind, name }) => `${kind} ${name}`).toSorted(), expected)
  })

  test('a paused object waits, and one without finalizers is just gone', async () => {
    const deployment = { name: 'ztp-0002', namespace: 'ztp-0002' }
    const host = { name: 'ztp-0002-host', namespace: 'ztp-0002' }
    const before = hub.world.disasters.length
    await client.patch(foreign.clusterDeployments, deployment, {
      metadata: { annotations: { [annotations.hivePause]: 'true' } },
    })
    await client.delete(foreign.clusterDeployments, deployment)
    await client.patch(foreign.bareMetalHosts, host, { metadata: { finalizers: null } })
    await client.delete(foreign.bareMetalHosts, host)
    assert.equal(await client.get(foreign.bareMetalHosts, host), undefined)
    assert.ok((await client.get(foreign.clusterDeployments, deployment))?.metadata.deletionTimestamp)
    assert.equal(hub.world.disasters.length, before)
  })
})
