import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, godwit, type ManagedClusterMigration } from '@godwit/hubs'
import { residue, verifyMoved } from '@godwit/simulation'
import { over, resultOf, withTestbed } from './judging.ts'
import { NAMESPACE, type Testbed } from './testbed.ts'

const ask = (bed: Testbed, name: string, request: string) =>
  bed.clients.globalHub.patch<ManagedClusterMigration>(
    godwit.migrations,
    { name, namespace: NAMESPACE },
    { metadata: { annotations: { [annotations.request]: request } } },
  )
const isServed = ({ metadata }: ManagedClusterMigration) => metadata.annotations?.[annotations.request] === undefined
const all = async (bed: Testbed) =>
  (await bed.clients.globalHub.list<ManagedClusterMigration>(godwit.migrations)).items.map(
    ({ metadata }) => metadata.name,
  )

test('what failed is tried again by a migration of its own, once for each time a person asks, also over a restart', () =>
  withTestbed({ count: 4 }, async bed => {
    const controller = bed.controller()
    bed.agent('hub2')
    const source = bed.agent('hub1')
    const supportedConfigs = { stageTimeouts: { initializing: '6s' } }
    const strategy = { batchSize: 2, soak: '2s' }
    await bed.migrate('move', { includedManagedClusters: [...bed.names], supportedConfigs, strategy })
    await bed.until('move', ({ status }) => status?.waves?.soakUntil !== undefined)
    await source.stop()
    await bed.until('move', ({ status }) => status?.clusters?.rollingBack === 2)
    bed.agent('hub1')
    const failed = await bed.until('move', over)
    assert.deepEqual(
      [failed.status?.phase, failed.status?.clusters?.completed],
      ['Failed', 2],
      JSON.stringify(failed.status),
    )
    const { failure } = await resultOf(bed, 'move')
    assert.deepEqual(failure, bed.names.slice(2))

    await controller.stop()
    await ask(bed, 'move', 'retry')
    bed.controller()
    await bed.until('move', isServed)
    const end = await bed.until('move-retry-1', over)
    assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
    assert.deepEqual(end.spec?.includedManagedClusters, failure)
    assert.equal(end.metadata.annotations?.[annotations.retryOf], `move/${failed.metadata.uid}`)
    assert.deepEqual((await bed.read('move'))?.status, failed.status, 'what is over never changes')
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])

    // A controller that died after it had made the migration, and before it had said so, finds it.
    await ask(bed, 'move', 'retry/move-retry-1')
    await bed.until('move', isServed)
    assert.deepEqual(await all(bed), ['move', 'move-retry-1'])
    // Each further request is another attempt; these clusters are gone from the source, and it says so.
    await ask(bed, 'move', 'retry')
    const again = await bed.until('move-retry-2', over)
    assert.deepEqual([again.status?.phase, again.status?.shared?.failure?.code], ['Failed', 'ClusterNotFound'])
  }))
