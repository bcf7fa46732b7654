import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KubeClient, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { seededRandom, VirtualClock } from '@godwit/ports'
import { EmbeddedRegistry } from '../registry/embedded-registry.ts'
import { SnapshotStore } from '../registry/snapshot-store.ts'
import { letTimePass } from '../torture/let-time-pass.ts'
import type { AgentKnobs } from './agent-knobs.ts'
import { nodeNames, podNames } from './names.ts'
import type { NodeOptions } from './node.ts'
import type { VmPod } from './pod.ts'
import { startVmCluster } from './vm-cluster.ts'

const VM = 'vk-ns-demo-0-505043'

interface PodOptions {
  readonly node?: string
  readonly restore?: boolean
  readonly image?: string
  readonly cpu?: string
  readonly policy?: string
}

async function startWorld(
  options: { knobs?: Partial<AgentKnobs>; nodes?: readonly NodeOptions[]; seed?: number } = {},
) {
  const { knobs = {}, nodes = [{ name: 'a' }, { name: 'b' }], seed = 1 } = options
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const server = await KubeServer.start({ listen: false, clock, random })
  const registry = await EmbeddedRegistry.start({ listen: false, clock })
  const client = new KubeClient({ transport: server.transport(), clock, random })
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } })
  let traffic = 0
  registry.onRequest(() => traffic++)
  const cluster = await startVmCluster({ client, registry: registry.transport(), nodes, knobs, clock, random })
  cluster.agents.pods.onChange(() => traffic++)
  const world = { clock, traffic: () => traffic, isIdle: () => cluster.isIdle(), serversIdle: () => server.idle() }
  const ref = { namespace: 'ns', name: 'demo-0' }
  return {
    ...cluster,
    client,
    registry,
    store: new SnapshotStore(registry.transport()),
    pass: (byMs: number, onStep?: () => boolean) => letTimePass(world, byMs, onStep),
    pod: () => client.get<VmPod>(resources.pods, ref),
    annotate: (annotations: Record<string, string | null>) =>
      client.patch(resources.pods, ref, { metadata: { annotations } }),
    create: (pod: PodOptions = {}) => client.create(resources.pods, podOf(pod)),
    remove: () => client.delete(resources.pods, ref),
    counter: () => cluster.agents.guests().find(({ vmName }) => vmName === VM)?.counter,
    async stop() {
      await cluster.stop()
      await server.stop()
    },
  }
}

type World = Awaited<ReturnType<typeof startWorld>>

function podOf({ node, restore, image = 'ubuntu', cpu = '1', policy = 'never' }: PodOptions): VmPod {
  const affinity = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: nodeNames.hostname, operator: 'In', values: [node ?? ''] }] }],
      },
    },
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'demo-0',
      namespace: 'ns',
      annotations: {
        [podNames.vmName]: VM,
        [podNames.managed]: 'true',
        [podNames.image]: image,
        [podNames.generation]: '1',
        [podNames.snapshotPolicy]: policy,
        ...(restore && { [podNames.restore]: 'true' }),
      },
    },
    spec: {
      nodeSelector: { [nodeNames.pool]: 'default' },
      tolerations: [{ key: nodeNames.taint, operator: 'Exists' }],
      ...(node !== undefined && { affinity }),
      containers: [{ name: 'agent', resources: { requests: { cpu } } }],
    },
  }
}

async function annotationsOf(world: World): Promise<Readonly<Record<string, string>>> {
  return (await world.pod())?.metadata.annotations ?? {}
}

const isReady = (pod: VmPod | undefined) =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

async function inWorld(options: Parameters<typeof startWorld>[0], run: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(options)
  try {
    await run(world)
  } finally {
    await world.stop()
  }
}

