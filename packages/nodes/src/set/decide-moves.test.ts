import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  absent,
  decide,
  decideAsking,
  hibernation,
  kindsOf,
  NOW,
  node,
  pod,
  present,
  record,
  set,
  unknown,
  VM,
} from '../../test/set-world.ts'
import { buildAgentPod } from '../pod/build-pod.ts'
import { requiredHosts } from '../pod/pod-view.ts'

const pinned = (status = {}) => set({ nodeName: 'node-b' }, status)
const moving = (more = {}) => pinned({ phase: 'Migrating', migrations: [record(more)] })
const claim = 'migration/move-1'
const hibernated = { node: 'node-a', is: 'hibernated', isHibernateSet: true, claim } as const

test('MG01 without a pin nothing moves and nobody asks the registry', () => {
  const { plan, asked } = decideAsking({ set: set(), pods: [pod(set(), { node: 'node-a' })] }, {})
  assert.deepEqual([kindsOf(plan), asked, plan.status.phase, plan.status.migrations], [[], [], 'Running', undefined])
})

test('MG02 a VM that is on its pinned node is left alone, and the registry is not touched', () => {
  const { plan, asked } = decideAsking({ set: pinned(), pods: [pod(pinned(), { node: 'node-b' })] }, {})
  assert.deepEqual([kindsOf(plan), asked, plan.status.migrations], [[], [], undefined])
})

test('MG03 a VM elsewhere is hibernated, with the record open before that', () => {
  const { plan } = decideAsking({ set: pinned(), pods: [pod(pinned(), { node: 'node-a' })] }, { [VM]: absent })
  assert.deepEqual(kindsOf(plan), ['quiesce'])
  assert.equal(plan.status.phase, 'Migrating')
  const [open] = plan.status.migrations ?? []
  assert.deepEqual(
    [open?.stage, open?.vmName, open?.source, open?.target, open?.oldPodUid, open?.oldVmId, open?.generation],
    ['Quiesce', VM, 'node-a', 'node-b', 'pod-0', 'vm-1', 3],
  )
})

test('MG04 the old pod goes only with the whole receipt, and the tag stays', () => {
  const world = (state: object) => ({ set: moving(), pods: [pod(moving(), { ...hibernated, ...state })] })
  const { plan } = decideAsking(world({}), { [VM]: present() })
  assert.deepEqual(kindsOf(plan), ['deletePod'])
  assert.deepEqual([plan.status.migrations?.[0]?.digest, plan.status.migrations?.[0]?.stage], ['sha256:new', 'Release'])
  const notYet: readonly object[] = [
    { is: 'hibernating' },
    { is: 'serving' },
    { answered: 2 },
    { annotations: { 'vm.cocoonstack.io/id': 'vm-1' } },
  ]
  for (const state of notYet) assert.deepEqual(kindsOf(decideAsking(world(state), { [VM]: present() }).plan), [])
})

test('MG04 a snapshot that was there before, is not whole, or of another image, is no receipt', () => {
  const world = (more: object) => ({ set: moving(more), pods: [pod(moving(), hibernated)] })
  const decided = (tag: ReturnType<typeof present>, more = {}) => decideAsking(world(more), { [VM]: tag }).plan
  assert.deepEqual(kindsOf(decided(present('sha256:old'), { oldDigest: 'sha256:old' })), [])
  assert.deepEqual(kindsOf(decided(present('sha256:new', { isComplete: false }))), [])
  const mismatch = decided(present('sha256:new', { baseImage: 'base:2' }))
  assert.deepEqual(kindsOf(mismatch), ['wake'])
  assert.equal(mismatch.status.migrations?.[0]?.failure?.code, 'ImageMismatch')
})

test('MG05 no pod and a snapshot: the pod is made on the pinned node, to be restored', () => {
  const { plan } = decideAsking({ set: pinned(), pods: [] }, { [VM]: present() })
  const [effect] = plan.effects
  assert.ok(effect?.kind === 'createPod')
  assert.equal(effect.pod.metadata.annotations?.['vm.cocoonstack.io/restore-from-hibernate'], 'true')
  assert.deepEqual([requiredHosts(effect.pod), effect.pod.spec.nodeName], [['node-b'], undefined])
})

