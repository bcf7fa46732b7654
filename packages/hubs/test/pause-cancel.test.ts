import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { annotations, godwit, type ManagedClusterMigration, ocm } from '@godwit/hubs'
import { residue, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, resultOf, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { NAMESPACE, type Testbed } from './testbed.ts'

const edit = (bed: Testbed, name: string, spec: object) =>
  bed.clients.globalHub.patch<ManagedClusterMigration>(godwit.migrations, { name, namespace: NAMESPACE }, { spec })
const pauseReason = (migration: ManagedClusterMigration) => {
  const { status, reason } = conditionOf(migration, 'Paused') ?? {}
  return status && `${status}/${reason}`
}
const stands = (migration: ManagedClusterMigration) => pauseReason(migration) === 'True/Paused'
const slow = { klusterlet: { rolloutDelayMs: 300, restartDelayMs: 300 } }

/** What must not change while a migration stands at a safe place; leases and conditions of living clusters may. */
async function still(bed: Testbed) {
  const hubs = await Promise.all(bed.names.map(name => bed.ownerOf(name)))
  return [hubs, withoutImportSecrets(await stateOf(bed, 'hub1')), withoutImportSecrets(await stateOf(bed, 'hub2'))]
}

describe('a migration that is paused', () => {
  for (const phase of ['Validating', 'Initializing', 'Deploying', 'Registering'] as const)
    test(`in ${phase} comes to a safe place and stays there, also over a restart, then goes on to its end`, () =>
      // With this import controller nobody else restarts klusterlets while the migration stands.
      withTestbed({ count: 6, knobs: slow, hub: { importControllerMode: 'readOnly' } }, async bed => {
        const parties = bed.all()
        await bed.migrate('move', { includedManagedClusters: [...bed.names] })
        await bed.until('move', ({ status }) => status?.phase === phase || (status?.clusters?.registering ?? 0) > 0)
        await edit(bed, 'move', { paused: true })
        const paused = await bed.until('move', stands)
        const before = await still(bed)
        await Promise.all(parties.map(party => party.stop()))
        bed.all()
        await new Promise(resolve => setTimeout(resolve, 500))
        assert.deepEqual(await still(bed), before)
        const after = await bed.read('move')
        assert.deepEqual(
          [after?.status?.phase, after?.status?.clusters],
          [paused.status?.phase, paused.status?.clusters],
        )
        for (const name of bed.names) assert.ok(await bed.ownerOf(name), `${name} works on a hub`)
        await edit(bed, 'move', { paused: false })
        const end = await bed.until('move', over)
        assert.deepEqual([end.status?.phase, pauseReason(end)], ['Completed', 'False/Resumed'])
        assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
        assert.deepEqual(await residue(bed.fleet), [])
      }))

  test('from the beginning does not begin, lets others go first, and takes its turn later', () =>
    withTestbed({ count: 4 }, async bed => {
      bed.all()
      await bed.migrate('first', { includedManagedClusters: bed.names.slice(0, 2), paused: true })
      const waiting = await bed.until('first', stands)
      assert.deepEqual([waiting.status?.phase, waiting.status?.shared?.stage], ['Pending', 'Pending'])
      await bed.migrate('second', { includedManagedClusters: bed.names.slice(2) })
      assert.equal((await bed.until('second', over)).status?.phase, 'Completed')
      await edit(bed, 'first', { paused: false })
      assert.equal((await bed.until('first', over)).status?.phase, 'Completed')
      assert.deepEqual(await residue(bed.fleet), [])
    }))
})

describe('a migration that is cancelled', () => {
  for (const phase of ['Pending', 'Validating', 'Initializing', 'Deploying', 'Registering'] as const)
    test(`in ${phase} is taken back, stays to be read, and leaves clusters as they were`, () =>
      withTestbed({ count: 6, knobs: slow }, async bed => {
        const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
        bed.all()
        await bed.migrate('move', { includedManagedClusters: [...bed.names], paused: phase === 'Pending' })
        await bed.until('move', ({ status }) => status?.phase === phase || (status?.clusters?.registering ?? 0) > 0)
        await edit(bed, 'move', { cancel: true })
        const end = await bed.until('move', over)
        const { success, failure, reasons } = await resultOf(bed, 'move')
        assert.equal(end.status?.phase, failure.length > 0 ? 'Failed' : 'Completed', JSON.stringify(end.status))
        for (const name of failure) assert.match(reasons[name] ?? '', /Cancelled: the migration was cancelled before/)
        assert.deepEqual(await residue(bed.fleet), [])
        assert.deepEqual(await verifyMoved(bed.fleet, { names: success, from: 'hub1', to: 'hub2' }), [])
        const ofHome = (state: Record<string, string>) =>
          Object.fromEntries(Object.entries(state).filter(([key]) => !success.some(name => key.includes(name))))
        assert.deepEqual(ofHome(withoutImportSecrets(await stateOf(bed, 'hub1'))), ofHome(before))
        for (const name of failure) assert.equal(await bed.clients.hub2.get(ocm.managedClusters, { name }), undefined)
      }))
})

describe('single clusters that are cancelled', () => {
  test('go back alone while the others arrive, also when they were cancelled before the migration began', () =>
    withTestbed({ count: 6, knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } } }, async bed => {
      const [early = '', held = ''] = bed.names
      const before = withoutImportSecrets(await stateOf(bed, 'hub1'))
      bed.all()
      const cancelled = { cancelledManagedClusters: [early] }
      await bed.migrate('move', { includedManagedClusters: [...bed.names], ...cancelled })
      await bed.until('move', ({ status }) => status?.clusters?.completed === 4)
      await edit(bed, 'move', { cancelledManagedClusters: [early, held] })
      const end = await bed.until('move', over)
      assert.deepEqual(
        [end.status?.phase, end.status?.clusters?.completed, end.status?.clusters?.failed],
        ['Failed', 4, 2],
      )
      const { success, failure, reasons } = await resultOf(bed, 'move')
      assert.deepEqual([success, failure], [bed.names.slice(2), [early, held]])
      assert.match(reasons[early] ?? '', /^Validating: Cancelled: the cluster was cancelled before it had arrived/)
      assert.match(reasons[held] ?? '', /^Initializing: Cancelled: /)
      assert.deepEqual(await verifyMoved(bed.fleet, { names: success, from: 'hub1', to: 'hub2' }), [])
      const after = withoutImportSecrets(await stateOf(bed, 'hub1'))
      for (const key of Object.keys(before).filter(key => key.includes(early) || key.includes(held)))
        assert.deepEqual([key, after[key]], [key, before[key]])
      assert.equal(
        (await bed.clients.hub1.get(ocm.managedClusters, { name: held }))?.metadata.annotations?.[
          annotations.migration
        ],
        undefined,
      )
      assert.deepEqual(await residue(bed.fleet), [])
    }))

  test('are the whole migration when they are all: nothing is made on any hub for it', () =>
    withTestbed({ count: 2 }, async bed => {
      const before = (await still(bed)).slice(1)
      bed.all()
      await bed.migrate('move', { includedManagedClusters: [...bed.names], cancelledManagedClusters: [...bed.names] })
      const end = await bed.until('move', over)
      assert.deepEqual([end.status?.phase, end.status?.shared?.failure?.code], ['Failed', 'Cancelled'])
      assert.deepEqual((await still(bed)).slice(1), before)
    }))
})
