import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeWork } from '@godwit/store'
import { PeerRefused, type RemoteGroup } from '../src/peer/peer-site.ts'
import { type Api, fakePeer, PEER_UUID, SITE_UUID, startApi } from './api.ts'
import {
  answered,
  base64,
  CANARIES,
  everything,
  givenAssociation,
  givenGroup,
  givenMember,
  givenPeer,
  givenSubcloud,
  NON_PRIMARY,
  rowOf,
  rowsOf,
  SECONDARY,
} from './fixture.ts'

const GROUPS = '/subcloud-peer-groups'
const NEW = { 'peer-group-name': 'north' }
const long = 'x'.repeat(256)
const PASSWORD = { sysadmin_password: base64(CANARIES.sysadmin) }

const asPeer = async (api: Api) => ({ 'x-auth-token': await api.tokenOf('peer') })

const taken = (api: Api, queue: string) =>
  api.database.transaction(async sql =>
    (await takeWork(sql, { queue, holder: 'h', leaseMs: 1, limit: 9 })).map(({ key }) => key),
  )

test('SPG post defaults: the local leader, priority 0, enabled, 10 at once', async t => {
  const api = await startApi(t)
  const { status, body } = await answered(api.call('POST', `${GROUPS}/`, NEW))
  assert.equal(status, 200)
  const { 'created-at': created, ...rest } = body
  assert.equal(typeof created, 'string')
  assert.deepEqual(rest, {
    id: 1,
    peer_group_name: 'north',
    group_priority: 0,
    group_state: 'enabled',
    max_subcloud_rehoming: 10,
    system_leader_id: SITE_UUID,
    system_leader_name: 'site-a',
    migration_status: null,
    'updated-at': null,
  })
  for (const ref of ['1', 'north']) assert.deepEqual((await answered(api.call('GET', `${GROUPS}/${ref}`))).body, body)
  assert.deepEqual((await answered(api.call('GET', GROUPS))).body, { subcloud_peer_groups: [body] })
})

const BAD: Readonly<Record<string, readonly unknown[]>> = {
  'peer-group-name': ['', 'none', 'NONE', '123', 'a.b', 'a*', 'a^', long, 7],
  'group-priority': [-1, 65_537, 'first', 1.5, ''],
  'group-state': ['', 'on', 1],
  'max-subcloud-rehoming': [0, 251, 'many', ''],
  'system-leader-id': ['', 'leader', 1],
  'system-leader-name': ['', '12', long],
}

for (const [field, values] of Object.entries(BAD))
  test(`SPG post and patch invalid ${field}: 400, nothing written`, async t => {
    const api = await startApi(t)
    await givenGroup(api)
    const before = await everything(api)
    for (const value of values) {
      const post = await answered(api.call('POST', GROUPS, { ...NEW, [field]: value }))
      const patch = await answered(api.call('PATCH', `${GROUPS}/g`, { [field]: value }))
      for (const { status, text } of [post, patch]) {
        assert.equal(status, 400, `${field} ${JSON.stringify(value)}`)
        assert.match(text, new RegExp(`\nInvalid ${field}\n`))
      }
    }
    assert.deepEqual(await everything(api), before)
  })

test('SPG post: a name is required, and a second of the same name is refused with 409', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  for (const body of [undefined, {}, [], '{', { 'group-priority': 1 }])
    assert.equal((await api.call('POST', GROUPS, body)).status, 400, JSON.stringify(body))
  assert.equal((await api.call('POST', GROUPS, { 'peer-group-name': 'g' })).status, 409)
  assert.equal((await rowsOf(api, 'subcloud_peer_group')).length, 1)
})

test('SPG get unknown: 404; unknown verb: 400', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  for (const path of ['/9', '/x', '/x/subclouds', '/x/status', '/x/tombstones']) {
    const { status, text } = await answered(api.call('GET', `${GROUPS}${path}`))
    assert.deepEqual([status, text.includes('Subcloud Peer Group not found')], [404, true], path)
  }
  assert.equal((await api.call('GET', `${GROUPS}/g/other`)).status, 400)
})

