import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absent, hibernation, NOW, pod, present, set, unknown, VM } from '../../test/set-world.ts'
import { type CocoonHibernation, HIBERNATION_FINALIZER, type HibernationPhase } from '../api/index.ts'
import {
  DEFAULT_HIBERNATION_LIMITS,
  decideHibernation,
  type HibernationFacts,
  isOverdue,
} from './decide-hibernation.ts'

const claim = 'hibernation/ch-demo-0'
const saved = { node: 'node-a', is: 'hibernated', isHibernateSet: true, claim } as const

function one(
  desire: 'Hibernate' | 'Wake',
  phase?: HibernationPhase,
  { ageMs = 1000, generation = 1, observed = 1, more = {}, deleted = false, isHeld = true, annotations = {} } = {},
): CocoonHibernation {
  const since = new Date(NOW - ageMs).toISOString()
  const ready = { type: 'Ready', status: 'False' as const, reason: 'Pending', message: '', lastTransitionTime: since }
  const status = phase ? { phase, observedGeneration: observed, conditions: [ready], vmName: VM, ...more } : more
  const made = hibernation('demo-0', desire, status, generation)
  return {
    ...made,
    metadata: {
      ...made.metadata,
      annotations,
      ...(isHeld && { finalizers: [HIBERNATION_FINALIZER] }),
      ...(deleted && { deletionTimestamp: new Date(NOW).toISOString() }),
    },
  }
}

const facts = (of: CocoonHibernation, more: Partial<HibernationFacts> = {}): HibernationFacts => ({
  hibernation: of,
  pod: undefined,
  others: [of],
  tag: { kind: 'unasked' },
  nowMs: NOW,
  limits: DEFAULT_HIBERNATION_LIMITS,
  ...more,
})
const decide = (of: CocoonHibernation, more: Partial<HibernationFacts> = {}) => {
  const plan = decideHibernation(facts(of, more))
  return { ...plan, kinds: plan.effects.map(({ kind }) => kind), phase: plan.status.phase }
}
const podIs = (state: Parameters<typeof pod>[1] = {}) => pod(set(), { node: 'node-a', ...state })

test('HB01 a new one gets its finalizer, and nothing else', () => {
  const plan = decide(one('Hibernate', undefined, { isHeld: false }), { pod: podIs() })
  assert.deepEqual([plan.kinds, plan.phase], [['addFinalizer'], undefined])
})

test('HB02 deleted while its VM is hibernated, it wakes it first; the snapshot is the only copy', () => {
  const going = one('Hibernate', 'Hibernated', { deleted: true })
  assert.deepEqual(decide(going, { pod: podIs(saved), tag: present() }).kinds, ['wake'])
  assert.deepEqual(decide(going, { pod: podIs(saved), tag: absent }).kinds, [])
  const awake = decide(going, { pod: podIs(), tag: present() })
  assert.deepEqual(awake.kinds, ['deleteSnapshot'])
  assert.deepEqual(decide(going, { pod: podIs(), tag: absent }).kinds, ['removeFinalizer'])
})

test('HB02 deleted when its VM was saved by others since, it leaves their snapshot alone', () => {
  const digest = { more: { digest: 'sha256:own' }, deleted: true }
  const going = one('Wake', 'Active', digest)
  assert.deepEqual(decide(going, { pod: podIs(), tag: present('sha256:others') }).kinds, ['removeFinalizer'])
  assert.deepEqual(decide(going, { pod: podIs(), tag: present('sha256:own') }).kinds, ['deleteSnapshot'])
  // A set that gave its seat back: there is no pod, and the only copy is not this one's.
  assert.deepEqual(decide(going, { tag: present('sha256:own') }).kinds, ['removeFinalizer'])
  const owing = one('Wake', 'Active', { more: { digest: 'sha256:own', owesDelete: true } })
  const after = decide(owing, { pod: podIs(), tag: present('sha256:others') })
  assert.deepEqual([after.kinds, after.status.owesDelete], [[], false])
})