describe('a VM agent', () => {
  test('boots a VM for a new pod: identity first, readiness later, the lifecycle last', () =>
    inWorld({}, async world => {
      await world.create({ node: 'b' })
      const seen: string[] = []
      world.agents.pods.onChange(({ object }) => {
        const { annotations = {} } = object.metadata
        const step = [
          annotations[podNames.lifecycle],
          annotations[podNames.vmId] ? 'id' : '',
          isReady(object) ? 'Ready' : '',
        ]
        const line = step.filter(Boolean).join(' ')
        if (seen.at(-1) !== line) seen.push(line)
      })
      await world.pass(5_000)
      assert.deepEqual(seen, ['', 'creating', 'creating id', 'creating id Ready', 'ready id Ready'])
      assert.equal((await world.pod())?.spec?.nodeName, 'b')
      assert.ok((world.counter() ?? 0) > 10)
    }))

  test('hibernates: the snapshot is in the registry, the identity is gone, the pod is pending', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(5_000)
      const annotations = await annotationsOf(world)
      assert.equal(annotations[podNames.lifecycle], 'hibernated')
      assert.equal(annotations[podNames.vmId], undefined)
      assert.equal((await world.pod())?.status?.phase, 'Pending')
      assert.equal(world.counter(), undefined)
      const snapshot = await world.store.read(VM, 'hibernate')
      assert.ok(snapshot && snapshot.counter > 10 && snapshot.image === 'ubuntu')
      assert.ok(world.agents.ledger.windowWrites > 0, 'writes of the guest between its save and its removal')
    }))

  test('wakes in place from its local copy, and leaves the tag alone', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      const before = (await annotationsOf(world))[podNames.vmId]
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(5_000)
      const saved = (await world.store.read(VM, 'hibernate'))?.counter ?? 0
      await world.annotate({ [podNames.hibernate]: null })
      await world.pass(2_000)
      assert.ok((world.counter() ?? 0) >= saved)
      const annotations = await annotationsOf(world)
      assert.equal(annotations[podNames.lifecycle], 'ready')
      assert.notEqual(annotations[podNames.vmId], before)
      assert.ok(await world.store.read(VM, 'hibernate'))
      assert.deepEqual(world.agents.ledger.damages, [])
    }))

  test('restores on another node what was saved on the first', () =>
    inWorld({ knobs: { atomicHibernate: true } }, async world => {
      await world.create({ node: 'a' })
      await world.pass(5_000)
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(5_000)
      const saved = (await world.store.read(VM, 'hibernate'))?.counter ?? 0
      await world.remove()
      await world.pass(1_000)
      assert.equal(await world.pod(), undefined, 'the agent has let the pod go')
      await world.create({ node: 'b', restore: true })
      await world.pass(5_000)
      assert.ok((world.counter() ?? 0) >= saved)
      assert.equal(world.agents.guests()[0]?.node, 'b')
      assert.deepEqual(world.agents.ledger.damages, [])
      assert.equal(world.agents.ledger.windowWrites, 0, 'an atomic save loses nothing')
    }))

  test('looks after a while whether anybody still needs its local copies', () =>
    inWorld({ knobs: { sweepMs: 60_000 } }, async world => {
      await world.create({ node: 'a' })
      await world.pass(5_000)
      await world.annotate({ [podNames.hibernate]: 'true', [podNames.keepSnapshot]: 'true' })
      await world.pass(5_000)
      await world.remove()
      const copies = () => [...world.agents.seats()].filter(({ disk }) => disk.snapshot !== undefined).length
      await world.pass(150_000)
      assert.equal(copies(), 1, 'the registry still has it')
      const digest = (await world.store.read(VM, 'hibernate'))?.digest ?? ''
      await world.store.drop(VM, digest)
      await world.pass(60_000)
      assert.equal(copies(), 0)
    }))

  test('echoes a new generation, and nothing else, when only that changed', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      await world.annotate({ [podNames.generation]: '7' })
      await world.pass(1_000)
      const annotations = await annotationsOf(world)
      assert.equal(annotations[podNames.lifecycleGeneration], '7')
      assert.equal(annotations[podNames.lifecycle], 'ready')
    }))

  test('does not boot when it cannot know whether there is a snapshot', () =>
    inWorld({}, async world => {
      world.registry.isDown = true
      await world.create()
      await world.pass(10_000)
      assert.equal((await annotationsOf(world))[podNames.lifecycle], 'failed')
      assert.equal(world.counter(), undefined)
      world.registry.isDown = false
      await world.pass(60_000)
      assert.equal((await annotationsOf(world))[podNames.lifecycle], 'ready', 'it is tried again')
    }))

  test('refuses a snapshot of another image, and a restore without a snapshot', () =>
    inWorld({}, async world => {
      await world.store.push(VM, 'hibernate', {
        snapshotId: 'x',
        image: 'debian',
        fromNode: 'a',
        createdAt: '',
        counter: 5,
      })
      await world.create()
      await world.pass(3_000)
      assert.match((await annotationsOf(world))[podNames.lifecycleMessage] ?? '', /the snapshot is of debian/)
      world.registry.content.deleteTag(VM, 'hibernate')
      await world.remove()
      await world.pass(3_000)
      await world.create({ restore: true })
      await world.pass(3_000)
      assert.match((await annotationsOf(world))[podNames.lifecycleMessage] ?? '', /no snapshot/)
      assert.equal(world.counter(), undefined)
    }))

  test('takes its pushed tag back when the VM cannot be removed, and the guest runs on', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      world.agents.faults.add({ point: 'remove', effect: { kind: 'fail' } })
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(1_400)
      assert.equal((await annotationsOf(world))[podNames.lifecycle], 'failed')
      assert.ok((await annotationsOf(world))[podNames.vmId])
      assert.equal(await world.store.read(VM, 'hibernate'), undefined)
      await world.pass(10_000)
      assert.equal((await annotationsOf(world))[podNames.lifecycle], 'hibernated', 'the second attempt works')
    }))

  test('pushes the latest state when a running pod is deleted, as the policy says', () =>
    inWorld({}, async world => {
      await world.create({ policy: 'always' })
      await world.pass(5_000)
      await world.remove()
      await world.pass(500)
      assert.ok((await world.pod())?.metadata.deletionTimestamp, 'it is terminating while its VM is saved')
      await world.pass(5_000)
      assert.equal(await world.pod(), undefined)
      assert.ok(await world.store.read(VM, 'latest'))
    }))

  test('a guest that dies by itself fails its pod, and is not booted anew behind its back', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      world.agents.killVm(VM)
      await world.pass(5_000)
      assert.equal((await world.pod())?.status?.phase, 'Failed')
      assert.equal(world.counter(), undefined)
    }))
})

