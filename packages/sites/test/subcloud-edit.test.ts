import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '@godwit/store'
import { type Api, fakePeer, PEER_UUID, SITE_UUID, startApi } from './api.ts'
import {
  base64,
  CANARIES,
  everything,
  givenGroup,
  givenMember,
  givenSubcloud,
  NON_PRIMARY,
  type Parts,
  rowOf,
  rowsOf,
  SECONDARY,
  valuesOf,
} from './fixture.ts'
import { ask } from './subcloud-form.ts'

const fields = (given: Readonly<Record<string, string>>): Parts => ({ fields: given })
const patch = (api: Api, parts: Parts, user?: string) => ask(api, 'PATCH', '/s1', parts, user)
const payload = (row: Row) => JSON.parse(String(row['rehome_data'])).saved_payload as Record<string, unknown>
const version = (row: Row) => JSON.parse(String(row['values_version']))
const status = async (api: Api) => (await rowOf(api, 'peer_group_association'))['sync_status']

type Given = Parameters<typeof givenMember>[1]
const FAILED_COPY: Given = {
  ...NON_PRIMARY,
  group: { ...NON_PRIMARY.group, system_leader_id: SITE_UUID },
  peer: { availability_state: 'unavailable' },
  subcloud: { ...SECONDARY, deploy_status: 'rehome-failed' },
}
const ADDRESS = fields({ bootstrap_address: '10.2.1.9' })

test('seed: patch bootstrap_address, SPG prio 1, rehome-failed, peer unavailable: 200, PGA out-of-sync here', async t => {
  const api = await startApi(t)
  await givenMember(api, FAILED_COPY)
  const { status: code, body, text } = await patch(api, ADDRESS)
  assert.equal(code, 200, text)
  assert.equal(body['info_message'], undefined)
  const row = await rowOf(api, 'subcloud')
  assert.deepEqual([payload(row)['bootstrap-address'], payload(row)['name']], ['10.2.1.9', 's1'])
  assert.deepEqual(version(row), { [SITE_UUID]: 2 })
  assert.equal(await status(api), 'out-of-sync')
})

test('seed: the same with the peer available: 400, PGA stays in-sync', async t => {
  const api = await startApi(t)
  await givenMember(api, { ...FAILED_COPY, peer: { availability_state: 'available' } })
  const before = await everything(api)
  assert.equal((await patch(api, ADDRESS)).status, 400)
  assert.deepEqual(await everything(api), before)
})

test('seed: bootstrap values may be edited there too, and nothing with them', async t => {
  const api = await startApi(t)
  await givenMember(api, FAILED_COPY)
  const before = await everything(api)
  for (const other of ['description', 'location', 'group_id', 'name', 'management-state']) {
    const value = other === 'management-state' ? 'managed' : '1'
    const answer = await patch(api, fields({ bootstrap_address: '10.2.1.9', [other]: other === 'name' ? 's9' : value }))
    assert.equal(answer.status, 400, other)
  }
  assert.deepEqual(await everything(api), before)
  const values = { files: { bootstrap_values: valuesOf(1, { admin_password: CANARIES.admin, extra: 1 }) } }
  assert.equal((await patch(api, values)).status, 200)
  const kept = payload(await rowOf(api, 'subcloud'))
  assert.deepEqual([kept['extra'], kept['bootstrap-address']], [1, '10.2.1.5'], 'the address is kept')
  assert.equal(kept['admin_password'], base64(CANARIES.admin))
})

const primary: Given = {}
const ledThere: Given = { group: { system_leader_id: PEER_UUID } }
const join = fields({ peer_group: 'g' })
const both: Parts = { fields: { bootstrap_address: '10.2.1.9' }, files: { bootstrap_values: valuesOf(1) } }
const out = { peer_group_id: null }

