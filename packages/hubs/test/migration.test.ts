import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { annotations, godwit, type ManagedClusterMigration, ocm } from '@godwit/hubs'
import { isInvalid, type KubeError, type KubeObject, resources } from '@godwit/kube'
import { decidePlacement, type ImportControllerMode, residue, takeSnapshot, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, resultOf, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { NAMESPACE, Testbed } from './testbed.ts'

describe('a migration of ten clusters, some of them provisioned from the hub', () => {
  for (const importControllerMode of [
    'legacy',
    'readOnly',
    'frozen',
  ] as const satisfies readonly ImportControllerMode[])
    test(`arrives whole and leaves nothing behind, with an import controller of kind ${importControllerMode}`, () =>
      withTestbed({ count: 20, hub: { importControllerMode } }, async bed => {
        const snapshot = await takeSnapshot(bed.clients.hub1, bed.names)
        bed.all()
        await bed.migrate('move', { includedManagedClusters: [...bed.names] })
        const end = await bed.until('move', over)
        assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
        assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2', snapshot }), [])
        assert.deepEqual(await residue(bed.fleet), [])
        assert.deepEqual(
          end.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
          [
            ['MigrationStarted', 'True', 'InstanceStarted'],
            ['ResourceValidated', 'True', 'ResourceValidated'],
            ['ResourceInitialized', 'True', 'ResourceInitialized'],
            ['ResourceDeployed', 'True', 'ResourcesDeployed'],
            ['ClusterRegistered', 'True', 'ClusterRegistered'],
            ['ResourceCleaned', 'True', 'ResourceCleaned'],
          ],
        )
        assert.deepEqual((await resultOf(bed, 'move')).success, [...bed.names])
      }))
})

test('a placement on the source hub chooses the clusters', () =>
  withTestbed({ count: 6 }, async bed => {
    const chosen = bed.names.slice(0, 4)
    await decidePlacement(bed.clients.hub1, { name: 'some', namespace: 'default' }, chosen)
    bed.all()
    await bed.migrate('move', { includedManagedClustersPlacementRef: 'some' })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
    assert.deepEqual(await verifyMoved(bed.fleet, { names: chosen, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await bed.ownerOf(bed.names[5] ?? ''), 'hub1')
  }))

describe('a migration that cannot work', () => {
  let bed: Testbed
  const start = async () => {
    bed ??= await Testbed.start({ count: 4 }).then(started => {
      started.all()
      return started
    })
    return bed
  }
  after(() => bed?.stop())

  const refusals: readonly [string, object, RegExp][] = [
    ['names the same hub twice', { to: 'hub1', includedManagedClusters: ['c'] }, /spec\.to: .*same hub/],
    ['names no clusters', { includedManagedClusters: [] }, /spec\.includedManagedClusters/],
    ['names a cluster twice', { includedManagedClusters: ['c', 'c'] }, /spec\.includedManagedClusters\[1\]: Duplicate/],
    ['has neither a list nor a placement', {}, /exactly one of includedManagedClusters/],
    [
      'has both a list and a placement',
      { includedManagedClusters: ['c'], includedManagedClustersPlacementRef: 'p' },
      /exactly one of/,
    ],
    [
      'has a stage timeout that is no duration',
      { includedManagedClusters: ['c'], supportedConfigs: { stageTimeout: 'soon' } },
      /stageTimeout/,
    ],
  ]
  for (const [what, spec, message] of refusals)
    test(`is refused by the API with field and reason when it ${what}`, async () => {
      const here = await start()
      await assert.rejects(
        here.migrate('bad', spec),
        error => isInvalid(error) && message.test((error as KubeError).message),
      )
    })

  const failures: readonly [string, (names: readonly string[]) => object, string, RegExp][] = [
    [
      'its source hub does not exist',
      names => ({ from: 'hub9', includedManagedClusters: names }),
      'HubClusterInvalid',
      /hub9 not found/,
    ],
    [
      'its target hub does not exist',
      names => ({ to: 'hub9', includedManagedClusters: names }),
      'HubClusterInvalid',
      /hub9 not found/,
    ],
    [
      'a cluster does not exist',
      names => ({ includedManagedClusters: [...names, 'ghost'] }),
      'ClusterNotFound',
      /1 of 5 clusters cannot move: .*ghost does not exist/,
    ],
    [
      'its placement chose nothing',
      () => ({ includedManagedClustersPlacementRef: 'nobody' }),
      'PlacementEmpty',
      /nobody has no decisions/,
    ],
  ]
  for (const [index, [what, spec, reason, message]] of failures.entries())
    test(`ends Failed with the reason, and nothing is changed on either hub, when ${what}`, async () => {
      const here = await start()
      const before = [await stateOf(here, 'hub1'), await stateOf(here, 'hub2')]
      await here.migrate(`fail-${index}`, spec(here.names))
      const end = await here.until(`fail-${index}`, over)
      assert.equal(end.status?.phase, 'Failed')
      const validated = conditionOf(end, 'ResourceValidated')
      assert.deepEqual([validated?.status, validated?.reason], ['False', reason])
      assert.match(validated?.message ?? '', message)
      assert.deepEqual([await stateOf(here, 'hub1'), await stateOf(here, 'hub2')], before)
      assert.equal((await here.clients.globalHub.list(godwit.tasks)).items.length, 0)
      if (reason === 'ClusterNotFound')
        assert.match((await resultOf(here, `fail-${index}`)).reasons['ghost'] ?? '', /does not exist/)
    })

  test('tells every cluster its own reason, as result and as Event', async () => {
    const here = await start()
    const [first = '', second = ''] = here.names
    await here.clients.hub2.create(ocm.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name: first },
      ...{ spec: { hubAcceptsClient: false } },
    })
    await here.migrate('two', { includedManagedClusters: [first, second, 'ghost'] })
    await here.until('two', over)
    const { reasons, failure } = await resultOf(here, 'two')
    assert.match(reasons[first] ?? '', /ClusterConflict.*exists on the target hub/)
    assert.match(reasons['ghost'] ?? '', /ClusterNotFound/)
    assert.deepEqual(failure, [first, second, 'ghost'])
    const events = await here.clients.globalHub.list<KubeObject & { reason?: string; message?: string }>(
      resources.events,
      { namespace: NAMESPACE },
    )
    const told = events.items.filter(({ reason }) => reason === 'ValidatingFailed').map(({ message }) => message ?? '')
    for (const name of [first, 'ghost'])
      assert.ok(
        told.some(message => message.startsWith(`${name}: `)),
        told.join('\n'),
      )
    assert.ok(await here.clients.hub2.get(ocm.managedClusters, { name: first }), 'the foreign cluster is untouched')
  })
})

test('a cluster that never gets its configuration is rolled back alone; the others arrive', () =>
  withTestbed({ count: 10, knobs: { overrides: { 'cluster-0010': { neverAppliesConfig: true } } } }, async bed => {
    const stubborn = 'cluster-0010'
    const read = () => bed.clients.hub1.get(ocm.managedClusters, { name: stubborn })
    const before = (await read())?.metadata.annotations
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names], supportedConfigs: { stageTimeout: '8s' } })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Failed')
    assert.deepEqual([end.status?.clusters?.completed, end.status?.clusters?.failed], [9, 1])
    const initialized = conditionOf(end, 'ResourceInitialized')
    assert.deepEqual([initialized?.status, initialized?.reason], ['False', 'Timeout'])
    assert.equal(conditionOf(end, 'ResourceRolledBack')?.status, 'True')
    const others = bed.names.filter(name => name !== stubborn)
    assert.deepEqual(await verifyMoved(bed.fleet, { names: others, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual((await read())?.metadata.annotations, before)
    assert.deepEqual(await residue(bed.fleet), [])
    const { success, failure, reasons } = await resultOf(bed, 'move')
    assert.deepEqual([success, failure], [others, [stubborn]])
    assert.match(reasons[stubborn] ?? '', /Initializing: Timeout: .*two-hub configuration/)
  }))

test('a cluster that cannot be deployed is taken back on both hubs as it was, foreign objects untouched', () =>
  withTestbed({ count: 10 }, async bed => {
    const blocked = 'cluster-0010'
    const foreign = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${blocked}-admin-password`, namespace: blocked },
      data: { password: 'bWluZQ==' },
    }
    await bed.clients.hub2.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: blocked, annotations: { [annotations.retainNamespace]: '' } },
    })
    await bed.clients.hub2.create(resources.secrets, foreign)
    const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
    const snapshot = await takeSnapshot(bed.clients.hub1, [blocked])
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [blocked] })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Failed')
    const deployed = conditionOf(end, 'ResourceDeployed')
    assert.deepEqual([deployed?.status, deployed?.reason], ['False', 'Error'])
    assert.match(deployed?.message ?? '', /ClusterConflict.*was not made by this migration/)
    assert.equal(conditionOf(end, 'ResourceRolledBack')?.status, 'True')
    assert.equal(await bed.clients.hub2.get(ocm.managedClusters, { name: blocked }), undefined)
    const kept = await bed.clients.hub2.get<KubeObject & { data?: object }>(resources.secrets, foreign.metadata)
    assert.deepEqual(kept?.data, foreign.data)
    assert.deepEqual(withoutImportSecrets(await stateOf(bed, 'hub1')), before)
    assert.deepEqual(await takeSnapshot(bed.clients.hub1, [blocked]), snapshot)
    assert.deepEqual(await residue(bed.fleet), [])
    assert.equal(await bed.ownerOf(blocked), 'hub1')
  }))

test('a klusterlet that cannot reach the target comes back to the source, by a lease renewed since the rollback', () =>
  withTestbed({ count: 4, knobs: { overrides: { 'cluster-0002': { unreachableHubs: ['hub2'] } } } }, async bed => {
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names], supportedConfigs: { stageTimeout: '8s' } })
    const end = await bed.until('move', over, 60_000)
    assert.equal(end.status?.phase, 'Failed')
    assert.deepEqual(
      [end.status?.clusters?.completed, end.status?.clusters?.failed],
      [3, 1],
      JSON.stringify(end.status),
    )
    assert.equal(conditionOf(end, 'ResourceRolledBack')?.status, 'True')
    assert.equal(await bed.ownerOf('cluster-0002'), 'hub1')
    const live = await bed.clients.hub1.get(ocm.managedClusters, { name: 'cluster-0002' })
    assert.equal(live?.metadata.annotations?.[annotations.migrating], undefined)
    assert.equal(await bed.clients.hub2.get(ocm.managedClusters, { name: 'cluster-0002' }), undefined)
    assert.deepEqual(await residue(bed.fleet), [])
  }))

describe('a migration that is deleted on the way', () => {
  for (const phase of ['Validating', 'Initializing', 'Deploying', 'Registering'] as const)
    test(`in ${phase} is taken back before it goes: clusters are as they were, and nothing is left`, () =>
      withTestbed({ count: 12, knobs: { klusterlet: { rolloutDelayMs: 300, restartDelayMs: 300 } } }, async bed => {
        const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
        bed.all()
        await bed.migrate('move', { includedManagedClusters: [...bed.names] })
        await bed.until('move', ({ status }) => status?.phase === phase || status?.phase === 'Registering')
        await bed.clients.globalHub.delete(godwit.migrations, { name: 'move', namespace: NAMESPACE })
        await bed.untilGone('move')
        assert.deepEqual(await residue(bed.fleet), [])
        await bed.untilConnected()
        const home = bed.names.filter(name => bed.fleet.klusterlet(name)?.hub === 'hub1')
        const moved = bed.names.filter(name => !home.includes(name))
        assert.deepEqual(await verifyMoved(bed.fleet, { names: moved, from: 'hub1', to: 'hub2' }), [])
        const after = withoutImportSecrets(await stateOf(bed, 'hub1'))
        const ofHome = (state: Record<string, string>) =>
          Object.fromEntries(Object.entries(state).filter(([key]) => !moved.some(name => key.includes(name))))
        assert.deepEqual(ofHome(after), ofHome(before))
        for (const name of home) assert.equal(await bed.clients.hub2.get(ocm.managedClusters, { name }), undefined)
      }))

  test('after its end goes at once', () =>
    withTestbed({ count: 1 }, async bed => {
      bed.all()
      await bed.migrate('move', { includedManagedClusters: [...bed.names] })
      const end = await bed.until('move', migration => over(migration) && migration.metadata.finalizers === undefined)
      assert.equal(end.status?.phase, 'Completed')
      await bed.clients.globalHub.delete(godwit.migrations, { name: 'move', namespace: NAMESPACE })
      await bed.untilGone('move')
    }))
})

test('a rollback that could not finish is named, keeps what it needs, and finishes when asked again much later', () =>
  withTestbed(
    {
      count: 2,
      knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } },
      deadlines: { Rollbacking: 500 },
    },
    async bed => {
      const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
      bed.controller()
      bed.agent('hub2')
      const source = bed.agent('hub1')
      await bed.migrate('move', { includedManagedClusters: ['cluster-0002'], supportedConfigs: { stageTimeout: '2s' } })
      await bed.until('move', ({ status }) =>
        (status?.waitingFor ?? []).some(({ what }) => what.includes('two-hub configuration')),
      )
      await source.stop()
      const failed = await bed.until('move', over)
      assert.equal(failed.status?.phase, 'Failed')
      assert.deepEqual(
        [conditionOf(failed, 'ResourceRolledBack')?.status, conditionOf(failed, 'ResourceRolledBack')?.reason],
        ['False', 'Timeout'],
      )
      assert.match(failed.status?.residue?.join() ?? '', /cluster-0002: Timeout/)
      assert.ok(
        (await bed.clients.globalHub.list(godwit.tasks)).items.length > 0,
        'the tasks, with their journal, stay',
      )
      bed.agent('hub1')
      const request = {
        metadata: { annotations: { [annotations.request]: 'rollback' } },
        // This time the rollback is given the time that it needs.
        spec: { supportedConfigs: { stageTimeout: null, stageTimeouts: { rollbacking: '1m' } } },
      }
      await bed.clients.globalHub.patch(godwit.migrations, { name: 'move', namespace: NAMESPACE }, request)
      const end = await bed.until(
        'move',
        ({ metadata, status }) =>
          status?.phase === 'Failed' &&
          metadata.annotations?.[annotations.request] === undefined &&
          conditionOf({ status } as ManagedClusterMigration, 'ResourceRolledBack')?.status === 'True',
      )
      assert.equal(end.status?.residue, undefined)
      assert.deepEqual(withoutImportSecrets(await stateOf(bed, 'hub1')), before)
      assert.deepEqual(await residue(bed.fleet), [])
    },
  ))

test('controller and agents are replaced again and again, and nothing is done twice or left out', () =>
  withTestbed({ count: 30 }, async bed => {
    const snapshot = await takeSnapshot(bed.clients.hub1, bed.names)
    await bed.migrate('move', { includedManagedClusters: [...bed.names] })
    const starters = [() => bed.controller(), () => bed.agent('hub1'), () => bed.agent('hub2')]
    const parties = starters.map(start => start())
    for (let round = 0; round < 30 && !over((await bed.read('move')) ?? assert.fail()); round++) {
      await new Promise(resolve => setTimeout(resolve, 40))
      await parties[round % 3]?.stop()
      const next = starters[round % 3]?.()
      if (next) parties[round % 3] = next
    }
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2', snapshot }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))
