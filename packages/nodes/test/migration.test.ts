import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '@godwit/kube'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

const AGENT = { image: 'base:1', replicas: 0, mode: 'clone', os: 'linux', backend: 'cloud-hypervisor' } as const
const SMALL_B = [{ name: 'node-a' }, { name: 'node-b', cpu: '1' }, { name: 'node-c' }]

async function running(world: NodesTestbed, nodeName = 'node-a'): Promise<number> {
  world.operator()
  await world.create({ nodeName })
  await world.untilPhase('Running')
  await world.pass(2000)
  const counted = world.guest()?.counter ?? 0
  assert.ok(counted > 0)
  return counted
}

async function isIntact(world: NodesTestbed, node: string, counted: number): Promise<void> {
  await world.untilOn(node)
  assert.ok((world.guest()?.counter ?? 0) >= counted)
  assert.equal(await world.tag(), undefined)
  assert.deepEqual(world.damages, [])
  assert.equal(world.cluster.agents.guests().length, 1)
}

test('a pinned set moves with its state, and leaves nothing behind', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.patch({ nodeName: 'node-b' })
    await isIntact(world, 'node-b', counted)
    const { status } = (await world.set()) ?? {}
    assert.equal(status?.phase, 'Running')
    const [last] = status?.lastMigrations ?? []
    assert.equal(last?.outcome, 'Completed')
    assert.ok((last?.downtimeMs ?? 0) > 0 && (last?.downtimeMs ?? 0) < (last?.totalMs ?? 0))
  }))

test('whoever waits for Running of the generation they wrote finds every VM of the set in its place', () =>
  inNodesWorld({}, async world => {
    world.operator()
    await world.create({ nodeName: 'node-a', agent: { ...AGENT, replicas: 2 } })
    await world.untilPhase('Running')
    const seen: string[] = []
    const stop = await world.follow(({ metadata, status }) => {
      if (status?.phase !== 'Running' || status.observedGeneration !== metadata.generation) return
      const nodes = world.cluster.agents.guests().map(({ node, isReady }) => (isReady ? node : `not ready on ${node}`))
      seen.push(`${metadata.generation}: ${[...new Set(nodes)].sort().join(', ')}`)
    })
    for (const node of ['node-b', 'node-c']) {
      await world.patch({ nodeName: node })
      await world.untilOn(node)
      await world.untilPhase('Running')
    }
    await stop()
    assert.deepEqual([...new Set(seen)], ['1: node-a', '2: node-b', '3: node-c'])
  }))

test('X01 an operator that is killed every 300 ms of a move comes to the same end', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    await world.patch({ nodeName: 'node-b' })
    for (let kill = 0; kill < 14; kill++) {
      await world.pass(300)
      await world.kill()
      world.operator()
    }
    await isIntact(world, 'node-b', counted)
  }))

test('X06 a pin that changes at any moment of a move: the VM ends where the last one says, with its state', () =>
  inNodesWorld({}, async world => {
    let counted = await running(world)
    for (let afterMs = 0; afterMs <= 3000; afterMs += 250)
      for (const then of ['node-a', 'node-c']) {
        await world.patch({ nodeName: 'node-b' })
        await world.pass(afterMs)
        await world.patch({ nodeName: then })
        await isIntact(world, then, counted)
        counted = world.guest()?.counter ?? 0
        await world.patch({ nodeName: 'node-a' })
        await isIntact(world, 'node-a', counted)
      }
  }))

test('X06 a pin that is cleared at any moment of a move: the VM runs somewhere, with its state', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    for (let afterMs = 0; afterMs <= 3000; afterMs += 300) {
      await world.patch({ nodeName: 'node-b' })
      await world.pass(afterMs)
      await world.patch({ nodeName: null })
      await world.pass(20_000)
      assert.equal((await world.set())?.status?.phase, 'Running')
      await world.patch({ nodeName: 'node-a' })
      await isIntact(world, 'node-a', counted)
    }
  }))

test('X06 a set that is suspended at any moment of a move wakes with its state on the pinned node', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    let [here, there] = ['node-a', 'node-b']
    for (let afterMs = 0; afterMs <= 3000; afterMs += 500) {
      await world.patch({ nodeName: there })
      await world.pass(afterMs)
      await world.patch({ suspend: true })
      await world.untilPhase('Suspended')
      assert.equal(world.guest(), undefined)
      await world.patch({ suspend: false })
      await isIntact(world, there, counted)
      ;[here, there] = [there, here]
    }
  }))

test('X06 X09 a set that is deleted at any moment of a move leaves nothing that its next life could be given', () =>
  inNodesWorld({}, async world => {
    for (let afterMs = 0; afterMs <= 3000; afterMs += 500) {
      await world.create({ nodeName: 'node-a', snapshotPolicy: 'never' })
      if (afterMs === 0) world.operator()
      await world.untilPhase('Running')
      await world.patch({ nodeName: 'node-b' })
      await world.pass(afterMs)
      await world.remove()
      await world.until('the set to go', async () => (await world.set()) === undefined)
      assert.equal(await world.tag(), undefined)
      assert.equal(await world.pod(), undefined)
      world.cluster.agents.ledger.discard((await world.pod())?.metadata.name ?? 'vk-ns-demo-0-505043')
    }
  }))

