import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  absent,
  decideAsking,
  hibernation,
  kindsOf,
  NOW,
  pod,
  present,
  set,
  unknown,
  VM,
  withAnnotations,
} from '../../test/set-world.ts'
import { requiredHosts } from '../pod/pod-view.ts'

const claim = 'suspend/set-uid'
const HINT = 'cocoonset.cocoonstack.io/hibernated-on-node'
const saved = { node: 'node-a', is: 'hibernated', isHibernateSet: true, claim } as const
const vms = [{ podName: 'demo-0', vmName: VM }]
const since = new Date(NOW - 1000).toISOString()
const suspending = (spec = {}, status = {}) =>
  set({ suspend: true, ...spec }, { suspension: { since, vms, isComplete: false }, ...status })
const asleep = (spec = {}, status = {}) =>
  withAnnotations(
    set(
      { hibernatePolicy: 'release', ...spec },
      { phase: 'Suspended', suspension: { since, vms, isComplete: true }, ...status },
    ),
    { [HINT]: 'node-a' },
  )
const answers = { [VM]: present() }

test('SU07 what is owed is durable together with, and so before, the first hibernate mark', () => {
  const { plan } = decideAsking({ set: set({ suspend: true }), pods: [pod(set(), { node: 'node-a' })] }, {})
  assert.deepEqual([kindsOf(plan), plan.status.phase], [['quiesce'], 'Suspending'])
  assert.deepEqual(plan.status.suspension?.vms, vms)
})

test('SU04 SR03 a suspend is not complete before the agent says so of this generation and the tag is there', () => {
  const notYet: readonly object[] = [
    { is: 'hibernating' },
    { answered: 2 },
    { annotations: { 'vm.cocoonstack.io/id': 'x' } },
  ]
  for (const state of notYet) {
    const world = { set: suspending(), pods: [pod(set(), { ...saved, ...state })] }
    assert.equal(decideAsking(world, answers).plan.status.phase, 'Suspending')
  }
  for (const policy of ['retain', 'release'] as const) {
    const world = { set: suspending({ hibernatePolicy: policy }), pods: [pod(set(), saved)] }
    const { plan } = decideAsking(world, { [VM]: absent })
    assert.deepEqual([kindsOf(plan), plan.status.phase], [[], 'Suspending'])
  }
  const { plan } = decideAsking({ set: suspending(), pods: [pod(set(), saved)] }, answers)
  assert.deepEqual([kindsOf(plan), plan.status.phase, plan.afterMs], [[], 'Suspended', undefined])
})

test('SU05 a failed pod and an unmanaged toolbox do not hold up a suspend', () => {
  const failed = pod(set(), { slot: 1, node: 'node-a', is: 'failed' })
  const world = { set: suspending({ agent: { ...set().spec.agent, replicas: 1 } }), pods: [pod(set(), saved), failed] }
  assert.equal(decideAsking(world, answers).plan.status.phase, 'Suspended')
})

test('SU06 SR01 a registry that does not answer completes no suspend and deletes nothing', () => {
  const world = { set: suspending({ hibernatePolicy: 'release' }), pods: [pod(set(), saved)] }
  const { plan } = decideAsking(world, { [VM]: unknown })
  assert.deepEqual([kindsOf(plan), plan.status.phase], [[], 'Suspending'])
})

test('SU11 a suspend that takes too long fails with an Event, and begins anew with a fresh clock', () => {
  const late = suspending({}, { suspension: { since: new Date(NOW - 200_000).toISOString(), vms, isComplete: false } })
  const { plan } = decideAsking({ set: late, pods: [pod(set(), { ...saved, is: 'hibernating' })] }, answers)
  assert.equal(plan.status.phase, 'Failed')
  assert.ok(plan.events.some(({ reason }) => reason === 'SuspendTimedOut'))
  const again = { ...late, status: plan.status }
  const next = decideAsking({ set: again, pods: [pod(set(), { ...saved, is: 'hibernating' })] }, answers)
  assert.equal(next.plan.status.phase, 'Suspending')
})