/** Situation, what is there, the request, the text. All of them are refused with 400. */
const RULES: readonly (readonly [string, Given, Parts, RegExp])[] = [
  ['peer_group=none, leader elsewhere', ledThere, fields({ peer_group: 'none' }), /site that leads the group only/],
  [
    'peer_group=none, SPG priority above 0, peer available',
    { ...FAILED_COPY, peer: { availability_state: 'available' } },
    fields({ peer_group: 'none' }),
    /while the primary site is unavailable only/,
  ],
  ['peer_group without data', { subcloud: { ...out, rehome_data: null } }, join, /needs bootstrap values/],
  [
    'peer_group with an address only',
    { subcloud: { ...out, rehome_data: null } },
    fields({ peer_group: 'g', bootstrap_address: '10.2.1.9' }),
    /needs bootstrap values/,
  ],
  [
    'peer_group with values only',
    { subcloud: { ...out, rehome_data: null } },
    { fields: { peer_group: 'g' }, files: { bootstrap_values: valuesOf(1) } },
    /needs bootstrap values/,
  ],
  ['peer_group unknown', { subcloud: out }, fields({ peer_group: 'x' }), /does not exist/],
  ['peer_group of priority above 0', { ...NON_PRIMARY, subcloud: out }, join, /on the primary site/],
  ['peer_group led elsewhere', { ...ledThere, subcloud: out }, join, /site that leads the peer group only/],
  [
    'peer_group, unmanaged',
    { subcloud: { ...out, management_state: 'unmanaged' } },
    join,
    /complete, managed and online/,
  ],
  [
    'peer_group, offline',
    { subcloud: { ...out, availability_status: 'offline' } },
    join,
    /complete, managed and online/,
  ],
  ['values on a copy that has not failed', { ...FAILED_COPY, subcloud: SECONDARY }, ADDRESS, /rehome-failed/],
  ['any field on a copy', FAILED_COPY, fields({ description: 'x' }), /not allowed on a non-primary site/],
  ['a member that is led elsewhere', ledThere, fields({ description: 'x' }), /leads the group only/],
  ['management-state of a member', primary, fields({ 'management-state': 'unmanaged' }), /cannot be changed/],
  [
    'migrate of a member',
    { subcloud: { management_state: 'unmanaged' } },
    fields({ migrate: 'true' }),
    /by a migration only/,
  ],
]
for (const [what, given, parts, text] of RULES)
  test(`subcloud patch, ${what}: 400, nothing written`, async t => {
    const api = await startApi(t)
    await givenMember(api, given)
    const before = await everything(api)
    const answer = await patch(api, parts)
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.text, text)
    assert.deepEqual(await everything(api), before)
  })

test('subcloud patch moving out of an SPG with priority above 0 to another: 400, also for the peer', async t => {
  const api = await startApi(t)
  await givenMember(api, FAILED_COPY)
  await givenGroup(api, { peer_group_name: 'h' })
  for (const user of ['admin', 'peer']) {
    const { status: code, text } = await patch(api, fields({ peer_group: 'h' }), user)
    assert.deepEqual([code, /Cannot move/.test(text)], [400, true], user)
  }
})

for (const state of ['pre-rehome', 'rehoming'])
  test(`subcloud patch of one that is ${state}: 400, nothing written`, async t => {
    const api = await startApi(t)
    await givenMember(api, { subcloud: { ...SECONDARY, deploy_status: state } })
    const before = await everything(api)
    for (const parts of [ADDRESS, fields({ peer_group: 'none' }), fields({ location: 'x' })])
      assert.equal((await patch(api, parts)).status, 400)
    assert.deepEqual(await everything(api), before)
  })

test('secondary redeploy and prestage are no calls of this service', async t => {
  const api = await startApi(t)
  await givenSubcloud(api, 1, SECONDARY)
  for (const verb of ['redeploy', 'prestage'])
    assert.equal((await ask(api, 'PATCH', `/s1/${verb}`, fields({ sysadmin_password: 'x' }))).status, 404)
})

test('subcloud patch peer_group ok: a member, both copies out-of-sync, and the answer says which to sync', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: { ...out, rehome_data: null } })
  const { status: code, body } = await patch(api, { ...both, fields: { ...both.fields, peer_group: 'g' } })
  assert.deepEqual([code, body['peer_group_id']], [200, 1])
  assert.match(String(body['info_message']), /associations: 1$/)
  assert.equal(await status(api), 'out-of-sync')
})

test('subcloud patch peer_group of a group without association: neither message nor status', async t => {
  const api = await startApi(t)
  await givenGroup(api)
  await givenSubcloud(api)
  const { status: code, body } = await patch(api, join)
  assert.deepEqual([code, body['peer_group_id'], body['info_message']], [200, 1, undefined])
})