test('MG06 MG08 the snapshot stays while the VM boots or waits for its node', () => {
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new' })
  for (const state of [{ node: 'node-b', is: 'creating' }, {}] as const) {
    const there = pod(restoring, { uid: 'pod-new', placement: { host: 'node-b', isRestore: true }, claim, ...state })
    const { plan } = decideAsking({ set: restoring, pods: [there] }, { [VM]: present() })
    assert.deepEqual([kindsOf(plan), plan.status.phase], [[], 'Migrating'])
  }
})

test('MG07 the snapshot goes when the new VM serves: ready, this generation, another VM, on the target', () => {
  const settling = moving({ stage: 'Restore', digest: 'sha256:new' })
  const serving = { uid: 'pod-new', node: 'node-b', vmId: 'vm-2', claim } as const
  const withPod = (state: object) => ({ set: settling, pods: [pod(settling, { ...serving, ...state })] })
  assert.deepEqual(kindsOf(decideAsking(withPod({}), { [VM]: present() }).plan), ['releaseClaim'])
  const notYet: readonly object[] = [{ vmId: 'vm-1' }, { answered: 2 }, { is: 'creating' }, { node: 'node-c' }]
  for (const state of notYet) {
    const { plan } = decideAsking(withPod(state), { [VM]: present() })
    assert.deepEqual([kindsOf(plan), plan.status.debts], [[], undefined])
  }
  const unclaimed = pod(settling, { uid: 'pod-new', node: 'node-b', vmId: 'vm-2' })
  const { plan } = decideAsking({ set: settling, pods: [unclaimed] }, { [VM]: present() })
  assert.deepEqual([kindsOf(plan), plan.status.phase, plan.status.migrations], [['payDebt'], 'Running', undefined])
  assert.equal(plan.status.debts?.[0]?.digest, 'sha256:new')
})

test('times on record are whole milliseconds, whatever the clock shows', () => {
  const settling = moving({ stage: 'Settle', digest: 'sha256:new', quiescedAt: '2026-11-21T11:59:30.000Z' })
  const there = pod(settling, { uid: 'pod-new', node: 'node-b', vmId: 'vm-2' })
  const { plan } = decideAsking({ set: settling, pods: [there], nowMs: NOW + 0.4 }, { [VM]: present() })
  const [last] = plan.status.lastMigrations ?? []
  assert.deepEqual([last?.totalMs, last?.downtimeMs], [60_000, 30_000])
})

test('MG09 MG03 a registry that does not answer: nothing is stopped, created or deleted', () => {
  const { plan } = decideAsking({ set: pinned(), pods: [pod(pinned(), { node: 'node-a' })] }, { [VM]: unknown })
  assert.deepEqual(kindsOf(plan), [])
  assert.ok(plan.afterMs !== undefined)
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new' })
  assert.deepEqual(kindsOf(decideAsking({ set: restoring, pods: [] }, { [VM]: unknown }).plan), [])
})

test('MG10 MG19 a leftover of a running VM is dropped, as the manifest that was seen, before it is hibernated', () => {
  const pods = [pod(pinned(), { node: 'node-a' })]
  const { plan } = decideAsking({ set: pinned(), pods }, { [VM]: present('sha256:left') })
  assert.deepEqual(plan.effects, [{ kind: 'dropLeftover', vmName: VM, digest: 'sha256:left', witness: pods[0] }])
  const settled = hibernation('demo-0', 'Wake', { phase: 'Active', observedGeneration: 1 })
  const again = decideAsking({ set: pinned(), pods, hibernations: [settled] }, { [VM]: present('sha256:left') })
  assert.deepEqual(kindsOf(again.plan), ['dropLeftover'])
})

test('MG10 a leftover that may not be deleted goes on record and counts for nothing', () => {
  const kept = pinned({ migrations: [record({ stage: 'Prepare', entered: true, keptLeftover: true })] })
  const { plan } = decideAsking({ set: kept, pods: [pod(kept, { node: 'node-a' })] }, { [VM]: present('sha256:left') })
  assert.deepEqual([kindsOf(plan), plan.status.migrations?.[0]?.oldDigest], [['quiesce'], 'sha256:left'])
})