test('HB02 the user may give the saved state up', () => {
  const annotations = { 'godwit.dev/accept-snapshot-loss': 'true' }
  const going = one('Hibernate', 'Hibernated', { deleted: true, annotations })
  assert.deepEqual(decide(going, { pod: podIs(saved), tag: present() }).kinds, ['deleteSnapshot'])
})

test('HB03 a registry that does not answer keeps a deleted one, which asks again', () => {
  const plan = decide(one('Wake', 'Active', { deleted: true }), { pod: podIs(), tag: unknown })
  assert.deepEqual([plan.kinds, plan.afterMs !== undefined], [[], true])
})

test('HB04 deleted without ever having had a VM, it asks the registry nothing', () => {
  const plan = decide(one('Hibernate', undefined, { deleted: true }))
  assert.deepEqual([plan.kinds, plan.needsTag], [['removeFinalizer'], false])
})

test('HB05 HB06 the snapshot stays while another one has the VM or names its pod', () => {
  const going = one('Hibernate', 'Hibernated', { deleted: true })
  const sameVm = { ...hibernation('other', 'Hibernate', { vmName: VM }) }
  const fresh = { ...hibernation('demo-0', 'Hibernate'), metadata: { name: 'again', namespace: 'ns', uid: 'ch-again' } }
  for (const other of [sameVm, fresh])
    assert.deepEqual(decide(going, { pod: podIs(saved), others: [going, other], tag: present() }).kinds, [
      'removeFinalizer',
    ])
})

test('HB07 HB12 a hibernation or a wake that takes too long fails, whatever the registry says', () => {
  for (const desire of ['Hibernate', 'Wake'] as const) {
    const late = decide(one(desire, 'Hibernating', { ageMs: 360_000 }), { pod: podIs(saved), tag: unknown })
    assert.deepEqual([late.phase, late.events[0]?.reason], ['Failed', 'HibernateTimedOut'])
  }
  const slow = decide(one('Wake', 'Waking', { ageMs: 600_000 }), { pod: podIs({ is: 'creating' }) })
  assert.deepEqual([slow.phase, slow.events[0]?.reason], ['Failed', 'WakeTimedOut'])
})

test('HB08 HB09 HB10 without an answer, or without a snapshot, it stays Hibernating and asks again', () => {
  for (const tag of [unknown, absent]) {
    const plan = decide(one('Hibernate', 'Hibernating'), { pod: podIs(saved), tag })
    assert.deepEqual([plan.phase, plan.kinds, plan.afterMs !== undefined], ['Hibernating', [], true])
  }
  const first = decide(one('Hibernate'), { pod: podIs(saved), tag: unknown })
  assert.equal(first.phase, 'Hibernating')
  assert.ok(first.status.conditions?.[0]?.lastTransitionTime, 'its clock has started')
})

test('HB11 only a phase that is old itself is overdue', () => {
  const of = (phase: HibernationPhase | undefined, ageMs: number, more = {}) =>
    facts(one('Wake', phase, { ageMs, more }))
  assert.equal(isOverdue(of('Hibernating', 360_000, { conditions: [] }), 'Hibernating'), false)
  for (const phase of ['Hibernating', 'Waking'] as const) {
    assert.equal(isOverdue(of(phase, 1000), phase), false)
    assert.equal(isOverdue(of(phase, 600_000), phase), true)
    assert.equal(isOverdue(of('Active', 600_000), phase), false)
  }
})

test('HB13 a failed one tries again with a fresh clock', () => {
  const cases = [
    ['Wake', 'Waking', podIs({ is: 'creating' })],
    ['Hibernate', 'Hibernating', podIs({ is: 'hibernating', isHibernateSet: true, claim })],
  ] as const
  for (const [desire, phase, there] of cases) {
    const plan = decide(one(desire, 'Failed', { ageMs: 900_000 }), { pod: there })
    assert.deepEqual([plan.phase, plan.events[0]?.reason], [phase, 'RetryRequested'])
    const again = { ...one(desire), status: plan.status }
    assert.equal(decide(again, { pod: there }).phase, phase)
  }
})

