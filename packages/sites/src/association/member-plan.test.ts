import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignCopy, localMember, PEER_GATEWAY, remoteCopy, UUIDS } from '../../test/remote-copy.ts'
import { REHOME_STATES } from '../model/states.ts'
import type { RemoteSubcloud } from '../peer/peer-site.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import { planMember, planSurplus } from './member-plan.ts'
import { replicaDifferences, replicaForm } from './replica.ts'

const OPTIONS = { gateway: PEER_GATEWAY, remoteGroupId: 7 }
const { a, b } = UUIDS

const TABLE: readonly (readonly [string, Partial<Subcloud>, Partial<RemoteSubcloud>, string])[] = [
  ['an equal copy is left alone', {}, {}, 'nothing'],
  ['one in no group joins it', {}, { peerGroupId: undefined }, 'join'],
  ['one of another group joins this one', {}, { peerGroupId: 8 }, 'join'],
  ['an edit that was made here is carried', { values: { [a]: 2 } }, {}, 'update'],
  ['another description is carried', { description: 'new' }, {}, 'update'],
  ['another gateway is carried', {}, { rehomeData: { systemcontroller_gateway_address: '192.168.205.60' } }, 'update'],
  ['a copy that was half made is made whole', {}, { deployStatus: 'secondary-failed' }, 'update'],
  ['a failed one may be written over', { values: { [a]: 2 } }, { deployStatus: 'rehome-failed' }, 'update'],
  ['a renamed one is made again', { name: 'new' }, { name: 's1' }, 'replace'],
  ['an edit over there is not written over', {}, { valuesVersion: { [a]: 1, [b]: 1 } }, 'error'],
  [
    'nor is one of two that did not see each other',
    { values: { [a]: 2 } },
    { valuesVersion: { [a]: 1, [b]: 1 } },
    'error',
  ],
  ['without values nothing is carried', { savedPayload: undefined }, {}, 'error'],
  [
    'without an address neither',
    { savedPayload: { systemcontroller_gateway_address: '192.168.204.101' } },
    {},
    'error',
  ],
]
for (const [what, local, remote, kind] of TABLE)
  test(`sync of a member: ${what}`, () => {
    const member = localMember(local)
    assert.equal(planMember(member, remoteCopy(localMember(), remote), OPTIONS).kind, kind)
  })

test('sync of a member: what is not there is added', () =>
  assert.equal(planMember(localMember(), undefined, OPTIONS).kind, 'add'))

test('sync of a member: only copies are written over, in every state that a subcloud has on its way', () => {
  const member = localMember({ description: 'new' })
  const kinds = [...REHOME_STATES, 'complete', 'installing'].map(deployStatus => [
    deployStatus,
    planMember(member, remoteCopy(localMember(), { deployStatus }), OPTIONS).kind,
  ])
  assert.deepEqual(
    kinds.filter(([, kind]) => kind === 'update').map(([deployStatus]) => deployStatus),
    ['secondary', 'secondary-failed', 'rehome-prep-failed', 'rehome-failed'],
  )
})

test('what only the other site has is taken away when it is a copy, and buried here, and not tried for since', () => {
  const gone = localMember()
  const stone = (ownerEpoch: number) => [{ groupName: 'g', region: gone.region, name: 's1', ownerEpoch }]
  const kind = (remote: Partial<RemoteSubcloud>, stones = stone(1)) =>
    planSurplus([], [remoteCopy(gone, remote)], stones)[0]?.kind
  assert.equal(kind({}), 'delete')
  assert.equal(kind({}, []), 'error')
  assert.equal(kind({ deployStatus: 'complete', managementState: 'managed' }), 'error')
  assert.equal(kind({ deployStatus: 'rehome-failed', ownerEpoch: 3 }), 'error')
  assert.equal(kind({ deployStatus: 'rehome-failed' }), 'delete')
  assert.deepEqual(planSurplus([gone], [remoteCopy(gone)], stone(1)), [])
})

test('equal copies differ in the gateway and in secrets, and texts that stand for none are none', () => {
  const local = localMember({ description: '' })
  const { admin_password: _, ...shown } = remoteCopy(local).rehomeData ?? {}
  assert.deepEqual(
    replicaDifferences(local, remoteCopy(local, { rehomeData: shown, description: 'No description provided' })),
    [],
  )
  assert.deepEqual(replicaDifferences(local, remoteCopy(local, { rehomeData: undefined, location: 'x' })), [
    'location',
    'bootstrap values',
  ])
})

test('the copy of another implementation is compared by what this site has', () => {
  const local = localMember()
  assert.deepEqual(replicaDifferences(local, foreignCopy(local)), [])
  assert.equal(planMember(local, foreignCopy(local), OPTIONS).kind, 'nothing')
  const edited = { ...localMember(), savedPayload: { ...local.savedPayload, 'bootstrap-address': '10.2.1.9' } }
  assert.deepEqual(replicaDifferences(edited, foreignCopy(local)), ['bootstrap values'])
  assert.equal(planMember(edited, foreignCopy(local), OPTIONS).kind, 'update')
})

test('a form spells the address as each request wants it, and gives the copy its own gateway', () => {
  const member = localMember({ installValues: { image: 'x' } })
  const add = replicaForm(member, PEER_GATEWAY, 'add')
  const update = replicaForm(member, PEER_GATEWAY, 'update')
  assert.deepEqual([add.fields['bootstrap-address'], update.fields['bootstrap_address']], ['10.2.1.5', '10.2.1.5'])
  assert.deepEqual([add.fields['secondary'], add.fields['region_name']], ['true', member.region])
  assert.match(add.files['bootstrap_values'] ?? '', /systemcontroller_gateway_address: 192\.168\.205\.101/)
  assert.deepEqual(Object.keys(update.files), ['bootstrap_values', 'install_values'])
})