test('SPG status multi states: each member is counted where it belongs', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  const states = ['complete', 'secondary', 'rehoming', 'rehome-failed', 'rehome-prep-failed', 'pre-rehome']
  for (const [index, state] of [...states, 'rehome-pending'].entries())
    await givenSubcloud(api, index + 1, { ...SECONDARY, deploy_status: state, peer_group_id: 1 })
  await givenSubcloud(api, 9, { peer_group_id: 1 })
  assert.deepEqual((await answered(api.call('GET', `${GROUPS}/g/status`))).body, {
    peer_group_id: 1,
    peer_group_name: 'g',
    total_subclouds: 8,
    complete: 2,
    waiting_for_migrate: 1,
    rehoming: 1,
    rehome_failed: 2,
    managed: 1,
    unmanaged: 7,
  })
})

/** The peer as it was told, and what it knows. */
function recordingPeer(refuse: (name: string) => Error | undefined = () => undefined) {
  const told: unknown[] = []
  const updateGroup = async (name: string, changes: Partial<RemoteGroup>) => {
    const error = refuse(name)
    if (error) throw error
    told.push([name, changes])
  }
  return { told, peerSite: () => fakePeer({ updateGroup }) }
}

test('SPG patch rename: the available peer is changed first, then this site', async t => {
  const { told, peerSite } = recordingPeer()
  const api = await startApi(t, { peerSite })
  await givenMember(api)
  const change = { 'peer-group-name': 'h', 'max-subcloud-rehoming': '20' }
  const { body } = await answered(api.call('PATCH', `${GROUPS}/g`, change))
  assert.deepEqual([body['peer_group_name'], body['max_subcloud_rehoming']], ['h', 20])
  assert.deepEqual(told, [['g', { name: 'h', state: 'enabled', maxRehoming: 20 }]])
})

test('SPG patch: what does not differ is written nowhere', async t => {
  const { told, peerSite } = recordingPeer()
  const api = await startApi(t, { peerSite })
  await givenMember(api)
  const before = await everything(api)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'group-state': 'enabled' })).status, 200)
  assert.deepEqual([told, await everything(api)], [[], before])
})

for (const [what, peer, refuse] of [
  ['is not available', { availability_state: 'unavailable' }, () => undefined],
  ['was never reached', { availability_state: 'created' }, () => undefined],
  ['refuses', {}, () => new PeerRefused(400, 'no')],
] as const)
  test(`SPG patch unable to sync: the peer ${what}, so 403 and nothing changed here`, async t => {
    const api = await startApi(t, recordingPeer(refuse))
    await givenMember(api, { peer })
    const before = await everything(api)
    assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'group-state': 'disabled' })).status, 403)
    assert.deepEqual(await everything(api), before)
  })

test('SPG patch rename that was cut off between the two sites is finished by repeating it', async t => {
  const { told, peerSite } = recordingPeer(name => (name === 'g' ? new PeerRefused(404, 'not found') : undefined))
  const api = await startApi(t, { peerSite })
  await givenMember(api)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'peer-group-name': 'h' })).status, 200)
  assert.deepEqual(told, [['h', { name: 'h', state: 'enabled', maxRehoming: 10 }]])
})

test('SPG patch: tombstones go with the name', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  const stone = { peer_group_name: 'g', region_name: 'r', name: 's', owner_epoch: 1, created_at: 'x' }
  await api.database.transaction(sql =>
    sql.run(
      `insert into tombstone (version, ${Object.keys(stone).join()}) values (1, ?, ?, ?, ?, ?)`,
      Object.values(stone),
    ),
  )
  await api.call('PATCH', `${GROUPS}/g`, { 'peer-group-name': 'h' })
  assert.deepEqual((await answered(api.call('GET', `${GROUPS}/h/tombstones`))).body, {
    tombstones: [{ 'region-name': 'r', name: 's', 'owner-epoch': 1 }],
  })
})

test('SPG patch: nothing given, nothing known, or a name that is taken', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  await givenGroup(api, { peer_group_name: 'h' })
  for (const body of [undefined, {}, [], '{', { unknown: 1 }])
    assert.equal((await api.call('PATCH', `${GROUPS}/g`, body)).status, 400, JSON.stringify(body))
  assert.equal((await api.call('PATCH', `${GROUPS}/x`, {})).status, 404)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'peer-group-name': 'h' })).status, 409)
})

test('SPG patch non-primary: refused for operators, not for the peer', async t => {
  const api = await startApi(t)
  await givenMember(api, NON_PRIMARY)
  const change = { 'group-state': 'disabled' }
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, change)).status, 400)
  const { body } = await answered(api.call('PATCH', `${GROUPS}/g`, change, await asPeer(api)))
  assert.equal(body['group_state'], 'disabled')
})

