import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedClusterMigration } from '@godwit/hubs'
import { residue, verifyMoved } from '@godwit/simulation'
import { conditionOf, over, resultOf, withTestbed } from './judging.ts'
import type { Testbed } from './testbed.ts'

/** Follows a migration to its end and keeps every state of its waves and counts. */
async function follow(bed: Testbed, name: string): Promise<ManagedClusterMigration[]> {
  const seen: ManagedClusterMigration[] = []
  await bed.until(name, migration => {
    const last = seen.at(-1)
    if (last?.metadata.resourceVersion !== migration.metadata.resourceVersion) seen.push(migration)
    return over(migration)
  })
  return seen
}

const onTheWay = ({ status }: ManagedClusterMigration) => {
  const { initializing = 0, deploying = 0, registering = 0, cleaning = 0, rollingBack = 0 } = status?.clusters ?? {}
  return initializing + deploying + registering + cleaning + rollingBack
}

test('clusters move wave by wave: a wave begins when the one before it is over, and a restart repeats none', () =>
  withTestbed({ count: 10 }, async bed => {
    const first = bed.controller()
    bed.agent('hub1')
    bed.agent('hub2')
    await bed.migrate('move', { includedManagedClusters: [...bed.names], strategy: { batchSize: '40%', soak: '2s' } })
    const following = follow(bed, 'move')
    const before = await bed.until('move', ({ status }) => status?.waves?.soakUntil !== undefined)
    await first.stop()
    bed.controller()
    const seen = await following
    const end = seen.at(-1)
    assert.equal(end?.status?.phase, 'Completed', JSON.stringify(end?.status))
    assert.deepEqual(before.status?.waves?.begun, 4)
    const waves = new Map(seen.flatMap(({ status }) => (status?.waves ? [[status.waves.number, status.waves]] : [])))
    assert.deepEqual(
      [...waves.values()].map(({ number, of, begun }) => [number, of, begun]),
      [
        [1, 3, 4],
        [2, 3, 8],
        [3, 3, 10],
      ],
    )
    for (const { status } of seen) {
      const { number = 1, begun = 10 } = status?.waves ?? {}
      const { completed = 0, waiting = 0, validating = 0 } = status?.clusters ?? {}
      assert.ok(10 - waiting - validating <= begun, JSON.stringify(status))
      if (begun < 10 && status?.waves) assert.ok(completed >= 4 * (number - 1), JSON.stringify(status))
    }
    assert.ok(
      seen.some(({ status }) =>
        status?.waitingFor?.some(({ what, items }) => what === 'wave 2 of 3 to begin' && items === 6),
      ),
      JSON.stringify(seen.map(({ status }) => status?.waitingFor)),
    )
    assert.ok(
      seen.some(({ status }) =>
        status?.waitingFor?.some(
          ({ what, until }) => what === 'wave 2 of 3 to begin, after the rest' && until === status.waves?.soakUntil,
        ),
      ),
    )
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))

test('no more clusters are on their way than the strategy allows, and all arrive', () =>
  withTestbed({ count: 9 }, async bed => {
    bed.all()
    await bed.migrate('move', { includedManagedClusters: [...bed.names], strategy: { maxConcurrent: 2 } })
    const seen = await follow(bed, 'move')
    assert.equal(seen.at(-1)?.status?.phase, 'Completed')
    const most = Math.max(...seen.map(onTheWay))
    assert.ok(most >= 1 && most <= 2, `${most} at the same time`)
    assert.deepEqual(await verifyMoved(bed.fleet, { names: bed.names, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))

test('after too many failures no further cluster begins: the arrived stay, the failed go back, the others are untouched', () =>
  withTestbed({ count: 8, knobs: { overrides: { 'cluster-0003': { neverAppliesConfig: true } } } }, async bed => {
    bed.all()
    await bed.migrate('move', {
      includedManagedClusters: [...bed.names],
      supportedConfigs: { stageTimeouts: { initializing: '8s' } },
      strategy: { batchSize: 3, stopAfterFailures: 1 },
    })
    const end = await bed.until('move', over)
    assert.equal(end.status?.phase, 'Failed')
    assert.deepEqual(
      [end.status?.clusters?.completed, end.status?.clusters?.failed],
      [2, 6],
      JSON.stringify(end.status),
    )
    assert.equal(end.status?.waves?.stopped, 'stopped after 1 failed clusters (stopAfterFailures: 1)')
    assert.equal(conditionOf(end, 'ResourceRolledBack')?.message, '1 clusters are rolled back')
    const { success, failure, reasons } = await resultOf(bed, 'move')
    assert.deepEqual([success, failure], [bed.names.slice(0, 2), bed.names.slice(2)])
    assert.match(reasons['cluster-0003'] ?? '', /Initializing: Timeout/)
    for (const name of bed.names.slice(3)) {
      assert.match(reasons[name] ?? '', /NotStarted: the cluster was not started: the migration was stopped after 1/)
      assert.equal(await bed.ownerOf(name), 'hub1')
    }
    assert.deepEqual(await verifyMoved(bed.fleet, { names: success, from: 'hub1', to: 'hub2' }), [])
    assert.deepEqual(await residue(bed.fleet), [])
  }))