test('HB14 a wake with the mark still set clears it, and is Active when the VM serves', () => {
  const marked = decide(one('Wake', 'Waking'), { pod: podIs({ isHibernateSet: true, claim }) })
  assert.deepEqual(marked.kinds, ['wake'])
  assert.equal(decide(one('Wake', 'Waking'), { pod: podIs() }).phase, 'Active')
})

test('HB15 a new generation is answered, also where nothing else changes', () => {
  const plan = decide(one('Hibernate', 'Hibernated', { generation: 2 }), { pod: podIs(saved), tag: present() })
  assert.equal(plan.status.observedGeneration, 2)
  assert.equal(decide(one('Hibernate', 'Pending', { generation: 5 })).status.observedGeneration, 5)
})

test('HB16 HB17 without a pod or a VM name: what was saved stays owed, anything else is pending', () => {
  const nameless = podIs({ annotations: { 'vm.cocoonstack.io/name': '' } })
  for (const there of [undefined, nameless]) {
    for (const phase of ['Hibernated', 'Waking'] as const) {
      const plan = decide(one('Wake', phase), { pod: there })
      assert.deepEqual([plan.phase, plan.afterMs, plan.kinds], [phase, 5000, []])
    }
    const plan = decide(one('Hibernate'), { pod: there })
    assert.deepEqual([plan.phase, plan.afterMs], ['Pending', 5000])
  }
})

test('HB18 HB19 it is Hibernated when the agent says so of this generation and the snapshot is there', () => {
  const saving = decide(one('Hibernate', 'Hibernating'), {
    pod: podIs({ ...saved, is: 'hibernating' }),
    tag: present(),
  })
  assert.equal(saving.phase, 'Hibernating')
  const stale = decide(one('Hibernate', 'Hibernating'), { pod: podIs({ ...saved, answered: 2 }), tag: present() })
  assert.equal(stale.phase, 'Hibernating')
  const done = decide(one('Hibernate', 'Hibernating'), { pod: podIs(saved), tag: present() })
  assert.deepEqual([done.phase, done.status.digest, done.afterMs], ['Hibernated', 'sha256:new', undefined])
})

test('HB20 HB21 a leg that has begun is finished before the other one begins', () => {
  const waking = decide(one('Hibernate', 'Waking'), { pod: podIs({ ...saved, isHibernateSet: false }), tag: present() })
  assert.deepEqual([waking.phase, waking.kinds], ['Waking', []])
  const live = podIs({ isHibernateSet: true, claim })
  const hibernating = decide(one('Wake', 'Hibernating'), { pod: live, tag: present() })
  assert.deepEqual([hibernating.phase, hibernating.kinds], ['Hibernating', []])
})

test('HB22 what another one has claimed is left to it', () => {
  const others = podIs({ isHibernateSet: true, is: 'hibernated', claim: 'migration/move-1' })
  for (const desire of ['Hibernate', 'Wake'] as const) {
    const plan = decide(one(desire), { pod: others, tag: present() })
    assert.deepEqual([plan.phase, plan.kinds], ['Pending', []])
  }
})

test('HB23 a settled one does nothing when somebody else hibernates the VM', () => {
  const plan = decide(one('Wake', 'Active'), { pod: podIs({ ...saved, claim: 'suspend/set-uid' }), tag: present() })
  assert.deepEqual([plan.kinds, plan.phase, plan.needsTag], [[], 'Active', false])
})

test('HB24 Active comes first; the snapshot goes after it, is asked for again, and never while the VM does not serve', () => {
  const active = decide(one('Wake', 'Waking'), { pod: podIs() })
  assert.deepEqual([active.phase, active.kinds, active.status.owesDelete], ['Active', [], true])
  const owing = one('Wake', 'Active', { more: { owesDelete: true } })
  assert.deepEqual(decide(owing, { pod: podIs(), tag: present() }).kinds, ['deleteSnapshot'])
  assert.deepEqual(decide(owing, { pod: podIs({ is: 'creating' }), tag: present() }).kinds, [])
  assert.equal(decide(owing, { pod: podIs(), tag: absent }).status.owesDelete, false)
})
