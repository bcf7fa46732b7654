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
import { labels, type Pod } from '../api/index.ts'
import { buildToolboxPod } from '../pod/build-pod.ts'
import { parseHistory, rebuildWaitMs } from './rebuild.ts'

const HISTORY = 'cocoonset.cocoonstack.io/rebuild-history'
const two = (spec = {}) => set({ agent: { ...set().spec.agent, replicas: 1 }, ...spec })
const main = (of = two()) => pod(of, { node: 'node-a' })
const named = (plan: ReturnType<typeof decideAsking>['plan']) =>
  plan.effects.map(effect => ('pod' in effect ? `${effect.kind} ${effect.pod.metadata.name}` : effect.kind))

test('a set begins with its main, bound to nothing; sub-agents fork from it, beside it', () => {
  assert.deepEqual(named(decideAsking({ set: two(), pods: [] }, {}).plan), ['createPod demo-0'])
  const { plan } = decideAsking({ set: two(), pods: [main()] }, {})
  const [effect] = plan.effects
  assert.ok(effect?.kind === 'createPod')
  const { metadata, spec } = effect.pod
  assert.deepEqual([metadata.name, spec.nodeName, spec.affinity], ['demo-1', 'node-a', undefined])
  assert.equal(metadata.annotations?.['vm.cocoonstack.io/fork-from'], VM)
})

test('GE01 every owned pod is stamped with the generation, those of unknown roles too, and only when it differs', () => {
  const old = { 'cocoonset.cocoonstack.io/generation': '2' }
  const strange: Pod = pod(two(), { slot: 1, annotations: old })
  const unknownRole = {
    ...strange,
    metadata: { ...strange.metadata, labels: { ...strange.metadata.labels, [labels.role]: 'x' } },
  }
  const pods = [pod(two(), { node: 'node-a', annotations: old }), unknownRole]
  assert.deepEqual(named(decideAsking({ set: two(), pods }, {}).plan), ['stamp demo-0', 'stamp demo-1'])
})