test('a member that leaves is remembered by its epoch, until it joins again; the peer leaves no such trace (H6)', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: { owner_epoch: 5 } })
  await patch(api, fields({ peer_group: 'none' }))
  const [stone, ...others] = await rowsOf(api, 'tombstone')
  assert.deepEqual(
    [stone?.['peer_group_name'], stone?.['name'], stone?.['owner_epoch'], others.length],
    ['g', 's1', 5, 0],
  )
  assert.equal(await status(api), 'out-of-sync')
  await patch(api, join)
  assert.deepEqual(await rowsOf(api, 'tombstone'), [])
  await patch(api, fields({ peer_group: 'none' }), 'peer')
  assert.deepEqual([await rowsOf(api, 'tombstone'), (await rowOf(api, 'subcloud'))['peer_group_id']], [[], null])
})

test('an edit of a member where its group is led marks both copies, and counts as an edit', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const { body } = await patch(api, fields({ description: 'north', location: 'pole' }))
  assert.deepEqual([body['description'], body['location']], ['north', 'pole'])
  assert.deepEqual(version(await rowOf(api, 'subcloud')), { [SITE_UUID]: 2 })
  assert.equal(await status(api), 'out-of-sync')
})

test('an edit in sight of the copy on the peer settles a conflict with it (H14)', async t => {
  const subcloud = async () => ({ valuesVersion: { [PEER_UUID]: 4 } }) as never
  const api = await startApi(t, { peerSite: () => fakePeer({ subcloud }) })
  await givenMember(api)
  assert.equal((await patch(api, ADDRESS)).status, 200)
  assert.deepEqual(version(await rowOf(api, 'subcloud')), { [PEER_UUID]: 4, [SITE_UUID]: 2 })
})

test('an edit does not wait for a peer that does not answer', async t => {
  const silent = Promise.withResolvers<void>()
  const subcloud = () => {
    silent.resolve()
    return new Promise<never>(() => undefined)
  }
  const api = await startApi(t, { peerSite: () => fakePeer({ subcloud }) })
  await givenMember(api)
  const answer = patch(api, ADDRESS)
  await silent.promise
  api.clock.advance(5_000)
  assert.equal((await answer).status, 200)
  assert.deepEqual(version(await rowOf(api, 'subcloud')), { [SITE_UUID]: 2 })
})

test('a new gateway of the controller is checked, and becomes that of the subcloud', async t => {
  const api = await startApi(t)
  await givenSubcloud(api)
  const gateway = (address: string) =>
    patch(api, { files: { bootstrap_values: valuesOf(1, { systemcontroller_gateway_address: address }) } })
  for (const bad of ['192.168.204.9', '10.0.0.1', 'x']) assert.equal((await gateway(bad)).status, 400, bad)
  assert.equal((await gateway('192.168.204.200')).body['systemcontroller-gateway-ip'], '192.168.204.200')
})

const unmanaged = { management_state: 'unmanaged' }
const managing = fields({ 'management-state': 'managed' })
const BAD: readonly (readonly [string, Row, Parts, number])[] = [
  ['no part', {}, {}, 400],
  ['nothing known', {}, fields({ unknown: '1' }), 400],
  ['only what goes with something else', {}, fields({ sysadmin_password: 'x' }), 400],
  ['networks', {}, fields({ management_subnet: '10.5.0.0/24' }), 400],
  ['a release', {}, fields({ release: '24.09' }), 400],
  ['a bad management state', {}, fields({ 'management-state': 'lost' }), 400],
  ['a bad address', {}, fields({ bootstrap_address: 'x' }), 400],
  ['a bad group', {}, fields({ group_id: 'x' }), 400],
  ['force that is no flag', unmanaged, fields({ 'management-state': 'managed', force: '1' }), 400],
  ['force without managed', {}, fields({ 'management-state': 'unmanaged', force: 'true' }), 400],
  ['values that are no mapping', {}, { files: { bootstrap_values: 'x' } }, 400],
  ['values of another name', {}, { files: { bootstrap_values: valuesOf(2) } }, 400],
  ['an address without values', { rehome_data: null }, ADDRESS, 422],
  ['a rename of a managed one', {}, fields({ name: 's9' }), 400],
  [
    'a rename of one that is not complete',
    { ...unmanaged, deploy_status: 'create-failed' },
    fields({ name: 's9' }),
    400,
  ],
  ['a rename to the same name', unmanaged, fields({ name: 's1' }), 400],
  ['a rename to a bad name', unmanaged, fields({ name: 'a b' }), 400],
  ['a rename to a name that is taken', unmanaged, fields({ name: 's2' }), 400],
  ['managing a managed one', {}, managing, 422],
  ['managing an offline one', { ...unmanaged, availability_status: 'offline' }, managing, 422],
  ['managing one that is not complete', { ...unmanaged, deploy_status: 'secondary' }, managing, 422],
  ['unmanaging an unmanaged one', unmanaged, fields({ 'management-state': 'unmanaged' }), 422],
  ['migrate of a managed one', {}, fields({ migrate: 'true' }), 400],
  ['migrate of one that is not complete', SECONDARY, fields({ migrate: 'true' }), 400],
]
for (const [what, row, parts, code] of BAD)
  test(`subcloud patch with ${what}: ${code}, nothing written`, async t => {
    const api = await startApi(t)
    await givenSubcloud(api, 1, row)
    await givenSubcloud(api, 2)
    const before = await everything(api)
    const answer = await patch(api, parts)
    assert.equal(answer.status, code, answer.text)
    for (const canary of Object.values(CANARIES)) assert.equal(answer.text.includes(canary), false)
    assert.deepEqual(await everything(api), before)
  })

