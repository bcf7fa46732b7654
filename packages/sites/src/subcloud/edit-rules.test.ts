import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { REHOME_STATES } from '../model/states.ts'
import { CORRECTABLE, EDIT_RULES, type EditFacts, type GroupView, mayEdit } from './edit-rules.ts'

const primary: GroupView = { name: 'g', priority: 0, isLedHere: true, peers: ['available'] }
const copy: GroupView = { name: 'g', priority: 1, isLedHere: true, peers: ['unavailable'] }
const healthy: EditFacts = {
  caller: 'operator',
  deployStatus: 'complete',
  managementState: 'managed',
  availability: 'online',
  hasRehomeData: true,
  group: undefined,
  groupChange: { kind: 'keep' },
  keys: [],
}
const failedCopy: EditFacts = {
  ...healthy,
  deployStatus: 'rehome-failed',
  managementState: 'unmanaged',
  availability: 'offline',
  group: copy,
  keys: ['bootstrap_address'],
}
const join = (group: GroupView) => ({ kind: 'join', group }) as const

const REFUSED: readonly (readonly [string, EditFacts])[] = [
  ['leave-led-elsewhere', { ...healthy, group: { ...primary, isLedHere: false }, groupChange: { kind: 'leave' } }],
  [
    'leave-while-primary-is-there',
    { ...healthy, group: { ...copy, peers: ['available'] }, groupChange: { kind: 'leave' } },
  ],
  ['join-without-data', { ...healthy, hasRehomeData: false, groupChange: join(primary), keys: ['bootstrap_values'] }],
  ['move-from-copy', { ...healthy, group: copy, groupChange: join({ ...primary, name: 'other' }) }],
  ['join-unknown', { ...healthy, groupChange: { kind: 'unknown' } }],
  ['join-copy', { ...healthy, groupChange: join(copy) }],
  ['join-led-elsewhere', { ...healthy, groupChange: join({ ...primary, isLedHere: false }) }],
  ['join-not-healthy', { ...healthy, availability: 'offline', groupChange: join(primary) }],
  ['copy-with-other-fields', { ...failedCopy, keys: ['bootstrap_address', 'description'] }],
  ['copy-while-primary-is-there', { ...failedCopy, group: { ...copy, peers: ['available'] } }],
  ['copy-not-failed', { ...failedCopy, deployStatus: 'secondary' }],
  ['copy', { ...failedCopy, keys: ['description'] }],
  ['led-elsewhere', { ...healthy, group: { ...primary, isLedHere: false }, keys: ['description'] }],
  ['management-in-group', { ...healthy, group: primary, keys: ['management-state'] }],
]
for (const [rule, facts] of REFUSED)
  test(`an edit is refused by the rule ${rule}`, () => {
    const verdict = mayEdit(facts)
    assert.equal(verdict.kind === 'refused' ? verdict.rule : verdict.kind, rule)
  })

test('every rule has its case', () =>
  assert.deepEqual(
    REFUSED.map(([rule]) => rule),
    EDIT_RULES.map(({ rule }) => rule),
  ))

test('an edit on the primary site that leads sets the copies of both sites apart', () => {
  const allowed = { kind: 'allowed', marks: 'on both sites' }
  assert.deepEqual(mayEdit({ ...healthy, group: primary, keys: ['bootstrap_address'] }), allowed)
  assert.deepEqual(mayEdit({ ...healthy, group: primary, groupChange: { kind: 'leave' } }), allowed)
  assert.deepEqual(mayEdit({ ...healthy, groupChange: join(primary) }), allowed)
})

test('a subcloud in no group is edited freely, and nothing is marked', () =>
  assert.deepEqual(mayEdit({ ...healthy, keys: ['description', 'management-state'] }), {
    kind: 'allowed',
    marks: 'none',
  }))

test('the other site writes the copy, but it too gives the data with the group', () => {
  const peer = { ...failedCopy, caller: 'peer', deployStatus: 'secondary', keys: ['description'] } as const
  assert.deepEqual(mayEdit(peer), { kind: 'allowed', marks: 'none' })
  assert.equal(mayEdit({ ...peer, hasRehomeData: false, groupChange: join(copy) }).kind, 'refused')
})

test('a member that was added together with its data needs none before', () =>
  assert.equal(
    mayEdit({ ...healthy, hasRehomeData: false, groupChange: join(primary), keys: [...CORRECTABLE] }).kind,
    'allowed',
  ))

test('a peer that was never reached counts as unavailable; with several, one that is there suffices to refuse', () => {
  assert.equal(mayEdit({ ...failedCopy, group: { ...copy, peers: ['created'] } }).kind, 'allowed')
  assert.equal(mayEdit({ ...failedCopy, group: { ...copy, peers: ['available', 'unavailable'] } }).kind, 'refused')
})

test('on a copy nothing but values and address is ever edited, and only of a failed member without its primary', () => {
  const keys = fc.subarray([...CORRECTABLE, 'description', 'location', 'name', 'management-state', 'install_values'])
  fc.assert(
    fc.property(
      keys,
      fc.constantFrom(...REHOME_STATES, 'complete'),
      fc.constantFrom('created' as const, 'available' as const, 'unavailable' as const),
      fc.boolean(),
      (chosen, deployStatus, peer, isLedHere) => {
        const group = { ...copy, isLedHere, peers: [peer] }
        const verdict = mayEdit({ ...failedCopy, deployStatus, group, keys: chosen })
        const isCorrection = chosen.length > 0 && chosen.every(key => CORRECTABLE.includes(key))
        const expected = isCorrection && deployStatus === 'rehome-failed' && peer !== 'available'
        assert.deepEqual(verdict.kind, expected ? 'allowed' : 'refused')
        if (verdict.kind === 'allowed') assert.equal(verdict.marks, 'on this site')
      },
    ),
  )
})
