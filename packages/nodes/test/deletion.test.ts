import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SET_FINALIZER, vmNameOf } from '@godwit/nodes'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

const DOWN = { kind: 'status', code: 503, applied: false } as const

async function suspended(world: NodesTestbed): Promise<void> {
  world.operator()
  await world.create({ suspend: false })
  await world.untilPhase('Running')
  await world.patch({ suspend: true })
  await world.untilPhase('Suspended')
  assert.ok(await world.tag())
}

for (const method of ['HEAD', 'DELETE'])
  test(`DL05 a hibernate snapshot that cannot be deleted (${method}) holds the set until it can, and the next set of that name boots fresh`, () =>
    inNodesWorld({}, async world => {
      await suspended(world)
      const mend = world.registry.faults.add({ methods: [method], effect: DOWN })
      world.cluster.agents.ledger.discard(vmNameOf('ns', 'demo-0'))
      await world.remove()
      await world.pass(60_000)
      const { finalizers, annotations } = (await world.set())?.metadata ?? {}
      assert.deepEqual(finalizers, [SET_FINALIZER])
      assert.match(annotations?.['cocoonset.cocoonstack.io/delete-vm-names'] ?? '', /vk-ns-demo-0-/)
      assert.ok((await world.reasons()).includes('DeletionBlocked'))
      mend()
      await world.until('the set to go', async () => (await world.set()) === undefined)
      assert.equal(await world.tag(), undefined)
      await world.create()
      await world.untilPhase('Running')
      const book = world.cluster.agents.ledger.book(vmNameOf('ns', 'demo-0'))
      assert.deepEqual([book.boots, book.restores, world.damages], [1, 0, []])
    }))

test('DL06 a snapshot under latest that cannot be deleted is left behind, and the set goes', () =>
  inNodesWorld({}, async world => {
    world.operator()
    await world.create({ snapshotPolicy: 'never' })
    await world.untilPhase('Running')
    const vmName = vmNameOf('ns', 'demo-0')
    const snapshot = { snapshotId: 's', image: 'base:1', fromNode: 'node-a', createdAt: '', counter: 1 }
    const digest = await world.store.push(vmName, 'latest', snapshot)
    const mend = world.registry.faults.add({ methods: ['DELETE'], references: [digest], effect: DOWN })
    await world.remove()
    await world.until('the set to go', async () => (await world.set()) === undefined)
    assert.ok(await world.tag('demo-0', 'latest'))
    mend()
  }))