test('a rename is of the data for the rehome too', async t => {
  const api = await startApi(t)
  await givenSubcloud(api, 1, unmanaged)
  assert.equal((await patch(api, fields({ name: 's9' }))).body['name'], 's9')
  assert.equal(payload(await rowOf(api, 'subcloud'))['name'], 's9')
})

test('unmanage with migrate an online subcloud: rehome-pending, endpoints unknown; and managed again while offline', async t => {
  const api = await startApi(t)
  await givenSubcloud(api)
  await api.database.transaction(sql =>
    sql.run(`insert into subcloud_status (subcloud_id, endpoint_type, sync_status) values (1, 'platform', 'in-sync')`),
  )
  const { body } = await patch(api, fields({ 'management-state': 'unmanaged', migrate: 'true' }))
  assert.deepEqual([body['management-state'], body['deploy-status']], ['unmanaged', 'rehome-pending'])
  assert.deepEqual(body['endpoint_sync_status'], [{ endpoint_type: 'platform', sync_status: 'unknown' }])
  await api.database.transaction(sql => sql.run(`update subcloud set availability_status = 'offline'`))
  const back = await patch(api, managing)
  assert.deepEqual([back.body['management-state'], back.body['deploy-status']], ['managed', 'complete'])
})

test('an offline subcloud is managed by force', async t => {
  const api = await startApi(t)
  await givenSubcloud(api, 1, { ...unmanaged, availability_status: 'offline' })
  assert.equal((await patch(api, fields({ 'management-state': 'managed', force: 'TRUE' }))).status, 200)
})

test('the region names a subcloud for the peer, and its name for both; what is not there is 404', async t => {
  const api = await startApi(t)
  await givenSubcloud(api)
  const region = '1'.padStart(32, '0')
  const found = async (user: string, ref: string) => (await ask(api, 'GET', `/${ref}`, undefined, user)).status
  assert.deepEqual([await found('peer', region), await found('peer', 's1'), await found('peer', '1')], [200, 200, 200])
  assert.deepEqual(
    [await found('admin', region), await found('admin', 's1'), await found('admin', '1')],
    [404, 200, 200],
  )
  const { status: code, text } = await ask(api, 'PATCH', '/s7', fields({ description: 'x' }))
  assert.deepEqual([code, text.includes('Subcloud not found')], [404, true])
})

test('a JSON body will do for an edit', async t => {
  const api = await startApi(t)
  await givenSubcloud(api)
  assert.equal((await api.call('PATCH', '/subclouds/s1', { description: 'json', group_id: 1 })).status, 200)
  for (const body of [undefined, '{', [], {}])
    assert.equal((await api.call('PATCH', '/subclouds/s1', body)).status, 400)
})

test('an operator manages and does nothing else; a reader reads', async t => {
  const api = await startApi(t)
  await givenSubcloud(api, 1, unmanaged)
  const asked = async (user: string, parts: Parts) => (await patch(api, parts, user)).status
  assert.equal(await asked('keeper', fields({ 'management-state': 'managed', description: 'x' })), 403)
  assert.equal(await asked('keeper', fields({ description: 'x' })), 403)
  assert.equal(await asked('viewer', managing), 403)
  assert.equal(await asked('keeper', managing), 200)
})
