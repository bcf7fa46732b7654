import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignCopy, localMember, remoteCopy, UUIDS } from '../../test/remote-copy.ts'
import type { RemoteGroup, RemoteSubcloud } from '../peer/peer-site.ts'
import { auditGroup } from './group.ts'
import { auditedMembers, contentDifferences, type RemoteCopy } from './views.ts'

const { a, b } = UUIDS
const group: RemoteGroup = {
  id: 7,
  name: 'g',
  priority: 1,
  state: 'enabled',
  maxRehoming: 10,
  leaderId: b,
  leaderName: 'site-b',
  migrationStatus: 'complete',
}
const copyOf = (members: readonly RemoteSubcloud[], rest: Partial<RemoteCopy> = {}): RemoteCopy => ({
  siteId: b,
  group,
  members,
  tombstones: [],
  syncStatus: 'in-sync',
  ...rest,
})
const own = { siteId: a, priority: 0, leaderId: a, migrationStatus: undefined }
const MANAGED = { deployStatus: 'complete', managementState: 'managed' } as const

/** What the audit does with one member of a peer that counts neither epochs nor edits. */
function effects(remote: Partial<RemoteSubcloud>, rest: Partial<RemoteCopy> = {}) {
  const local = localMember({ deployStatus: 'rehome-pending', managementState: 'unmanaged' })
  const copy = copyOf([foreignCopy(local, remote)], rest)
  const { members } = auditGroup(own, { ...copy.group, siteId: b }, auditedMembers([local], copy))
  return members[0]?.effects.map(effect => ('to' in effect ? effect.to : effect.kind))
}

test('another implementation that leads, and manages a member, has it', () =>
  assert.deepEqual(effects(MANAGED), ['secondary', 'adopt-epoch']))

test('its failure is a failure here', () =>
  assert.deepEqual(effects({ deployStatus: 'rehome-failed' }), ['rehome-failed']))

test('what it neither has nor tried for stays ours, and so does everything while it does not lead', () => {
  assert.deepEqual(effects({}), [])
  assert.deepEqual(effects(MANAGED, { group: { ...group, leaderId: a, migrationStatus: undefined } }), [])
})

test('its edit comes home when its association says that there is one, and it manages the member', () => {
  const edited = {
    ...MANAGED,
    rehomeData: { ...remoteCopy(localMember()).rehomeData, 'bootstrap-address': '10.2.1.9' },
  }
  assert.deepEqual(effects(edited, { syncStatus: 'out-of-sync' }), ['secondary', 'adopt-epoch', 'take-values'])
  assert.deepEqual(effects(edited), ['secondary', 'adopt-epoch'])
})

test('a member that is there counts before the memory that it was gone', () => {
  const local = localMember()
  const tombstones = [{ region: local.region, name: 's1', ownerEpoch: 9 }]
  assert.equal(auditedMembers([local], copyOf([remoteCopy(local)], { tombstones }))[0]?.remote.kind, 'member')
  assert.equal(auditedMembers([local], copyOf([], { tombstones }))[0]?.remote.kind, 'deleted')
  assert.equal(auditedMembers([local], copyOf([]))[0]?.remote.kind, 'absent')
})

test('what differs beyond ownership is named, with its member', () => {
  const [s1, s2, s3] = [localMember(), localMember({}, 2), localMember({}, 3)]
  const copy = copyOf([remoteCopy(s1, { location: 'x' }), remoteCopy(s2, { name: 'other' })])
  const options = { taken: new Set<string>(), gateway: undefined }
  assert.deepEqual(contentDifferences([s1, s3], copy, options), [
    's1 differs in its location',
    'other is a member on the other site only',
    's3 is not a member on the other site',
  ])
  assert.deepEqual(
    contentDifferences([s1], copyOf([remoteCopy(s1, { location: 'x' })]), { ...options, taken: new Set([s1.region]) }),
    [],
  )
  assert.deepEqual(contentDifferences([s1], copyOf([remoteCopy(s1)]), { ...options, gateway: '192.168.205.7' }), [
    's1 differs in its gateway',
  ])
})