test('F11 a registry that refuses deletion does not hold up the set: it runs, says so, and pays later', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    const repair = world.registry.faults.add({
      methods: ['DELETE'],
      parts: ['manifest'],
      effect: { kind: 'status', code: 403 },
    })
    await world.patch({ nodeName: 'node-b' })
    await world.untilPhase('Running')
    await world.pass(10_000)
    const set = await world.set()
    assert.equal(set?.status?.phase, 'Running')
    assert.equal(set?.status?.debts?.[0]?.failure?.code, 'Forbidden')
    assert.equal(set?.status?.conditions?.find(({ type }) => type === 'GarbageRetained')?.status, 'True')
    assert.ok(await world.tag())
    repair()
    await isIntact(world, 'node-b', counted)
    await world.pass(1000)
    const after = (await world.set())?.status?.conditions?.find(({ type }) => type === 'GarbageRetained')
    assert.equal(after?.status, 'False')
  }))

test('X08 a target that is full after all: its pod waits in vain, and another node takes the VM', () =>
  inNodesWorld({ nodes: SMALL_B, limits: { deadlines: { Restore: 30_000 } } }, async world => {
    await world.fill('node-b', '1')
    world.operator()
    await world.create({ nodeName: 'node-a', agent: { ...AGENT, resources: { requests: { cpu: '1' } } } })
    await world.untilPhase('Running')
    await world.pass(2000)
    const counted = world.guest()?.counter ?? 0
    await world.patch({ nodeName: 'node-b' })
    await isIntact(world, 'node-c', counted)
    const { status } = (await world.set()) ?? {}
    assert.equal(status?.lastMigrations?.[0]?.outcome, 'RolledBack')
    await world.pass(120_000)
    assert.equal(world.guest()?.node, 'node-c', 'it is not tried again for the same spec')
  }))

test('sub-agents follow their main with their state', () =>
  inNodesWorld({}, async world => {
    world.operator()
    await world.create({
      nodeName: 'node-a',
      agent: { ...AGENT, replicas: 3 },
    })
    await world.untilPhase('Running')
    await world.pass(2000)
    const counted = world.guest('demo-2')?.counter ?? 0
    await world.patch({ nodeName: 'node-b' })
    for (const name of ['demo-0', 'demo-1', 'demo-2', 'demo-3']) await world.untilOn('node-b', name)
    assert.ok(counted > 0 && (world.guest('demo-2')?.counter ?? 0) >= counted)
    assert.deepEqual(world.damages, [])
    await world.untilPhase('Running')
  }))

test('a registry that is down: nothing is stopped; once it is back, the move goes on', () =>
  inNodesWorld({}, async world => {
    const counted = await running(world)
    world.registry.isDown = true
    await world.patch({ nodeName: 'node-b' })
    await world.pass(30_000)
    assert.equal(world.guest()?.node, 'node-a')
    world.registry.isDown = false
    await isIntact(world, 'node-b', counted)
  }))

test('a settled set costs nothing', () =>
  inNodesWorld({}, async world => {
    await running(world)
    await world.patch({ nodeName: 'node-b' })
    await world.untilOn('node-b')
    await world.pass(5000)
    let asked = 0
    const off = world.registry.onRequest(() => asked++)
    const before = world.calls()
    await world.pass(60_000)
    off()
    assert.equal(asked, 0)
    assert.equal(world.calls(), before)
  }))

test('the shipped permissions are enough for a move, a suspend, a hibernation and a deletion', () =>
  inNodesWorld({ isConfined: true }, async world => {
    const counted = await running(world)
    await world.patch({ nodeName: 'node-b' })
    await isIntact(world, 'node-b', counted)
    await world.patch({ suspend: true })
    await world.untilPhase('Suspended')
    await world.patch({ suspend: false })
    await isIntact(world, 'node-b', counted)
    await world.hibernate('Hibernate')
    await world.untilHibernation('Hibernated')
    await world.removeHibernation()
    await world.until('the hibernation to go', async () => (await world.hibernation()) === undefined)
    await world.remove()
    await world.until('the set to go', async () => (await world.set()) === undefined)
  }))

test('RI05 a registry that is silent about one VM holds up no other set', () =>
  inNodesWorld({}, async world => {
    await running(world)
    await world.create({ nodeName: 'node-a' }, 'other')
    await world.untilPhase('Running', 'other')
    const silent = world.registry.faults.add({
      repositories: [`vms/${world.guest()?.vmName}`],
      effect: { kind: 'silence', applied: false },
    })
    await world.patch({ nodeName: 'node-b' })
    await world.pass(500)
    await world.patch({ nodeName: 'node-c' }, 'other')
    await world.until('the other VM to move', async () => world.guest('other-0')?.node === 'node-c')
    assert.equal(world.guest()?.node, 'node-a')
    silent()
    await world.until('the VM to move', async () => world.guest()?.node === 'node-b')
  }))

test('F26 a pod of somebody else under a name of the set is reported, and left alone', () =>
  inNodesWorld({}, async world => {
    await world.fill('', '1', 'demo-0')
    world.operator()
    await world.create()
    await world.until('the Event', async () => (await world.reasons()).includes('PodNameTaken'))
    assert.equal((await world.pod())?.metadata.ownerReferences, undefined)
    await world.removePod('demo-0')
    await world.untilPhase('Running')
  }))

test('a target that is taken away while a move waits for it is told as it is', () =>
  inNodesWorld({}, async world => {
    await running(world)
    await world.cluster.cordon('node-b', true)
    await world.patch({ nodeName: 'node-b' })
    const says = (words: RegExp) => async () => {
      const conditions = (await world.set())?.status?.conditions ?? []
      return words.test(conditions.find(({ type }) => type === 'Migrating')?.message ?? '')
    }
    await world.until('cordoned', says(/node-b is cordoned/))
    await world.client.delete(resources.nodes, { name: 'node-b' })
    await world.until('gone', says(/node-b does not exist/))
    assert.equal(world.guest()?.node, 'node-a')
  }))