describe('the books', () => {
  test('a fresh boot of a VM that ran before is damage', () =>
    inWorld({}, async world => {
      await world.create()
      await world.pass(5_000)
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(5_000)
      await world.remove()
      await world.pass(2_000)
      world.registry.content.deleteTag(VM, 'hibernate')
      await world.create()
      await world.pass(5_000)
      assert.deepEqual(
        world.agents.ledger.damages.map(({ invariant }) => invariant),
        ['I3'],
      )
    }))

  test('a restore from an older save is damage', () =>
    inWorld({}, async world => {
      await world.create({ node: 'a' })
      await world.pass(5_000)
      await world.annotate({ [podNames.hibernate]: 'true' })
      await world.pass(5_000)
      await world.remove()
      await world.pass(2_000)
      const old = { snapshotId: 'old', image: 'ubuntu', fromNode: 'a', createdAt: '', counter: 1 }
      await world.store.push(VM, 'hibernate', old)
      await world.create({ node: 'b', restore: true })
      await world.pass(5_000)
      assert.match(world.agents.ledger.damages[0]?.what ?? '', /restored on b at 1, behind/)
    }))
})

describe('the scheduler', () => {
  test('says why a pod fits nowhere, and places it when that changes', () =>
    inWorld({ nodes: [{ name: 'a' }, { name: 'b', pool: 'other' }] }, async world => {
      await world.cordon('a', true)
      await world.create()
      await world.pass(1_000)
      const condition = (await world.pod())?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
      assert.equal(condition?.reason, 'Unschedulable')
      assert.equal(
        condition?.message,
        "0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) didn't match Pod's node affinity/selector.",
      )
      await world.cordon('a', false)
      await world.pass(1_000)
      assert.equal((await world.pod())?.spec?.nodeName, 'a')
    }))

  test('does not fill a node beyond what it has', () =>
    inWorld({ nodes: [{ name: 'a', cpu: '2' }] }, async world => {
      await world.create({ cpu: '2500m' })
      await world.pass(1_000)
      const condition = (await world.pod())?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
      assert.match(condition?.message ?? '', /Insufficient cpu/)
    }))
})

test('a node that is cut off acts again when it is back; its pod stays terminating meanwhile', () =>
  inWorld({ knobs: { notReadyAfterMs: 5_000 } }, async world => {
    await world.create({ node: 'a' })
    await world.pass(5_000)
    world.agents.setCut('a', true)
    await world.remove()
    await world.pass(10_000)
    assert.ok((await world.pod())?.metadata.deletionTimestamp)
    const node = world.scheduler.nodes.get({ name: 'a' })
    assert.ok(node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'Unknown'))
    assert.ok(world.counter(), 'the guest runs on')
    world.agents.setCut('a', false)
    await world.pass(5_000)
    assert.equal(await world.pod(), undefined)
    assert.equal(world.counter(), undefined)
  }))

/** Everything an agent does in a move and back, for a crash at each point of it. */
const POINTS = [
  'publish',
  'status',
  'look',
  'store',
  'forget',
  'save',
  'push',
  'remove',
  'fetch',
  'clone',
  'boot',
  'fixUp',
] as const

describe('an agent that dies', () => {
  for (const point of POINTS)
    for (const when of ['before', 'after'] as const)
      test(`just ${when} ${point} goes on where it was: nothing is lost, and the VM moves`, () =>
        inWorld({ knobs: { atomicHibernate: true } }, async world => {
          let crashes = 0
          for (const skip of [0, 1, 2, 3]) {
            await world.pass(100)
            const effect = { kind: 'crash', when } as const
            const off = world.agents.faults.add({ point, skip, effect })
            const from = skip % 2 === 0 ? 'a' : 'b'
            const to = from === 'a' ? 'b' : 'a'
            if (skip === 0) await world.create({ node: from })
            await world.pass(60_000)
            assert.equal((await annotationsOf(world))[podNames.lifecycle], 'ready', `ready on ${from}`)
            await world.annotate({ [podNames.hibernate]: 'true' })
            await world.pass(60_000)
            assert.equal((await annotationsOf(world))[podNames.lifecycle], 'hibernated', `hibernated on ${from}`)
            await world.remove()
            await world.pass(60_000)
            await world.create({ node: to, restore: true })
            await world.pass(60_000)
            assert.equal((await annotationsOf(world))[podNames.lifecycle], 'ready', `ready on ${to}`)
            off()
            crashes = world.agents.faults.strikes
            const [guest, ...others] = world.agents.guests()
            assert.equal(guest?.node, to)
            assert.deepEqual(others, [])
          }
          assert.deepEqual(world.agents.ledger.damages, [])
          assert.ok(crashes > 0, 'nobody died')
        }))
})
