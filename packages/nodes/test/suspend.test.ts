import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podAnnotations } from '@godwit/nodes'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

async function running(world: NodesTestbed, spec: object = {}): Promise<number> {
  world.operator()
  await world.create(spec)
  await world.untilPhase('Running')
  await world.pass(2000)
  return world.guest()?.counter ?? 0
}

async function isRunningWith(world: NodesTestbed, counted: number): Promise<void> {
  await world.until('the set to run with nothing owed', async () => {
    const set = await world.set()
    return set?.status?.phase === 'Running' && !set.status.debts && world.guest()?.isReady === true
  })
  assert.ok(counted > 0 && (world.guest()?.counter ?? 0) >= counted)
  assert.equal(await world.tag(), undefined)
  assert.deepEqual(world.damages, [])
}

test('SU09 a set is suspended and woken where it was; its snapshot goes when the VM serves', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    for (let round = 0; round < 3; round++) {
      await world.patch({ suspend: true })
      await world.untilPhase('Suspended')
      assert.ok(await world.tag())
      assert.equal(world.guest(), undefined)
      await world.patch({ suspend: false })
      await isRunningWith(world, counted)
    }
  }))

test('SU01 a suspend that is taken back at any moment leaves a running VM with its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    for (let afterMs = 0; afterMs <= 2500; afterMs += 250) {
      await world.patch({ suspend: true })
      await world.pass(afterMs)
      await world.patch({ suspend: false })
      await isRunningWith(world, counted)
    }
  }))

test('SU08 a pod that went while the set slept comes back with its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.kill()
    await world.removePod('demo-0')
    await world.patch({ suspend: false })
    world.operator()
    await isRunningWith(world, counted)
  }))

test('SR04 SR07 SR16 a released set gives its seat up and takes it again with its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world, { hibernatePolicy: 'release' })
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.until('the pod to go', async () => (await world.pod()) === undefined)
    assert.ok(await world.tag())
    await world.pass(60_000)
    assert.equal((await world.set())?.status?.phase, 'Suspended')
    await world.patch({ suspend: false })
    await isRunningWith(world, counted)
    const annotations = (await world.set())?.metadata.annotations ?? {}
    assert.equal(annotations['cocoonset.cocoonstack.io/hibernated-on-node'], undefined)
  }))

test('SR09 SR11 a released set that is wanted back at any moment has its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world, { hibernatePolicy: 'release' })
    for (let afterMs = 0; afterMs <= 3000; afterMs += 250) {
      await world.patch({ suspend: true })
      await world.pass(afterMs)
      await world.patch({ suspend: false })
      await isRunningWith(world, counted)
    }
  }))

test('SR13 F21 a snapshot that vanished while the set slept is reported; only the user lets it boot fresh', () =>
  inNodesWorld({}, async world => {
    await running(world, { hibernatePolicy: 'release' })
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.until('the pod to go', async () => (await world.pod()) === undefined)
    const tag = await world.tag()
    await world.store.drop('vk-ns-demo-0-505043', tag?.digest ?? '')
    await world.patch({ suspend: false })
    await world.pass(60_000)
    const lost = (await world.set())?.status?.conditions?.find(({ type }) => type === 'SnapshotLost')
    assert.equal(lost?.status, 'True')
    assert.equal(await world.pod(), undefined)
    await world.annotate({ 'godwit.dev/accept-snapshot-loss': 'true' })
    await world.untilPhase('Running')
    assert.equal(world.damages.length, 1, 'the loss was somebody else’s')
  }))

test('HB18 a hibernation saves a VM and wakes it, and its snapshot goes', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    assert.equal(world.guest(), undefined)
    assert.ok(await world.tag())
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await isRunningWith(world, counted)
  }))

test('HB20 HB21 a hibernation that changes its mind at any moment ends as it says last', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    for (let afterMs = 0; afterMs <= 2500; afterMs += 250) {
      await world.hibernate('Hibernate')
      await world.pass(afterMs)
      await world.hibernate('Wake')
      await world.untilHibernation('Active')
      await isRunningWith(world, counted)
    }
  }))

test('HB02 F6 a hibernation that is deleted wakes its VM first', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.removeHibernation()
    await world.until('the hibernation to go', async () => (await world.hibernation()) === undefined)
    await isRunningWith(world, counted)
  }))

test('HB23 F3 a settled hibernation fights neither a suspend nor a move', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world, { nodeName: 'node-a' })
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await isRunningWith(world, counted)
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.pass(30_000)
    assert.equal((await world.pod())?.metadata.annotations?.[podAnnotations.hibernate], 'true')
    await world.patch({ suspend: false, nodeName: 'node-b' })
    await world.untilOn('node-b')
    await isRunningWith(world, counted)
  }))

test('MG20 a VM that a hibernation has is moved when the hibernation is done with it', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world, { nodeName: 'node-a' })
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.patch({ nodeName: 'node-b' })
    await world.pass(30_000)
    assert.equal((await world.pod())?.spec.nodeName, 'node-a')
    await world.hibernate('Wake')
    await world.untilOn('node-b')
    await isRunningWith(world, counted)
  }))

test('RI02 the pod of a hibernated VM that went comes back with its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.removePod('demo-0')
    await world.until('the pod to come back', async () => (await world.pod()) !== undefined)
    await world.pass(20_000)
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await isRunningWith(world, counted)
  }))

test('HB24 a registry that refuses deletion is reported and asked again; the VM is Active all the same', () =>
  inNodesWorld({}, async world => {
    await running(world)
    const repair = world.registry.faults.add({
      methods: ['DELETE'],
      parts: ['manifest'],
      effect: { kind: 'status', code: 403 },
    })
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.hibernate('Wake')
    await world.untilHibernation('Active')
    await world.until('the Event', async () => (await world.reasons()).includes('GarbageRetained'))
    assert.ok(await world.tag())
    repair()
    await world.until('the snapshot to go', async () => (await world.tag()) === undefined)
  }))
