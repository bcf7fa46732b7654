import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedClusterMigration } from '@godwit/hubs'
import { decidePlacement, residue, verifyMoved } from '@godwit/simulation'
import { over, withTestbed } from './judging.ts'
import type { Testbed } from './testbed.ts'

const hasBegun = ({ status }: ManagedClusterMigration) =>
  status?.shared !== undefined && status.shared.stage !== 'Pending'
const waitsBecause = (text: string) => (migration: ManagedClusterMigration) =>
  (migration.status?.waitingFor ?? []).some(({ what }) => what.includes(text))
const untilOver = (bed: Testbed, names: readonly string[]) =>
  Promise.all(names.map(name => bed.until(name, over, 90_000)))

test('migrations between the same hubs run one after another, the next one as soon as one is over', () =>
  withTestbed({ count: 8 }, async bed => {
    const names = ['a', 'b', 'c', 'd']
    for (const [index, name] of names.entries())
      await bed.migrate(name, { includedManagedClusters: bed.names.slice(index * 2, index * 2 + 2) })
    bed.all()
    const ends = await untilOver(bed, names)
    assert.deepEqual(
      ends.map(({ status }) => status?.phase),
      ['Completed', 'Completed', 'Completed', 'Completed'],
    )
    const times = ends.map(({ status }) => [
      status?.conditions?.[0]?.lastTransitionTime ?? '',
      status?.completionTime ?? '',
    ])
    const inOrder = times.sort((a, b) => a.join().localeCompare(b.join()))
    for (const [index, [, end = '']] of inOrder.slice(0, -1).entries())
      assert.ok(end <= (inOrder[index + 1]?.[0] ?? ''), `two at the same time: ${JSON.stringify(inOrder)}`)
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))

test('the way back of a cluster waits for the way there, says so, and the cluster is home in the end', () =>
  withTestbed({ count: 3 }, async bed => {
    const [name = ''] = bed.names
    const controller = bed.controller()
    bed.agent('hub2')
    await bed.migrate('there', { includedManagedClusters: bed.names.slice(0, 2) })
    await bed.until('there', hasBegun)
    await bed.migrate('back', { from: 'hub2', to: 'hub1', includedManagedClusters: [name] })
    const waiting = await bed.until('back', waitsBecause(`has cluster ${name} as well`))
    assert.equal(waiting.status?.phase, 'Pending')
    assert.match(waiting.status?.conditions?.[0]?.message ?? '', /migration there to finish, which has cluster/)
    await controller.stop()
    bed.controller()
    bed.agent('hub1')
    const ends = await untilOver(bed, ['there', 'back'])
    assert.deepEqual(
      ends.map(({ status }) => status?.phase),
      ['Completed', 'Completed'],
    )
    assert.equal(await bed.ownerOf(name), 'hub1')
    assert.deepEqual(await residue(bed.fleet), [])
  }))

test('a placement that chose a cluster of another migration waits for it before it touches anything, then goes on', () =>
  withTestbed({ count: 2, knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } } }, async bed => {
    const [name = ''] = bed.names
    await decidePlacement(bed.clients.hub2, { name: 'home', namespace: 'default' }, [name])
    bed.all()
    const supportedConfigs = { stageTimeout: '8s' }
    await bed.migrate('there', { includedManagedClusters: [...bed.names], supportedConfigs })
    await bed.until('there', hasBegun)
    await bed.migrate('back', { from: 'hub2', to: 'hub1', includedManagedClustersPlacementRef: 'home' })
    const waiting = await bed.until('back', waitsBecause(`has cluster ${name} as well`))
    assert.deepEqual([waiting.status?.phase, waiting.status?.shared?.stage], ['Validating', 'Claiming'])
    const ends = await untilOver(bed, ['there', 'back'])
    assert.deepEqual(
      ends.map(({ status }) => [status?.phase, status?.clusters?.completed]),
      [
        ['Failed', 1],
        ['Completed', 1],
      ],
    )
    assert.equal(await bed.ownerOf(name), 'hub1')
    assert.deepEqual(await residue(bed.fleet), [])
  }))
