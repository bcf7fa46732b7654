import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, godwit, ocm } from '@godwit/hubs'
import { resources } from '@godwit/kube'
import { residue, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, resultOf, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { NAMESPACE } from './testbed.ts'

test('a hub that cannot be prepared fails Initializing, and the other one is taken back', () =>
  withTestbed({ count: 2 }, async bed => {
    await bed.clients.hub1.create(ocm.klusterletConfigs, {
      apiVersion: 'config.open-cluster-management.io/v1alpha1',
      kind: 'KlusterletConfig',
      metadata: { name: 'migration-hub2' },
    })
    const before = [await stateOf(bed, 'hub1'), await stateOf(bed, 'hub2')].map(withoutImportSecrets)
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names] })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Failed')
    const initialized = conditionOf(end, 'ResourceInitialized')
    assert.deepEqual([initialized?.status, initialized?.reason], ['False', 'Error'])
    assert.match(initialized?.message ?? '', /KlusterletConfig migration-hub2 exists .* delete it first/)
    assert.equal(conditionOf(end, 'ResourceRolledBack')?.status, 'True')
    assert.deepEqual([await stateOf(bed, 'hub1'), await stateOf(bed, 'hub2')].map(withoutImportSecrets), before)
    assert.deepEqual((await resultOf(bed, 'move')).failure, [...bed.names])
  }))

test('while nobody answers, the migration says whom it waits for and since when', () =>
  withTestbed({ count: 1 }, async bed => {
    bed.controller()
    bed.agent('hub1')
    await bed.migrate('move', { includedManagedClusters: [...bed.names] })
    const waiting = await bed.until('move', ({ status }) =>
      (status?.waitingFor ?? []).some(({ who }) => /hub2/.test(who)),
    )
    const validated = conditionOf(waiting, 'ResourceValidated')
    assert.deepEqual([waiting.status?.phase, validated?.status, validated?.reason], ['Validating', 'False', 'Waiting'])
    const [wait] = waiting.status?.waitingFor ?? []
    assert.ok(wait?.since && wait.until && wait.since < wait.until)
    bed.agent('hub2')
    assert.equal((await bed.until('move', over)).status?.phase, 'Completed')
  }))

test('a migration that is made again under the same name has nothing to do with the former one', () =>
  withTestbed({ count: 2 }, async bed => {
    const [first = '', second = ''] = bed.names
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [first] })
    await bed.until('move', over)
    await bed.clients.globalHub.delete(godwit.migrations, { name: 'move', namespace: NAMESPACE })
    await bed.untilGone('move')
    await bed.migrate('move', { includedManagedClusters: [second] })
    assert.equal((await bed.until('move', over)).status?.phase, 'Completed')
    assert.deepEqual((await resultOf(bed, 'move')).success, [second])
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))

test('klusterlets that are restarted again and again on the way arrive all the same', () =>
  withTestbed({ count: 3 }, async bed => {
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names] })
    const end = await bed.until('move', migration => {
      if (['Registering', 'Cleaning'].includes(migration.status?.phase ?? ''))
        for (const name of bed.names) bed.fleet.restartPod(name)
      return over(migration)
    })
    assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
  }))

test('three of sixty clusters fail in three ways; the others arrive, and each failure is told by name', () => {
  const [config, unreachable, conflict] = ['cluster-0007', 'cluster-0021', 'cluster-0040'] as const
  const overrides = { [config]: { neverAppliesConfig: true }, [unreachable]: { unreachableHubs: ['hub2'] } }
  return withTestbed({ count: 60, knobs: { overrides } }, async bed => {
    await bed.clients.hub2.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: conflict, annotations: { [annotations.retainNamespace]: '' } },
    })
    await bed.clients.hub2.create(resources.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${conflict}-admin-password`, namespace: conflict },
    })
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names], supportedConfigs: { stageTimeout: '15s' } })
    const end = await bed.until('move', over, 90_000)
    assert.equal(end.status?.phase, 'Failed')
    const failed = [config, unreachable, conflict]
    const others = bed.names.filter(name => !failed.some(each => each === name))
    const { success, failure, reasons } = await resultOf(bed, 'move')
    assert.deepEqual([success, failure], [others, failed])
    assert.match(reasons[config] ?? '', /^Initializing: Timeout/)
    assert.match(reasons[unreachable] ?? '', /^Registering: Timeout/)
    assert.deepEqual(await verifyMoved(bed.fleet, { names: others, from: 'hub1', to: 'hub2' }), [])
    for (const name of failed) assert.equal(await bed.ownerOf(name), 'hub1')
    assert.deepEqual(await residue(bed.fleet), [])
  })
})
