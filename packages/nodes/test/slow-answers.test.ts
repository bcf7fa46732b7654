/** The registry answers late, and meanwhile somebody else saves the VM: what is deleted must not be that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podAnnotations } from '@godwit/nodes'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

/** Only the operator asks so: node agents read the manifest. */
const LATE_ANSWER = {
  methods: ['HEAD'],
  references: ['hibernate'],
  count: 1,
  effect: { kind: 'delay', delayMs: 6_000 },
} as const

async function running(world: NodesTestbed): Promise<number> {
  world.operator()
  await world.create({ nodeName: 'node-a' })
  await world.untilPhase('Running')
  await world.pass(2000)
  return world.guest()?.counter ?? 0
}

async function isSaved(world: NodesTestbed): Promise<void> {
  await world.until('the VM to be saved', async () => {
    const annotations = (await world.pod())?.metadata.annotations
    return annotations?.[podAnnotations.lifecycleState] === 'hibernated'
  })
  assert.ok(await world.tag(), 'the saved state is in the registry')
  await world.pass(20_000)
  assert.ok(await world.tag(), 'and stays there')
}

test('a CocoonHibernation that deletes what it left lets the snapshot of a suspend be', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    // The first one is whether there is something to wake from.
    world.registry.faults.add({ ...LATE_ANSWER, skip: 1 })
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await world.patch({ suspend: true })
    await isSaved(world)
    await world.patch({ suspend: false })
    await world.untilPhase('Running')
    assert.ok((world.guest()?.counter ?? 0) >= counted)
    assert.deepEqual(world.damages, [])
  }))

test('a set that deletes what it left lets the snapshot of a CocoonHibernation be', () =>
  inNodesWorld({ limits: { soakMs: 0 } }, async world => {
    const counted = await running(world)
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.patch({ suspend: false })
    world.registry.faults.add(LATE_ANSWER)
    await world.untilPhase('Running')
    await world.hibernate('Hibernate')
    await isSaved(world)
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    assert.ok((world.guest()?.counter ?? 0) >= counted)
    assert.deepEqual(world.damages, [])
  }))

test('a move that drops a leftover lets the snapshot of a CocoonHibernation be', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    world.registry.faults.add(LATE_ANSWER)
    await world.patch({ nodeName: 'node-b' })
    await world.pass(1000)
    await world.hibernate('Hibernate')
    await isSaved(world)
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await world.untilOn('node-b')
    assert.ok((world.guest()?.counter ?? 0) >= counted)
    assert.deepEqual(world.damages, [])
  }))
