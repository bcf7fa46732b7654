import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { REHOME_STATES } from '../model/states.ts'
import { auditMember, type MemberView, type Remote } from './member.ts'

const mine: MemberView = { deployStatus: 'complete', managementState: 'managed', ownerEpoch: 1, values: { a: 1 } }
const pending: MemberView = { ...mine, deployStatus: 'rehome-pending', managementState: 'unmanaged' }
const there = (over: Partial<MemberView> = {}): Remote => ({
  kind: 'member',
  view: { deployStatus: 'secondary', managementState: 'unmanaged', ownerEpoch: 1, values: { a: 1 }, ...over },
})
const taken = there({ deployStatus: 'complete', managementState: 'managed', ownerEpoch: 2 })
const kinds = (local: MemberView, remote: Remote) =>
  auditMember('s1', local, remote).effects.map(effect => ('to' in effect ? `${effect.kind} ${effect.to}` : effect.kind))

test('equal copies need nothing', () =>
  assert.deepEqual(auditMember('s1', mine, there()), { effects: [], difference: undefined }))

test('a member that the other site took in and manages becomes secondary here, with its epoch', () => {
  for (const local of [mine, pending]) assert.deepEqual(kinds(local, taken), ['stand-down secondary', 'adopt-epoch'])
  const already = { ...mine, deployStatus: 'secondary', managementState: 'unmanaged' } as const
  assert.deepEqual(kinds(already, taken), ['adopt-epoch'])
})

test('a member that we took in later stays ours, whatever the other site still believes (H11)', () => {
  const later = { ...mine, ownerEpoch: 3 }
  assert.deepEqual(kinds(later, taken), [])
})

test('while the other site is at it, nobody manages it here', () => {
  for (const deployStatus of ['pre-rehome', 'rehoming', 'complete'] as const)
    assert.deepEqual(kinds(mine, there({ deployStatus, ownerEpoch: 2 })), ['stand-down rehome-pending'])
})

test('a copy that was secondary or failed is not made pending by a batch of the other site (H7)', () => {
  for (const deployStatus of ['secondary', 'rehome-failed', 'rehome-prep-failed'] as const) {
    const local = { ...mine, deployStatus, managementState: 'unmanaged' } as const
    assert.deepEqual(kinds(local, there({ deployStatus: 'rehoming', ownerEpoch: 2 })), [])
  }
})

test('a failure of the other site leaves it failed and unmanaged here, to be tried by either (H8)', () => {
  for (const deployStatus of ['rehome-failed', 'rehome-prep-failed'] as const)
    for (const local of [mine, pending]) {
      const outcome = auditMember('s1', local, there({ deployStatus, ownerEpoch: 2 }))
      assert.deepEqual(outcome.effects, [{ kind: 'stand-down', to: 'rehome-failed' }])
      assert.match(outcome.difference ?? '', /s1 could not be rehomed/)
    }
})

test('an absence never takes a record away: it was not synced yet, or the list was wrong (H6)', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...REHOME_STATES, 'complete'),
      fc.constantFrom('managed', 'unmanaged'),
      (deployStatus, managementState) => {
        for (const kind of ['absent', 'unread'] as const) {
          const { effects, difference } = auditMember('s1', { ...mine, deployStatus, managementState }, { kind })
          assert.deepEqual(effects, [])
          assert.ok(difference)
        }
      },
    ),
  )
})

test('a tombstone takes away what is not ours, and nothing that is', () => {
  const secondary = { ...mine, deployStatus: 'secondary', managementState: 'unmanaged' } as const
  assert.deepEqual(kinds(secondary, { kind: 'deleted', ownerEpoch: 1 }), ['delete'])
  assert.deepEqual(kinds(secondary, { kind: 'deleted', ownerEpoch: 0 }), [])
  assert.deepEqual(kinds(mine, { kind: 'deleted', ownerEpoch: 1 }), [])
  assert.match(auditMember('s1', mine, { kind: 'deleted', ownerEpoch: 1 }).difference ?? '', /is managed here/)
})

test('a member that the other site took in while this one was down, and removed, is deleted here (LP 2052415)', () =>
  assert.deepEqual(kinds(mine, { kind: 'deleted', ownerEpoch: 2 }), ['delete']))

test('values that were edited on the other site come home, those edited on both are shown as a conflict (H14)', () => {
  assert.deepEqual(kinds(mine, there({ values: { a: 1, b: 1 } })), ['take-values'])
  assert.match(auditMember('s1', { ...mine, values: { a: 2 } }, there()).difference ?? '', /edited here and not there/)
  const conflict = auditMember('s1', { ...mine, values: { a: 2 } }, there({ values: { a: 1, b: 1 } }))
  assert.deepEqual(conflict.effects, [])
  assert.match(conflict.difference ?? '', /edited on both sites/)
})

test('values come home together with the ownership', () =>
  assert.deepEqual(
    kinds(mine, there({ deployStatus: 'complete', managementState: 'managed', ownerEpoch: 2, values: { a: 1, b: 2 } })),
    ['stand-down secondary', 'adopt-epoch', 'take-values'],
  ))

test('two sites that audit each other never both go on managing', () => {
  const view = fc.record({
    deployStatus: fc.constantFrom(...REHOME_STATES, 'complete'),
    managementState: fc.constantFrom('managed' as const, 'unmanaged' as const),
    ownerEpoch: fc.nat(3),
    values: fc.constant({}),
  })
  fc.assert(
    fc.property(view, view, (left, right) => {
      fc.pre(left.ownerEpoch !== right.ownerEpoch)
      const goesOn = (local: MemberView, remote: MemberView) =>
        local.managementState === 'managed' &&
        !auditMember('s1', local, { kind: 'member', view: remote }).effects.some(({ kind }) => kind === 'stand-down')
      assert.ok(!(goesOn(left, right) && goesOn(right, left)))
    }),
  )
})