test('MG11 MG21 a hibernated VM on its pinned node is woken in place, and the tag stays', () => {
  const at = pod(pinned(), { node: 'node-b', is: 'hibernated', isHibernateSet: true })
  const { plan, asked } = decideAsking({ set: pinned(), pods: [at] }, { [VM]: present() })
  assert.deepEqual([kindsOf(plan), asked], [['wake'], []])
})

test('MG12 MG20 a VM that a hibernation has is left to it, wherever it is, and nobody asks the registry', () => {
  for (const host of ['node-a', 'node-b']) {
    const at = pod(pinned(), { node: host, is: 'hibernated', isHibernateSet: true, claim: 'hibernation/ch-demo-0' })
    const world = { set: pinned(), pods: [at], hibernations: [hibernation('demo-0', 'Hibernate')] }
    const { plan, asked } = decideAsking(world, { [VM]: unknown })
    assert.deepEqual([kindsOf(plan), asked], [[], []])
  }
})

test('MG13 the pin is cleared while there is no pod: the restore is finished, anywhere', () => {
  const cleared = { ...moving({ stage: 'Restore', digest: 'sha256:new' }) }
  const unpinned = { ...cleared, spec: set().spec }
  const { plan } = decideAsking({ set: unpinned, pods: [] }, { [VM]: present() })
  const [effect] = plan.effects
  assert.ok(effect?.kind === 'createRestored')
  assert.deepEqual([effect.host, effect.vmName], [undefined, VM])
})

test('MG14 MG15 MG25 a pod that boots or runs on its pinned node costs no question to the registry', () => {
  for (const state of [{ node: 'node-b' }, { node: 'node-b', is: 'creating' }, {}] as const) {
    const { plan, asked } = decideAsking({ set: pinned(), pods: [pod(pinned(), state)] }, { [VM]: unknown })
    assert.deepEqual([kindsOf(plan), asked, plan.status.migrations], [[], [], undefined])
  }
})

test('MG16 an image that changes during a migration stops it with a reason instead of booting fresh', () => {
  const edited = moving({ stage: 'Restore', digest: 'sha256:new' })
  const other = { ...edited, spec: { ...edited.spec, agent: { ...edited.spec.agent, image: 'base:2' } } }
  const { plan } = decideAsking({ set: other, pods: [] }, { [VM]: present() })
  assert.deepEqual(kindsOf(plan), [])
  assert.match(plan.status.conditions?.find(({ type }) => type === 'Migrating')?.message ?? '', /image base:1/)
})

test('MG17 a wake that is under way is waited for', () => {
  const waking = pod(pinned(), { node: 'node-a', is: 'creating' })
  const first = decideAsking({ set: pinned(), pods: [waking] }, { [VM]: present() })
  assert.deepEqual([kindsOf(first.plan), first.asked], [[], []])
  const live = pod(pinned(), { node: 'node-a' })
  assert.deepEqual(kindsOf(decideAsking({ set: pinned(), pods: [live] }, { [VM]: present() }).plan), ['dropLeftover'])
  assert.deepEqual(kindsOf(decideAsking({ set: pinned(), pods: [live] }, { [VM]: absent }).plan), ['quiesce'])
})

test('MG18 a hibernation that has not come to rest keeps its VM and its snapshot', () => {
  const open = [
    hibernation('demo-0', 'Wake', { phase: 'Waking' }),
    hibernation('demo-0', 'Wake', { phase: 'Failed' }),
    hibernation('demo-0', 'Wake', { phase: 'Active', observedGeneration: 1 }, 2),
  ]
  for (const one of open) {
    const world = { set: pinned(), pods: [pod(pinned(), { node: 'node-a' })], hibernations: [one] }
    const { plan, asked } = decideAsking(world, { [VM]: present() })
    assert.deepEqual([kindsOf(plan), asked, plan.status.phase], [[], [], 'Migrating'])
  }
})

test('MG22 a sub-agent that is missing after an unsuspend is restored, and the set does not migrate', () => {
  const spec = { nodeName: 'node-b', agent: { ...set().spec.agent, replicas: 1 } }
  const woken = set(spec, {
    suspension: {
      since: '2026-11-21T11:00:00Z',
      isComplete: true,
      vms: [{ podName: 'demo-1', vmName: 'vk-old-1' }],
    },
  })
  const { plan } = decideAsking({ set: woken, pods: [pod(woken, { node: 'node-b' })] }, { 'vk-old-1': present() })
  const made = plan.effects.find(({ kind }) => kind === 'createPod')
  assert.ok(made?.kind === 'createPod')
  const { annotations = {} } = made.pod.metadata
  assert.equal(annotations['vm.cocoonstack.io/restore-from-hibernate'], 'true')
  assert.equal(annotations['vm.cocoonstack.io/name'], 'vk-old-1')
  assert.notEqual(plan.status.phase, 'Migrating')
})

