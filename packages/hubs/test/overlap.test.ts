import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, godwit, type ManagedClusterMigration, ocm } from '@godwit/hubs'
import { decidePlacement, residue, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, resultOf, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { NAMESPACE } from './testbed.ts'

const isRolledBack = (migration: ManagedClusterMigration) =>
  conditionOf(migration, 'ResourceRolledBack')?.status === 'True'

test('a cluster that a placement chose is refused when the target has one of that name, which stays as it is (H-28)', () =>
  withTestbed({ count: 3 }, async bed => {
    const [taken = ''] = bed.names
    await bed.clients.hub2.create(ocm.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name: taken },
      ...{ spec: { hubAcceptsClient: false } },
    })
    await decidePlacement(bed.clients.hub1, { name: 'all', namespace: 'default' }, bed.names)
    const before = [await stateOf(bed, 'hub1'), await stateOf(bed, 'hub2')]
    bed.all()
    await bed.migrate('move', { includedManagedClustersPlacementRef: 'all' })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Failed')
    const { failure, reasons } = await resultOf(bed, 'move')
    assert.deepEqual(failure, [...bed.names], 'the clusters of a placement are not forgotten (H-14)')
    assert.match(reasons[taken] ?? '', /ClusterConflict.*exists on the target hub/)
    assert.deepEqual([await stateOf(bed, 'hub1'), await stateOf(bed, 'hub2')], before)
  }))

test('a rollback that is asked for while another migration between the same hubs is under way is served (H-21)', () =>
  withTestbed(
    {
      count: 4,
      knobs: {
        overrides: { 'cluster-0002': { neverAppliesConfig: true }, 'cluster-0003': { neverAppliesConfig: true } },
      },
      deadlines: { Rollbacking: 500 },
    },
    async bed => {
      const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
      bed.controller()
      bed.agent('hub2')
      const source = bed.agent('hub1')
      const isHeld = ({ status }: ManagedClusterMigration) =>
        (status?.waitingFor ?? []).some(({ what }) => what.includes('two-hub configuration'))
      await bed.migrate('first', {
        includedManagedClusters: ['cluster-0002'],
        supportedConfigs: { stageTimeout: '2s' },
      })
      await bed.until('first', isHeld)
      await source.stop()
      await bed.until('first', over)
      bed.agent('hub1')
      const patient = { stageTimeouts: { rollbacking: '1m' } }
      await bed.migrate('second', { includedManagedClusters: ['cluster-0003'], supportedConfigs: patient })
      await bed.until('second', isHeld)
      await bed.clients.globalHub.patch(
        godwit.migrations,
        { name: 'first', namespace: NAMESPACE },
        {
          metadata: { annotations: { [annotations.request]: 'rollback' } },
          spec: { supportedConfigs: { ...patient, stageTimeout: null } },
        },
      )
      const end = await bed.until('first', migration => over(migration) && isRolledBack(migration))
      assert.equal(end.status?.residue, undefined)
      await bed.clients.globalHub.delete(godwit.migrations, { name: 'second', namespace: NAMESPACE })
      await bed.untilGone('second')
      assert.deepEqual(withoutImportSecrets(await stateOf(bed, 'hub1')), before)
      assert.deepEqual(await residue(bed.fleet), [])
    },
  ))

test('migrations in opposite directions at the same time do not disturb each other', () =>
  withTestbed({ count: 6 }, async bed => {
    const there = bed.names.slice(0, 3)
    bed.all()
    await bed.migrate('there', { includedManagedClusters: there })
    await bed.until('there', over)
    await bed.migrate('back', { from: 'hub2', to: 'hub1', includedManagedClusters: there })
    await bed.migrate('rest', { includedManagedClusters: bed.names.slice(3) })
    const ends = [await bed.until('back', over), await bed.until('rest', over)]
    assert.deepEqual(
      ends.map(({ status }) => status?.phase),
      ['Completed', 'Completed'],
    )
    assert.deepEqual(await verifyMoved(bed.fleet, { names: there, from: 'hub2', to: 'hub1' }), [])
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names.slice(3), from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))
