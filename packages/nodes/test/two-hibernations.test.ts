/** Two CocoonHibernations that want opposite things of one VM, which only a webhook could keep apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cocoon, type SnapshotRegistry } from '@godwit/nodes'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

/** Counts how many calls about one VM are under way at a time. */
function counted() {
  const open = new Map<string, number>()
  const seen = { most: 0, calls: 0 }
  const during = async <T>(vmName: string, call: Promise<T>): Promise<T> => {
    const now = (open.get(vmName) ?? 0) + 1
    open.set(vmName, now)
    seen.calls++
    seen.most = Math.max(seen.most, now)
    try {
      return await call
    } finally {
      open.set(vmName, (open.get(vmName) ?? 1) - 1)
    }
  }
  const registryOf = (inner: SnapshotRegistry): SnapshotRegistry => ({
    head: (name, tag, signal) => during(name, inner.head(name, tag, signal)),
    read: (name, reference, signal) => during(name, inner.read(name, reference, signal)),
    deleteByDigest: (name, digest, signal) => during(name, inner.deleteByDigest(name, digest, signal)),
  })
  return { seen, registryOf }
}

const make = (world: NodesTestbed, name: string, desire: 'Hibernate' | 'Wake') =>
  world.client.create(cocoon.hibernations, {
    apiVersion: 'cocoonset.cocoonstack.io/v1',
    kind: 'CocoonHibernation',
    metadata: { name, namespace: 'ns' },
    ...{ spec: { podRef: { name: 'demo-0' }, desire } },
  })

test('HB22 two of opposite desires never ask the registry about their VM at once, and lose nothing of it', async () => {
  const { seen, registryOf } = counted()
  await inNodesWorld({ registryOf }, async world => {
    // Only what the operator asks: node agents read manifests, and delete nothing here.
    const slow = { kind: 'delay', delayMs: 700 } as const
    world.registry.faults.add({ methods: ['HEAD'], references: ['hibernate'], effect: slow })
    world.registry.faults.add({ methods: ['DELETE'], effect: slow })
    world.operator()
    await world.create({ nodeName: 'node-a' })
    await world.untilPhase('Running')
    await world.pass(2000)
    const before = world.guest()?.counter ?? 0
    await make(world, 'first', 'Hibernate')
    await make(world, 'second', 'Wake')
    for (let turn = 0; turn < 6; turn++) {
      await world.pass(4_000)
      const desires = turn % 2 === 0 ? (['Wake', 'Hibernate'] as const) : (['Hibernate', 'Wake'] as const)
      for (const [index, name] of ['first', 'second'].entries()) {
        const desire = desires[index] ?? 'Wake'
        await world.client.patch(cocoon.hibernations, { name, namespace: 'ns' }, { spec: { desire } })
      }
    }
    await world.client.delete(cocoon.hibernations, { name: 'first', namespace: 'ns' })
    await world.pass(20_000)
    await world.client.patch(cocoon.hibernations, { name: 'second', namespace: 'ns' }, { spec: { desire: 'Wake' } })
    await world.until('the VM to serve', async () => world.guest()?.isReady === true)
    assert.ok((world.guest()?.counter ?? 0) >= before)
    assert.deepEqual(world.damages, [])
  })
  assert.ok(seen.calls > 6, `${seen.calls} calls are too few to mean anything`)
  assert.equal(seen.most, 1)
})