test('MG23 unsuspend and a new pin in one edit: one move, without a boot on the old node', () => {
  const suspended = pinned({
    phase: 'Suspended',
    suspension: { since: '2026-11-21T11:00:00Z', isComplete: true, vms: [{ podName: 'demo-0', vmName: VM }] },
  })
  const saved = pod(suspended, { node: 'node-a', is: 'hibernated', isHibernateSet: true, claim: 'suspend/set-uid' })
  const { plan } = decideAsking({ set: suspended, pods: [saved] }, { [VM]: present() })
  assert.deepEqual(kindsOf(plan), ['quiesce'])
  assert.equal(plan.status.phase, 'Migrating')
})

test('MG24 a new target while the pod waits for its node: it is made anew for that one', () => {
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new' })
  const other = { ...restoring, spec: { ...restoring.spec, nodeName: 'node-c' } }
  const waiting = pod(other, { uid: 'pod-new', placement: { host: 'node-b', isRestore: true }, claim })
  const { plan } = decideAsking({ set: other, pods: [waiting] }, { [VM]: present() })
  assert.deepEqual([kindsOf(plan), plan.status.migrations?.[0]?.target], [['deletePod'], 'node-c'])
  const after = { ...other, status: plan.status }
  const [made] = decideAsking({ set: after, pods: [] }, { [VM]: present() }).plan.effects
  assert.ok(made?.kind === 'createRestored')
  assert.equal(made.host, 'node-c')
})

test('MG24 a first boot that waits for a node that is not asked for any more is made anew', () => {
  const other = set({ nodeName: 'node-c' })
  const waiting = { ...buildAgentPod(set({ nodeName: 'node-b' }), 0, { isRestore: false, host: 'node-b' }) }
  const there = { ...waiting, metadata: { ...waiting.metadata, uid: 'pod-0', resourceVersion: '1' } }
  const { plan } = decideAsking({ set: other, pods: [there] }, { [VM]: absent })
  assert.deepEqual(kindsOf(plan), ['deletePod'])
})

test('MG26 a target without room: an Event with the scheduler’s words, and in the end another node', () => {
  const deadline = new Date(NOW + 1000).toISOString()
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new', deadline })
  const words = '0/3 nodes are available: insufficient memory'
  const waiting = pod(restoring, { uid: 'new', placement: { host: 'node-b' }, claim, unschedulable: words })
  const world = { set: restoring, pods: [waiting] }
  const { plan } = decideAsking(world, { [VM]: present() })
  const event = plan.events.find(({ reason }) => reason === 'MigrateNoCapacity')
  assert.deepEqual([event?.type, event?.message, plan.status.phase], ['Warning', words, 'Migrating'])
  const later = decideAsking({ ...world, nowMs: NOW + 2000 }, { [VM]: present() }).plan
  assert.deepEqual([kindsOf(later), later.status.migrations?.[0]?.target], [['deletePod'], 'node-c'])
  const nowhere = { ...world, nodes: [node('node-b')], nowMs: NOW + 2000 }
  const back = decideAsking(nowhere, { [VM]: present() }).plan
  assert.equal(back.status.migrations?.[0]?.target, 'node-a')
})

