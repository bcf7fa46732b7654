import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigMap, godwit, type ManagedClusterMigration } from '@godwit/hubs'
import { isInvalid, resources } from '@godwit/kube'
import { decidePlacement, residue, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { NAMESPACE, type Testbed } from './testbed.ts'

const isPlanned = (migration: ManagedClusterMigration) => conditionOf(migration, 'Planned')?.status === 'True'

async function pagesOf(bed: Testbed, migration: ManagedClusterMigration): Promise<Record<string, string>> {
  const names = migration.status?.plan?.pages ?? []
  const pages = await Promise.all(
    names.map(name => bed.clients.globalHub.get<ConfigMap>(resources.configMaps, { name, namespace: NAMESPACE })),
  )
  return Object.assign({}, ...pages.map(page => page?.data))
}

const states = async (bed: Testbed) => {
  const all = await Promise.all([stateOf(bed, 'hub1'), stateOf(bed, 'hub2')])
  return all.map(state => withoutImportSecrets(state))
}
const setDryRun = (bed: Testbed, name: string, dryRun: boolean) =>
  bed.clients.globalHub.patch(godwit.migrations, { name, namespace: NAMESPACE }, { spec: { dryRun } })

test('a dry run tells what each side would do and undo, changes no hub, and begins when it is turned off', () =>
  withTestbed({ count: 2 }, async bed => {
    const before = await states(bed)
    bed.all()
    await bed.migrate('m', { includedManagedClusters: [...bed.names], dryRun: true })
    const planned = await bed.until('m', isPlanned)
    assert.deepEqual(
      [planned.status?.phase, planned.status?.plan?.clusters, planned.status?.plan?.problems],
      ['Pending', 2, 0],
    )
    assert.equal(planned.status?.waitingFor?.[0]?.what, 'spec.dryRun to be turned off')
    const pages = await pagesOf(bed, planned)
    assert.deepEqual(Object.keys(pages), ['_migration', ...bed.names])
    const [name = ''] = bed.names
    const text = pages[name] ?? ''
    const inOrder = [
      '## Hub hub1 (source)',
      'demands the cluster exists, is not hosted, not the local cluster, Available and not itself a hub (now: yes)',
      '"hubAcceptsClient":false',
      `delete managedclusters.cluster.open-cluster-management.io ${name}`,
      '# Rollback on hub hub1',
      '"hubAcceptsClient":true',
      'agent.open-cluster-management.io/klusterlet-config-',
      '## Hub hub2 (target)',
      '# Rollback on hub hub2',
      `delete namespaces ${name}`,
    ]
    let from = 0
    for (const part of inOrder) {
      const at = text.indexOf(part, part.startsWith('demands') ? 0 : from)
      assert.ok(at >= 0, `${part} is not in its place in ${text}`)
      if (!part.startsWith('demands')) from = at
    }
    assert.match(pages['_migration'] ?? '', /Global hub \(controller\)[\s\S]*Hub hub1, once[\s\S]*Hub hub2, once/)
    assert.deepEqual(await states(bed), before)
    await untilNoTasks(bed)
    assert.deepEqual(await residue(bed.fleet), [])
    await setDryRun(bed, 'm', false)
    assert.equal((await bed.until('m', over)).status?.phase, 'Completed')
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))

async function untilNoTasks(bed: Testbed): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const { items } = await bed.clients.globalHub.list(godwit.tasks)
    if (items.length === 0) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('there are still tasks')
}

test('a dry run says what would be refused, for clusters, hubs and placements alike', () =>
  withTestbed({ count: 1 }, async bed => {
    await decidePlacement(bed.clients.hub1, { name: 'some', namespace: 'default' }, [...bed.names, 'ghost'])
    bed.all()
    await bed.migrate('chosen', { includedManagedClustersPlacementRef: 'some', dryRun: true })
    await bed.migrate('nowhere', { to: 'hub9', includedManagedClusters: [...bed.names], dryRun: true })
    const chosen = await bed.until('chosen', isPlanned)
    assert.deepEqual([chosen.status?.plan?.clusters, chosen.status?.plan?.problems], [2, 1])
    assert.match(
      conditionOf(chosen, 'Planned')?.message ?? '',
      /would be refused: ghost: ClusterNotFound: managed cluster ghost does not exist/,
    )
    const nowhere = await bed.until('nowhere', isPlanned)
    assert.match(conditionOf(nowhere, 'Planned')?.message ?? '', /_migration: HubClusterInvalid: hub hub9 not found/)
  }))

test('a dry run holds up nobody, can only be turned off, and is deleted at once', () =>
  withTestbed({ count: 1 }, async bed => {
    bed.all()
    await bed.migrate('plan', { includedManagedClusters: [...bed.names], dryRun: true })
    await bed.until('plan', isPlanned)
    await bed.migrate('move', { includedManagedClusters: [...bed.names] })
    await assert.rejects(setDryRun(bed, 'move', true), isInvalid)
    assert.equal((await bed.until('move', over)).status?.phase, 'Completed')
    await bed.clients.globalHub.delete(godwit.migrations, { name: 'plan', namespace: NAMESPACE })
    await bed.untilGone('plan')
    assert.deepEqual(await residue(bed.fleet), [])
  }))