test('CH01 a sub-agent or toolbox whose VM failed is deleted to be made anew, its history durable before', () => {
  const failed = pod(two(), { slot: 1, node: 'node-a', is: 'failed' })
  const { plan } = decideAsking({ set: two(), pods: [main(), failed] }, {})
  assert.deepEqual(named(plan), ['deletePod demo-1'])
  assert.match(String(plan.annotations[HISTORY]), /"demo-1":{"count":1/)
})

test('CH02 after four attempts a sub-agent is parked for this generation; another one gives it a fresh budget', () => {
  const entry = { count: 4, lastDeleted: new Date(NOW).toISOString() }
  const spent = withAnnotations(two(), { [HISTORY]: JSON.stringify({ 'demo-1': entry }) })
  const failed = (annotations = {}) => pod(spent, { slot: 1, node: 'node-a', is: 'failed', annotations })
  const { plan } = decideAsking({ set: spent, pods: [main(), failed()] }, {})
  assert.deepEqual(named(plan), ['parkPod demo-1'])
  assert.ok(plan.events.some(({ reason }) => reason === 'SubAgentDeadLetter'))
  const parked = (generation: string) => failed({ 'cocoonset.cocoonstack.io/dead-letter': generation })
  assert.deepEqual(named(decideAsking({ set: spent, pods: [main(), parked('3')] }, {}).plan), [])
  assert.deepEqual(named(decideAsking({ set: spent, pods: [main(), parked('2')] }, {}).plan), ['deletePod demo-1'])
})

test('CH03 toolboxes with a name twice, a number for a name, or a taken name are refused before any write', () => {
  const wrong = [[{ name: 'x' }, { name: 'x' }], [{ name: '1' }]]
  const toolbox = { mode: 'run', os: 'linux', backend: 'cloud-hypervisor', image: 'a' } as const
  for (const names of wrong) {
    const of = two({ toolboxes: names.map(name => ({ ...toolbox, ...name })) })
    assert.throws(() => decideAsking({ set: of, pods: [main()] }, {}), /InvalidToolbox|toolbox/)
  }
  const named = two({ toolboxes: [{ ...toolbox, name: 'shell' }] })
  const taken = { ...pod(two(), { slot: 1, node: 'node-a' }) }
  const there = { ...taken, metadata: { ...taken.metadata, name: 'demo-shell' } }
  assert.throws(() => decideAsking({ set: named, pods: [main(), there] }, {}), /its pod name is taken by another pod/)
})

test('CH04 a failed main parks the set with its message; one that differs from the spec is made anew', () => {
  const failed = pod(two(), {
    node: 'node-a',
    is: 'failed',
    annotations: { 'vm.cocoonstack.io/lifecycle-state-message': 'no disk' },
  })
  const { plan } = decideAsking({ set: two(), pods: [failed] }, {})
  assert.deepEqual([kindsOf(plan), plan.status.phase, plan.events[0]?.message], [[], 'Failed', 'no disk'])
  const other = two({ agent: { ...two().spec.agent, image: 'base:2' } })
  assert.deepEqual(named(decideAsking({ set: other, pods: [failed] }, {}).plan), ['deletePod demo-0'])
})

test('CH05 a history that cannot be read is empty, stale entries go, and waits grow from none to 30 s', () => {
  assert.deepEqual(parseHistory('{', ['a']), {})
  assert.deepEqual(parseHistory('null', ['a']), {})
  const entry = (count: number) => ({ count, lastDeleted: new Date(NOW).toISOString() })
  assert.deepEqual(parseHistory(JSON.stringify({ a: entry(1), b: entry(1) }), ['a']), { a: entry(1) })
  const waits = [undefined, entry(1), entry(2), entry(3), entry(4)].map(each => rebuildWaitMs(each, NOW))
  assert.deepEqual(waits, [0, 1000, 5000, 30_000, undefined])
})

test('RI01 RI02 a pod is restored when it is owed that and there is a snapshot; never on a guess', () => {
  const made = (
    phase: 'Hibernated' | 'Waking' | 'Active' | 'Hibernating' | undefined,
    tag: ReturnType<typeof present>,
  ) => {
    const status = phase ? { phase, observedGeneration: 1 } : {}
    const hibernations = phase ? [hibernation('demo-0', 'Wake', status)] : []
    const { plan, asked } = decideAsking({ set: set(), pods: [], hibernations }, { [VM]: tag })
    const [effect] = plan.effects
    if (effect?.kind !== 'createPod') return ['nothing', asked.length]
    return [effect.pod.metadata.annotations?.['vm.cocoonstack.io/restore-from-hibernate'] ?? 'fresh', asked.length]
  }
  for (const phase of ['Hibernated', 'Waking'] as const) {
    assert.deepEqual(made(phase, present()), ['true', 1])
    assert.deepEqual(made(phase, absent), ['nothing', 1])
    assert.deepEqual(made(phase, unknown), ['nothing', 1])
  }
  for (const phase of ['Active', 'Hibernating', undefined] as const)
    assert.deepEqual(made(phase, present()), ['fresh', 0])
})

test('RI03 a managed toolbox that was hibernated comes back with its state', () => {
  const toolbox = { name: 'tools', image: 'a', mode: 'run', os: 'linux', backend: 'cloud-hypervisor' } as const
  const of = set({ toolboxes: [toolbox] })
  const fresh = buildToolboxPod(of, toolbox, { isRestore: false })
  const vmName = fresh.metadata.annotations?.['vm.cocoonstack.io/name'] ?? ''
  const hibernations = [hibernation('demo-tools', 'Hibernate', { phase: 'Hibernated' })]
  const { plan } = decideAsking({ set: of, pods: [pod(of, { node: 'node-a' })], hibernations }, { [vmName]: present() })
  const [effect] = plan.effects
  assert.ok(effect?.kind === 'createPod')
  assert.equal(effect.pod.metadata.annotations?.['vm.cocoonstack.io/restore-from-hibernate'], 'true')
})

test('RI04 a steady set asks the registry nothing', () => {
  const of = two()
  const pods = [main(of), pod(of, { slot: 1, node: 'node-a' })]
  const { plan, asked } = decideAsking({ set: of, pods }, {})
  assert.deepEqual([kindsOf(plan), asked, plan.status.phase, plan.afterMs], [[], [], 'Running', undefined])
})

const going = (spec = {}, status = {}) => {
  const of = set(spec, status)
  return { ...of, metadata: { ...of.metadata, deletionTimestamp: '2026-11-21T12:00:00Z' } }
}
const tagsOf = (plan: ReturnType<typeof decideAsking>['plan']) =>
  plan.effects.flatMap(effect => (effect.kind === 'deleteTag' ? [`${effect.vmName}:${effect.tag}`] : []))

test('DL02 which tags go with a set follows its snapshot policy', () => {
  const others = { podName: 'demo-1', vmName: 'vm-sub', slot: 1, role: 'sub-agent' }
  const status = {
    agents: [{ slot: 0, role: 'main', vmName: 'vm-main' }, others],
    toolboxes: [{ name: 'x-1', vmName: 'vm-box' }],
  }
  const of = (snapshotPolicy: 'always' | 'main-only' | 'never') =>
    tagsOf(decideAsking({ set: going({ snapshotPolicy }, status), pods: [] }, {}).plan).filter(tag =>
      tag.startsWith('vm-'),
    )
  const hibernate = ['vm-box:hibernate', 'vm-main:hibernate', 'vm-sub:hibernate']
  assert.deepEqual(of('always'), hibernate)
  assert.deepEqual(
    of('never'),
    hibernate.flatMap(tag => [tag, tag.replace('hibernate', 'latest')]),
  )
  assert.deepEqual(of('main-only'), [
    'vm-box:hibernate',
    'vm-box:latest',
    'vm-main:hibernate',
    'vm-sub:hibernate',
    'vm-sub:latest',
  ])
})

test('DL03 DL04 F9 names come from pods, status, records and the spec, and are durable before the pods go', () => {
  const withPod = decideAsking({ set: going(), pods: [pod(set(), { node: 'node-a' })] }, {}).plan
  assert.deepEqual(kindsOf(withPod), ['deletePod'])
  assert.equal(withPod.annotations['cocoonset.cocoonstack.io/delete-vm-names'], VM)
  const without = decideAsking({ set: going(), pods: [] }, {}).plan
  assert.ok(tagsOf(without).includes(`${VM}:hibernate`))
  assert.equal(kindsOf(without).at(-1), 'removeFinalizer')
})

test('DL05 DL06 a hibernate tag that cannot be deleted keeps the finalizer, a latest tag does not', () => {
  const { plan } = decideAsking({ set: going({ snapshotPolicy: 'never' }), pods: [] }, {})
  const needed = plan.effects.flatMap(effect => (effect.kind === 'deleteTag' ? [[effect.tag, effect.isNeeded]] : []))
  assert.deepEqual(needed, [
    ['hibernate', true],
    ['latest', false],
  ])
  const forced = withAnnotations(going(), { 'godwit.dev/force-delete': 'true' })
  const after = decideAsking({ set: forced, pods: [] }, {}).plan
  assert.ok(after.effects.every(effect => effect.kind !== 'deleteTag' || !effect.isNeeded))
})

test('X09 a hibernation of an earlier set of that name owes the new one nothing', () => {
  const hibernations = [hibernation('demo-0', 'Hibernate', { phase: 'Hibernated', setUid: 'earlier' })]
  const { plan, asked } = decideAsking({ set: set(), pods: [], hibernations }, { [VM]: absent })
  assert.deepEqual([kindsOf(plan), asked], [['createPod'], []])
})