test('F10 a target that cannot take the VM is found before anything is stopped, and the VM runs on', () => {
  const wrong = [
    [],
    [node('node-b', { isReady: false })],
    [node('node-b', { cordoned: true })],
    [node('node-b', { extra: { 'cocoonstack.io/pool': 'other' } })],
  ]
  for (const nodes of wrong) {
    const { plan } = decideAsking({ set: pinned(), pods: [pod(pinned(), { node: 'node-a' })], nodes }, { [VM]: absent })
    assert.deepEqual([kindsOf(plan), plan.status.phase], [[], 'Migrating'])
    assert.equal(plan.status.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
    assert.match(plan.status.conditions?.find(({ type }) => type === 'Migrating')?.message ?? '', /node node-b/)
  }
})

test('F2 the snapshot is gone and there is no pod: a condition says so, and nothing boots fresh', () => {
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new' })
  for (const tag of [absent, present('sha256:other')]) {
    const { plan } = decideAsking({ set: restoring, pods: [] }, { [VM]: tag })
    assert.deepEqual(kindsOf(plan), [])
    assert.equal(plan.status.conditions?.find(({ type }) => type === 'SnapshotLost')?.status, 'True')
  }
})

test('F4 a cancelled move waits for the agent to finish saving, then wakes the VM where it is', () => {
  const back = (state: object, tag = present()) => {
    const cancelled = { ...moving(), spec: { ...moving().spec, nodeName: 'node-a' } }
    return decideAsking({ set: cancelled, pods: [pod(cancelled, { ...hibernated, ...state })] }, { [VM]: tag }).plan
  }
  assert.deepEqual(kindsOf(back({ is: 'hibernating' })), [])
  assert.deepEqual(kindsOf(back({})), ['wake'])
  assert.deepEqual(kindsOf(back({}, absent)), [])
  assert.deepEqual(kindsOf(back({}, unknown)), [])
})

test('a move that was taken back leaves a snapshot, which goes once the VM serves', () => {
  const cancelled = {
    ...moving({ direction: 'Undo', failure: { code: 'Cancelled', message: 'x' } }),
    spec: { ...moving().spec, nodeName: 'node-a' },
  }
  const awake = decideAsking({ set: cancelled, pods: [pod(cancelled, { node: 'node-a' })] }, { [VM]: present() }).plan
  assert.deepEqual(kindsOf(awake), ['payDebt'])
  assert.deepEqual([awake.status.phase, awake.status.lastMigrations?.[0]?.outcome], ['Running', 'Cancelled'])
})

test('a quiesce that takes too long is taken back, and is not tried again for the same spec', () => {
  const late = moving({ deadline: new Date(NOW - 1).toISOString() })
  const saving = pod(late, { node: 'node-a', isHibernateSet: true, claim })
  const { plan } = decideAsking({ set: late, pods: [saving] }, {})
  assert.ok(plan.events.some(({ reason }) => reason === 'MigrationTimedOut'))
  assert.deepEqual([kindsOf(plan), plan.status.migrations?.[0]?.direction], [['wake'], 'Undo'])
  const woken = { ...late, status: plan.status }
  const settled = decideAsking({ set: woken, pods: [pod(woken, { node: 'node-a' })] }, { [VM]: absent }).plan
  assert.equal(settled.status.lastMigrations?.[0]?.outcome, 'RolledBack')
  const after = { ...woken, status: settled.status }
  assert.deepEqual(kindsOf(decide({ set: after, pods: [pod(after, { node: 'node-a' })] })), [])
})

test('sub-agents follow their main, at most so many at a time', () => {
  const spec = { nodeName: 'node-b', agent: { ...set().spec.agent, replicas: 3 } }
  const three = set(spec)
  const subs = [1, 2, 3].map(slot => pod(three, { slot, node: 'node-a' }))
  const world = { set: three, pods: [pod(three, { node: 'node-b' }), ...subs] }
  const { plan } = decideAsking(world, {})
  assert.deepEqual(
    plan.status.migrations?.map(({ podName }) => podName),
    ['demo-1', 'demo-2'],
  )
  assert.deepEqual(kindsOf(plan), ['quiesce', 'quiesce'])
  assert.equal(plan.status.phase, 'Scaling')
})

test('a set whose main has arrived is not Running before its sub-agents have followed', () => {
  const spec = { nodeName: 'node-b', agent: { ...set().spec.agent, replicas: 1 } }
  const settling = set(spec, { phase: 'Migrating', migrations: [record({ stage: 'Settle', digest: 'sha256:new' })] })
  const main = pod(settling, { uid: 'pod-new', node: 'node-b', vmId: 'vm-2' })
  const { plan } = decideAsking({ set: settling, pods: [main, pod(settling, { slot: 1, node: 'node-a' })] }, {})
  assert.deepEqual(
    [plan.status.lastMigrations?.map(({ podName }) => podName), plan.status.migrations?.map(({ podName }) => podName)],
    [['demo-0'], ['demo-1']],
  )
  assert.equal(plan.status.phase, 'Scaling')
})

test('nothing is said of a new generation before the pods were told of it', () => {
  const status = { phase: 'Running', observedGeneration: 2 } as const
  const old = { 'cocoonset.cocoonstack.io/generation': '2' }
  const world = { set: pinned(status), pods: [pod(pinned(), { node: 'node-a', annotations: old })] }
  const { plan } = decideAsking(world, {})
  assert.deepEqual([kindsOf(plan), plan.status], [['stamp'], status])
})

test('a drained node gives its unpinned VMs away', () => {
  const drained = {
    ...node('node-a'),
    metadata: { ...node('node-a').metadata, annotations: { 'godwit.dev/drain': 'true' } },
  }
  const world = { set: set(), pods: [pod(set(), { node: 'node-a' })], nodes: [drained, node('node-b')] }
  const { plan } = decideAsking(world, { [VM]: absent })
  assert.deepEqual([kindsOf(plan), plan.status.migrations?.[0]?.target], [['quiesce'], 'node-b'])
})

test('F16 a save that fails is taken back, with the words of the agent', () => {
  const state = { 'vm.cocoonstack.io/lifecycle-state-message': 'disk full', 'vm.cocoonstack.io/id': 'vm-1' }
  const failed = pod(moving(), { ...hibernated, is: 'failed', annotations: state })
  const running = { ...failed, status: pod(moving(), { node: 'node-a' }).status ?? {} }
  const { plan } = decideAsking({ set: moving(), pods: [running] }, { [VM]: absent })
  const [open] = plan.status.migrations ?? []
  assert.deepEqual([kindsOf(plan), open?.direction, open?.failure?.message], [['wake'], 'Undo', 'disk full'])
})

test('F18 a set on its way says so, and keeps the entry of an agent that has no pod', () => {
  const restoring = moving({ stage: 'Restore', digest: 'sha256:new' })
  const { status } = decideAsking({ set: restoring, pods: [] }, { [VM]: present() }).plan
  assert.equal(status.conditions?.find(({ type }) => type === 'Progressing')?.status, 'True')
  assert.deepEqual(status.agents, [{ slot: 0, role: 'main', podName: 'demo-0', vmName: VM }])
})

test('a set that waits for a node that is not Ready, gone or not to be found says so', () => {
  const readyOf = (pods: Parameters<typeof decide>[0]['pods'], nodes = [node('node-a')]) => {
    const { conditions = [] } = decideAsking({ set: set(), pods: pods ?? [], nodes }, {}).plan.status
    return conditions.find(({ type }) => type === 'Ready')?.message
  }
  const booting = pod(set(), { node: 'node-a', is: 'creating' })
  assert.equal(readyOf([booting]), '0/1 agents ready, 0/0 toolboxes ready')
  assert.match(
    readyOf([booting], [node('node-a', { isReady: false })]) ?? '',
    /; node node-a of pod demo-0 is not Ready/,
  )
  assert.match(readyOf([booting], []) ?? '', /; node node-a of pod demo-0 does not exist/)
  assert.match(readyOf([pod(set(), { unschedulable: '0/3 nodes' })]) ?? '', /; pod demo-0 finds no node: 0\/3 nodes/)
})

test('a set that is deleted deletes its pods in the same order, however they are told', () => {
  const going = { ...set(), metadata: { ...set().metadata, deletionTimestamp: '2026-11-21T12:00:00Z' } }
  const pods = [1, 0, 2].map(slot => pod(set(), { slot, node: 'node-a' }))
  const { effects } = decide({ set: going, pods })
  assert.deepEqual(
    effects.map(effect => 'pod' in effect && effect.pod.metadata.name),
    ['demo-0', 'demo-1', 'demo-2'],
  )
})

test('F27 whatever the phase says, an open record goes on', () => {
  for (const phase of ['Failed', 'Suspended', 'Pending', 'Running'] as const) {
    const erased = pinned({ phase, migrations: [record({ stage: 'Restore', digest: 'sha256:new' })] })
    const { plan } = decideAsking({ set: erased, pods: [] }, { [VM]: present() })
    assert.deepEqual([kindsOf(plan), plan.status.phase], [['createRestored'], 'Migrating'])
  }
})