test('SPG patch: the priority of a primary group is not raised, which would lock its site out', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'group-priority': 2 })).status, 400)
  assert.equal((await rowOf(api, 'subcloud_peer_group'))['group_priority'], 0)
})

test('SPG patch: the peer forgets a migration that has ended, with null or with the word none', async t => {
  const api = await startApi(t)
  await givenMember(api)
  for (const status of [null, 'none', 'NONE']) {
    await api.database.transaction(sql => sql.run(`update subcloud_peer_group set migration_status = 'complete'`))
    const { body } = await answered(api.call('PATCH', `${GROUPS}/g`, { migration_status: status }, await asPeer(api)))
    assert.equal(body['migration_status'], null)
  }
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { migration_status: 'moving' })).status, 400)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { migration_status: 'migrating' })).status, 409)
})

test('SPG patch: the peer neither ends a migration of this site nor takes the group back unseen', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: SECONDARY })
  await api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD)
  await api.database.transaction(sql => sql.run(`update subcloud_peer_group set migration_status = 'migrating'`))
  const peer = await asPeer(api)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { migration_status: null }, peer)).status, 409)
  assert.equal((await api.call('PATCH', `${GROUPS}/g`, { 'system-leader-id': PEER_UUID }, peer)).status, 409)
  assert.equal((await rowOf(api, 'subcloud_peer_group'))['migration_status'], 'migrating')
})

test('SPG migrate ok: one batch with the members that can be moved, and its work is due', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  const states = ['secondary', 'rehome-failed', 'rehome-prep-failed', 'complete', 'rehome-pending']
  for (const [index, state] of states.entries())
    await givenSubcloud(api, index + 1, { ...SECONDARY, deploy_status: state, peer_group_id: 1 })
  const { status, body, text } = await answered(api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD))
  assert.equal(status, 200)
  const picked = body['subclouds'] as readonly { name: string }[]
  assert.deepEqual(
    picked.map(({ name }) => name),
    ['s1', 's2', 's3'],
  )
  const [batch, ...others] = await rowsOf(api, 'batch')
  assert.deepEqual([batch?.['operation_id'], batch?.['requested_by'], others], [body['operation_id'], 'admin', []])
  assert.deepEqual(
    (await rowsOf(api, 'batch_member')).map(row => row['name']),
    ['s1', 's2', 's3'],
  )
  assert.deepEqual(await taken(api, 'batch'), ['1'])
  for (const canary of Object.values(CANARIES))
    assert.equal(text.includes(canary) || text.includes(base64(canary)), false)
})

const noData = { rehome_data: null }
const noPayload = { rehome_data: '{"saved_payload":{}}' }
const noAddress = { rehome_data: '{"saved_payload":{"name":"s2"}}' }
for (const [what, row, reason] of [
  ['without rehome data', noData, /subcloud s2 has no rehome_data/],
  ['with an empty payload', noPayload, /subcloud s2 has no bootstrap values/],
  ['without a bootstrap address', noAddress, /subcloud s2 has no bootstrap-address/],
  ['that is pre-rehome', { deploy_status: 'pre-rehome' }, /subcloud s2 is pre-rehome/],
  ['that is rehoming', { deploy_status: 'rehoming' }, /subcloud s2 is rehoming/],
] as const)
  test(`SPG migrate with a member ${what}: 500 that names each of them, and nothing begins`, async t => {
    const api = await startApi(t)
    await givenGroup(api)
    await givenSubcloud(api, 1, { ...SECONDARY, peer_group_id: 1 })
    await givenSubcloud(api, 2, { ...SECONDARY, peer_group_id: 1, ...row })
    await givenSubcloud(api, 3, { ...SECONDARY, peer_group_id: 1, ...noData })
    const { status, text } = await answered(api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD))
    assert.equal(status, 500)
    assert.match(text, reason)
    assert.match(text, /subcloud s3 has no rehome_data/)
    assert.deepEqual(await rowsOf(api, 'batch'), [])
  })

test('SPG migrate all complete: 400; without a password, or one that is not base64: 400; of no group: 404', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const { status, text } = await answered(api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD))
  assert.deepEqual([status, text.includes('No subcloud of the group g can be migrated')], [400, true])
  for (const body of [undefined, {}, '{', { other: 1 }, { sysadmin_password: '' }, { sysadmin_password: 'no base64!' }])
    assert.equal((await api.call('PATCH', `${GROUPS}/g/migrate`, body)).status, 400, JSON.stringify(body))
  assert.equal((await api.call('PATCH', `${GROUPS}/x/migrate`, PASSWORD)).status, 404)
})

