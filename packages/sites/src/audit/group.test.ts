import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditedMember, auditGroup, type GroupCopy } from './group.ts'
import type { MemberView, Remote } from './member.ts'

const a: GroupCopy = { siteId: 'a', priority: 0, leaderId: 'a', migrationStatus: undefined }
const b: GroupCopy = { siteId: 'b', priority: 1, leaderId: 'b', migrationStatus: 'complete' }
const pending: MemberView = {
  deployStatus: 'rehome-pending',
  managementState: 'unmanaged',
  ownerEpoch: 1,
  values: { a: 1 },
}
const managed: MemberView = { ...pending, deployStatus: 'complete', managementState: 'managed', ownerEpoch: 2 }
const failed: MemberView = { ...pending, deployStatus: 'rehome-failed', ownerEpoch: 2 }
const member = (name: string, view: MemberView): AuditedMember => ({
  name,
  local: pending,
  remote: { kind: 'member', view },
})
const without = (kind: Remote['kind'] & ('absent' | 'unread')): AuditedMember => ({
  name: 's9',
  local: pending,
  remote: { kind },
})
const kinds = (audit: ReturnType<typeof auditGroup>) =>
  audit.members.map(({ effects }) => effects.map(effect => ('to' in effect ? effect.to : effect.kind)).join())

test('complete_all_success: members become secondary, edited values come home, the leader is followed', () => {
  const edited = { ...managed, values: { a: 1, b: 1 } }
  const audit = auditGroup(a, b, [member('s1', managed), member('s2', edited)])
  assert.deepEqual(kinds(audit), ['secondary,adopt-epoch', 'secondary,adopt-epoch,take-values'])
  assert.deepEqual(
    [audit.follow, audit.acknowledges, audit.isReconciled, audit.isAway, audit.differences],
    ['b', true, true, true, []],
  )
})

for (const views of [[managed, failed], [failed]])
  test(`${views.length > 1 ? 'partial_failure' : 'all_failed'}: failed ones are failed here, the leader is followed, the copies not called equal`, () => {
    const audit = auditGroup(
      a,
      b,
      views.map((view, index) => member(`s${index}`, view)),
    )
    assert.equal(kinds(audit).at(-1), 'rehome-failed')
    assert.deepEqual([audit.follow, audit.acknowledges, audit.isReconciled], ['b', true, false])
  })

test('management_state_managed: while the other site migrates, members are handed over and nothing else is done', () => {
  const local = { ...pending, deployStatus: 'complete', managementState: 'managed' } as const
  const rehoming = { ...failed, deployStatus: 'rehoming' } as const
  const migrating = { ...b, leaderId: 'a', migrationStatus: 'migrating' } as const
  const audit = auditGroup(a, migrating, [{ ...member('s1', rehoming), local }])
  assert.deepEqual(kinds(audit), ['rehome-pending'])
  assert.deepEqual(
    [audit.follow, audit.acknowledges, audit.isReconciled, audit.isAway],
    [undefined, false, false, false],
  )
})

test('quit: while this site migrates itself, the audit touches nothing', () => {
  const audit = auditGroup({ ...a, migrationStatus: 'migrating' }, b, [member('s1', managed)])
  assert.deepEqual([audit.members, audit.follow, audit.acknowledges, audit.isReconciled], [[], undefined, false, false])
})

test('an end is not acknowledged before every member could be read, and no absence calls the copies equal (H6, H16)', () => {
  assert.equal(auditGroup(a, b, [member('s1', managed), without('unread')]).acknowledges, false)
  const audit = auditGroup(a, b, [without('absent')])
  assert.deepEqual([kinds(audit), audit.acknowledges, audit.isReconciled], [[''], true, false])
})

test('set_fault and clear_fault: a group is away while a site of lower priority leads it', () => {
  assert.equal(auditGroup(a, b, []).isAway, true)
  assert.equal(auditGroup(a, { ...b, leaderId: 'a' }, []).isAway, false)
  assert.equal(auditGroup(b, { ...a, migrationStatus: 'complete' }, []).isAway, false)
})

test('two sites that both took the group over follow the one that took members in last, and never each other', () => {
  const leads = (copy: GroupCopy): GroupCopy => ({ ...copy, leaderId: copy.siteId, migrationStatus: 'complete' })
  const views = (own: number, other: number): AuditedMember[] => [
    {
      name: 's1',
      local: { ...pending, ownerEpoch: own },
      remote: { kind: 'member', view: { ...pending, ownerEpoch: other } },
    },
  ]
  for (const [onA, onB, leader] of [
    [2, 3, 'b'],
    [4, 3, 'a'],
    [1, 1, 'a'],
  ] as const) {
    const fromA = auditGroup(leads(a), leads(b), views(onA, onB)).follow ?? 'a'
    const fromB = auditGroup(leads(b), leads(a), views(onB, onA)).follow ?? 'b'
    assert.deepEqual([fromA, fromB], [leader, leader])
  }
})

test('a site that leads, and whose own batch is known everywhere, follows whoever takes over now', () =>
  assert.equal(auditGroup({ ...a, migrationStatus: undefined }, b, [member('s1', failed)]).follow, 'b'))

test('an edit of the primary site waits for its sync where there is only a copy, and is fetched by one who hands over', () => {
  const lead: GroupCopy = { ...a, migrationStatus: 'complete' }
  const edited: MemberView = { ...managed, values: { a: 2 }, ownerEpoch: 4 }
  const onB = (deployStatus: string): AuditedMember => ({
    name: 's1',
    local: { ...pending, deployStatus, ownerEpoch: 4 },
    remote: { kind: 'member', view: edited },
  })
  const copy = auditGroup({ ...b, leaderId: 'a', migrationStatus: undefined }, lead, [onB('secondary')])
  assert.deepEqual([kinds(copy), copy.isReconciled], [[''], false])
  const handing = auditGroup({ ...b, leaderId: 'a', migrationStatus: undefined }, lead, [onB('rehome-pending')])
  assert.deepEqual(kinds(handing), ['take-values'])
})