test('SU01 unsuspend wakes every pod; a set with nothing to wake writes nothing', () => {
  const two = set({ agent: { ...set().spec.agent, replicas: 1 } })
  const pods = [0, 1].map(slot => pod(two, { ...saved, slot, uid: `pod-${slot}` }))
  assert.deepEqual(kindsOf(decideAsking({ set: two, pods }, answers).plan), ['wake', 'wake'])
  assert.deepEqual(kindsOf(decideAsking({ set: set(), pods: [pod(set(), { node: 'node-a' })] }, {}).plan), [])
})

test('SU02 SU03 unsuspend leaves alone what a hibernation has', () => {
  const two = set({ agent: { ...set().spec.agent, replicas: 1 } })
  const pods = [0, 1].map(slot => pod(two, { ...saved, slot, uid: `pod-${slot}` }))
  for (const one of [hibernation('demo-1', 'Hibernate'), hibernation('demo-1', 'Wake', { phase: 'Hibernating' })]) {
    const { plan } = decideAsking({ set: two, pods, hibernations: [one] }, answers)
    const woken = plan.effects.flatMap(effect => (effect.kind === 'wake' ? [effect.pod.metadata.name] : []))
    assert.deepEqual(woken, ['demo-0'])
  }
})

test('SU09 SU10 the snapshot goes only when the VM serves this generation; a refusal is tried again later', () => {
  const debt = {
    vmName: VM,
    podName: 'demo-0',
    reason: 'suspend',
    isProven: false,
    generation: 3,
    since,
    attempts: 0,
  } as const
  const owing = set({}, { phase: 'Waking', debts: [debt] })
  const notYet: readonly object[] = [{ isHibernateSet: true, claim }, { is: 'creating' }, { answered: 2 }]
  for (const state of notYet) {
    const { plan } = decideAsking({ set: owing, pods: [pod(owing, { node: 'node-a', ...state })] }, answers)
    assert.ok(!kindsOf(plan).includes('payDebt'))
  }
  const serving = { set: owing, pods: [pod(owing, { node: 'node-a' })] }
  assert.deepEqual(kindsOf(decideAsking(serving, answers).plan), ['payDebt'])
  const refused = set({}, { debts: [{ ...debt, attempts: 1, nextAttempt: new Date(NOW + 2000).toISOString() }] })
  const { plan, asked } = decideAsking({ set: refused, pods: serving.pods }, answers)
  assert.deepEqual([kindsOf(plan), asked, plan.afterMs], [[], [], 2000])
})

test('SR02 SR17 SR19 SR20 sets without anything to release or restore are left alone', () => {
  const none = decideAsking({ set: asleep({ suspend: true }), pods: [] }, {})
  assert.deepEqual([kindsOf(none.plan), none.plan.status.phase, none.asked], [[], 'Suspended', []])
  const fresh = decideAsking({ set: set({}, { phase: 'Running' }), pods: [] }, {})
  assert.deepEqual([kindsOf(fresh.plan), fresh.asked], [['createPod'], []])
  const restored = pod(set(), { node: 'node-a', placement: { isRestore: true } })
  const settled = decideAsking({ set: set({}, { phase: 'Running' }), pods: [restored] }, {})
  assert.deepEqual([kindsOf(settled.plan), settled.asked], [[], []])
})

test('SR04 a verified pod is released: hint and names first, then the pod, and the tag stays', () => {
  const { plan } = decideAsking({ set: suspending({ hibernatePolicy: 'release' }), pods: [pod(set(), saved)] }, answers)
  assert.deepEqual([kindsOf(plan), plan.status.phase], [['deletePod'], 'Suspended'])
  assert.deepEqual(plan.annotations, { [HINT]: 'node-a', 'cocoonset.cocoonstack.io/delete-vm-names': VM })
})

test('SR05 the pod of a VM that failed is not released', () => {
  const failed = pod(set(), { ...saved, is: 'failed' })
  const { plan } = decideAsking({ set: suspending({ hibernatePolicy: 'release' }), pods: [failed] }, answers)
  assert.ok(!kindsOf(plan).includes('deletePod'))
})