test('SPG migrate while the group is migrated: 409 that names the operation, never dropped (H3)', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: SECONDARY })
  const first = await answered(api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD))
  const second = await answered(api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD))
  assert.equal(second.status, 409)
  assert.ok(second.text.includes(String(first.body['operation_id'])))
  assert.equal((await rowsOf(api, 'batch')).length, 1)
})

const AUDIT = {
  peer_uuid: PEER_UUID,
  peer_group_name: 'g',
  group_priority: 1,
  group_state: 'enabled',
  system_leader_id: PEER_UUID,
  system_leader_name: 'site-b',
  migration_status: 'complete',
}

for (const key of Object.keys(AUDIT))
  test(`SPG audit without ${key}: 400`, async t => {
    const api = await startApi(t)
    await givenMember(api)
    const { [key as keyof typeof AUDIT]: _, ...rest } = AUDIT
    const { status, text } = await answered(api.call('PATCH', `${GROUPS}/g/audit`, rest))
    assert.deepEqual([status, text.includes(`Missing ${key}`)], [400, true])
  })

test('SPG audit: the association becomes work; who is not monitored, and what is not known, is told', async t => {
  const api = await startApi(t)
  await givenMember(api, { association: { audited_ms: 5 } })
  const ask = async (body: unknown) => (await answered(api.call('PATCH', `${GROUPS}/g/audit`, body))).body['message']
  assert.equal(await ask(AUDIT), null)
  assert.deepEqual(
    [await taken(api, 'association'), (await rowOf(api, 'peer_group_association'))['audited_ms']],
    [['1'], null],
  )
  assert.match(String(await ask({ ...AUDIT, peer_uuid: SITE_UUID })), /not monitored/)
  assert.match(String(await ask({ ...AUDIT, peer_group_name: 'x' })), /not known/)
})

test('SPG delete associated: 400 with the text that peers look for; otherwise its subclouds stay', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const { status, text } = await answered(api.call('DELETE', `${GROUPS}/g`))
  assert.equal(status, 400)
  assert.match(text, /a peer group which is associated with a system peer/)
  await api.database.transaction(sql => sql.run('delete from peer_group_association'))
  assert.deepEqual(await (await api.call('DELETE', `${GROUPS}/g`)).json(), null)
  assert.equal((await rowOf(api, 'subcloud'))['peer_group_id'], null)
  assert.equal((await api.call('DELETE', `${GROUPS}/g`)).status, 404)
})

test('SP get with its SPGs; SP delete existing association: 400', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const { body } = await answered(api.call('GET', '/system-peers/site-b/subcloud-peer-groups'))
  assert.deepEqual(body, { subcloud_peer_groups: [(await answered(api.call('GET', `${GROUPS}/g`))).body] })
  assert.equal((await api.call('DELETE', '/system-peers/1')).status, 400)
  assert.equal((await api.call('GET', '/system-peers/9/subcloud-peer-groups')).status, 404)
})

test('SP patch of the gateway: the associations are out-of-sync, and the answer says which to sync', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const same = await answered(api.call('PATCH', '/system-peers/1', { peer_controller_gateway_address: '192.0.2.1' }))
  assert.equal(same.body['info_message'], undefined)
  const { body } = await answered(
    api.call('PATCH', '/system-peers/1', { peer_controller_gateway_address: '192.0.2.7' }),
  )
  assert.match(String(body['info_message']), /associations: 1$/)
  assert.equal((await rowOf(api, 'peer_group_association'))['sync_status'], 'out-of-sync')
  assert.deepEqual([await taken(api, 'association'), await taken(api, 'peer')], [['1'], ['1']])
})

test('of two migrates at the same time one begins', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: SECONDARY })
  const answers = await Promise.all([1, 2, 3].map(() => api.call('PATCH', `${GROUPS}/g/migrate`, PASSWORD)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409])
})

test('a group with a peer of another group is not theirs to audit', async t => {
  const api = await startApi(t)
  await givenPeer(api)
  await givenGroup(api)
  await givenGroup(api, { peer_group_name: 'h' })
  await givenAssociation(api, { peer_group_id: 2 })
  const { body } = await answered(api.call('PATCH', `${GROUPS}/g/audit`, AUDIT))
  assert.match(String(body['message']), /not known/)
})