test('SR06 a released pod keeps its snapshot on its node', () => {
  const { plan } = decideAsking({ set: suspending({ hibernatePolicy: 'release' }), pods: [pod(set(), saved)] }, answers)
  const [effect] = plan.effects
  assert.ok(effect?.kind === 'deletePod' && effect.isKeepingSnapshot)
})

test('SR07 SR08 SR09 a released set wakes near its snapshot, or where its pin says', () => {
  const made = (of: ReturnType<typeof set>) => {
    const { plan } = decideAsking({ set: of, pods: [] }, answers)
    const [effect] = plan.effects
    assert.ok(effect?.kind === 'createPod')
    assert.equal(plan.status.phase, 'Waking')
    assert.equal(effect.pod.metadata.annotations?.['vm.cocoonstack.io/restore-from-hibernate'], 'true')
    return effect.pod
  }
  for (const phase of ['Suspended', 'Suspending'] as const) {
    const near = made(asleep({ snapshotCompatibilityClass: 'v3' }, { phase }))
    const [preferred] = near.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    assert.deepEqual(preferred?.preference.matchExpressions?.[0]?.values, ['node-a'])
    assert.deepEqual(
      [near.spec.nodeName, near.spec.nodeSelector?.['cocoonstack.io/snapshot-cpu-class']],
      [undefined, 'v3'],
    )
  }
  assert.deepEqual(requiredHosts(made(asleep({ nodeName: 'node-b' }))), ['node-b'])
})

test('SR10 SR12 a pod that is there, or a suspend that never began, is no released seat', () => {
  const begun = decideAsking({ set: set({}, { phase: 'Suspending' }), pods: [pod(set(), { node: 'node-a' })] }, {})
  assert.deepEqual([kindsOf(begun.plan), begun.asked], [[], []])
  assert.deepEqual(kindsOf(decideAsking({ set: asleep(), pods: [pod(set(), saved)] }, answers).plan), ['wake'])
})

test('SR11 the name of the old pod is still taken: nothing is made before it is free', () => {
  const terminating = pod(set(), { ...saved, isTerminating: true })
  const { plan } = decideAsking({ set: asleep(), pods: [terminating] }, answers)
  assert.deepEqual(kindsOf(plan), [])
})

test('SR13 SR14 no snapshot, or no answer: a released set does not boot fresh', () => {
  const lost = decideAsking({ set: asleep(), pods: [] }, { [VM]: absent }).plan
  assert.deepEqual(kindsOf(lost), [])
  assert.equal(lost.status.conditions?.find(({ type }) => type === 'SnapshotLost')?.status, 'True')
  assert.deepEqual(kindsOf(decideAsking({ set: asleep(), pods: [] }, { [VM]: unknown }).plan), [])
})

test('SR15 SR16 SR18 SR21 a wake is over when the VM serves: hint and snapshot go once', () => {
  const debt = {
    vmName: VM,
    podName: 'demo-0',
    reason: 'suspend',
    isProven: false,
    generation: 3,
    since,
    attempts: 0,
  } as const
  for (const phase of ['Waking', 'Pending'] as const) {
    const waking = withAnnotations(set({}, { phase, debts: [debt] }), { [HINT]: 'node-a' })
    const booting = pod(waking, { node: 'node-c', is: 'creating', placement: { isRestore: true } })
    const first = decideAsking({ set: waking, pods: [booting] }, answers).plan
    assert.deepEqual([kindsOf(first), first.status.phase], [[], 'Waking'])
    const serving = pod(waking, { node: 'node-c', placement: { isRestore: true } })
    assert.deepEqual(kindsOf(decideAsking({ set: waking, pods: [serving] }, answers).plan), ['payDebt'])
    const paid = withAnnotations(set({}, { phase }), { [HINT]: 'node-a' })
    const last = decideAsking({ set: paid, pods: [serving] }, answers).plan
    assert.deepEqual([last.annotations, last.status.phase], [{ [HINT]: null }, 'Running'])
  }
})
