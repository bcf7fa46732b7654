import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextLoop } from 'node:timers/promises'
import { takeWork } from '@godwit/store'
import { type Api, PEER_UUID, startApi } from './api.ts'
import {
  answered,
  base64,
  everything,
  givenAssociation,
  givenGroup,
  givenMember,
  givenPeer,
  NON_PRIMARY,
  rowOf,
  rowsOf,
  SECONDARY,
} from './fixture.ts'

const PGAS = '/peer-group-associations'
const NEW = { peer_group_id: '1', system_peer_id: '1', peer_group_priority: '1' }

async function withBoth(api: Api, group = {}): Promise<void> {
  await givenPeer(api)
  await givenGroup(api, group)
}

const taken = (api: Api, queue: string) =>
  api.database.transaction(async sql =>
    (await takeWork(sql, { queue, holder: 'h', leaseMs: 1, limit: 9 })).map(({ key }) => key),
  )

test('PGA post: a primary one is syncing, and its worker and the monitor have work', async t => {
  const api = await startApi(t)
  await withBoth(api)
  const { status, body } = await answered(api.call('POST', `${PGAS}/`, NEW))
  assert.equal(status, 200)
  const { 'created-at': created, ...rest } = body
  assert.equal(typeof created, 'string')
  assert.deepEqual(rest, {
    id: 1,
    'peer-group-id': 1,
    'system-peer-id': 1,
    'peer-group-priority': 1,
    'association-type': 'primary',
    'sync-status': 'syncing',
    'sync-message': null,
    'updated-at': null,
  })
  assert.equal((await rowOf(api, 'peer_group_association'))['wanted'], 'sync')
  assert.deepEqual([await taken(api, 'association'), await taken(api, 'peer')], [['1'], ['1']])
  const { 'sync-message': _, ...listed } = body
  assert.deepEqual((await answered(api.call('GET', PGAS))).body, { peer_group_associations: [listed] })
  assert.deepEqual((await answered(api.call('GET', `${PGAS}/1`))).body, body)
})

test('PGA post: a non-primary one takes no priority, and syncs nothing itself', async t => {
  const api = await startApi(t)
  await withBoth(api, { group_priority: 1 })
  const { peer_group_priority: _, ...ids } = NEW
  const { body } = await answered(api.call('POST', PGAS, ids))
  const shown = [body['association-type'], body['sync-status'], body['peer-group-priority']]
  assert.deepEqual(shown, ['non-primary', 'syncing', null])
  assert.equal((await rowOf(api, 'peer_group_association'))['wanted'], null)
})

const { peer_group_priority: _, ...IDS } = NEW
const PRIMARY_BAD: readonly (readonly [string, unknown])[] = [
  ['no body', undefined],
  ['an empty body', {}],
  ['no object', []],
  ['no group', { ...NEW, peer_group_id: null }],
  ['an unknown group', { ...NEW, peer_group_id: 9 }],
  ['a group that is no number', { ...NEW, peer_group_id: 'g' }],
  ['no peer', { ...NEW, system_peer_id: null }],
  ['an unknown peer', { ...NEW, system_peer_id: 9 }],
  ['a peer that is no number', { ...NEW, system_peer_id: 'site-b' }],
  ['no priority for a group of priority 0', IDS],
  ...[0, 65_537, 'high', '', -1, 1.5].map(
    value => [`priority ${value}`, { ...NEW, peer_group_priority: value }] as const,
  ),
]
for (const [what, body] of PRIMARY_BAD)
  test(`PGA post with ${what}: 400, nothing written`, async t => {
    const api = await startApi(t)
    await withBoth(api)
    assert.equal((await api.call('POST', PGAS, body)).status, 400)
    assert.deepEqual(await rowsOf(api, 'peer_group_association'), [])
  })

test('PGA post priority given on a group of priority above 0: 400', async t => {
  const api = await startApi(t)
  await withBoth(api, { group_priority: 1 })
  assert.equal((await api.call('POST', PGAS, NEW)).status, 400)
  assert.deepEqual(await rowsOf(api, 'peer_group_association'), [])
})

test('PGA post twice: 400, also when both are asked for at the same time', async t => {
  const api = await startApi(t)
  await withBoth(api)
  const answers = await Promise.all([1, 2, 3].map(() => api.call('POST', PGAS, NEW)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400])
  assert.equal((await rowsOf(api, 'peer_group_association')).length, 1)
})

test('PGA get: what is no number 400, what is not there 404', async t => {
  const api = await startApi(t)
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['PATCH', '/sync'],
    ['DELETE', ''],
  ] as const) {
    const body = method === 'PATCH' ? { peer_group_priority: 2 } : undefined
    assert.equal((await api.call(method, `${PGAS}/x${path}`, body)).status, 400, `${method} ${path}`)
    const { status, text } = await answered(api.call(method, `${PGAS}/9${path}`, body))
    assert.deepEqual([status, text.includes('Peer Group Association not found')], [404, true], `${method} ${path}`)
  }
})

const CHANGES: readonly (readonly [string, object, unknown])[] = [
  ['priority on non-primary', NON_PRIMARY, { peer_group_priority: 2 }],
  ['sync_status on primary', {}, { sync_status: 'in-sync' }],
  ['both', {}, { peer_group_priority: 2, sync_status: 'in-sync' }],
  ['none', {}, {}],
  ['nothing known', {}, { unknown: 1 }],
  ['no body', {}, undefined],
  ['a bad status', NON_PRIMARY, { sync_status: 'synced' }],
  ['a bad priority', {}, { peer_group_priority: 0 }],
  ['a priority that is too high', {}, { peer_group_priority: 65_537 }],
]
for (const [what, given, body] of CHANGES)
  test(`PGA patch ${what}: 400, nothing written`, async t => {
    const api = await startApi(t)
    await givenMember(api, given)
    const before = await everything(api)
    assert.equal((await api.call('PATCH', `${PGAS}/1`, body)).status, 400)
    assert.deepEqual(await everything(api), before)
  })

test('PGA patch of the priority is carried to the peer, and makes no copy equal that was not (H9)', async t => {
  const api = await startApi(t)
  await givenMember(api, { association: { sync_status: 'out-of-sync' } })
  const { body } = await answered(api.call('PATCH', `${PGAS}/1`, { peer_group_priority: '5' }))
  assert.deepEqual([body['peer-group-priority'], body['sync-status']], [5, 'out-of-sync'])
  assert.equal((await rowOf(api, 'peer_group_association'))['wanted'], 'sync-group')
  assert.deepEqual(await taken(api, 'association'), ['1'])
})

test('PGA patch of the sync status, by the peer: a failed one says whose failure it is', async t => {
  const api = await startApi(t)
  await givenMember(api, NON_PRIMARY)
  const headers = { 'x-auth-token': await api.tokenOf('peer') }
  const failed = await answered(api.call('PATCH', `${PGAS}/1`, { sync_status: 'failed' }, headers))
  assert.match(String(failed.body['sync-message']), /primary site failed/)
  const done = await answered(api.call('PATCH', `${PGAS}/1`, { sync_status: 'in-sync' }, headers))
  assert.deepEqual([done.body['sync-status'], done.body['sync-message']], ['in-sync', null])
})

test('PGA sync: the status and what is wanted are one row, so that nothing is written over its end (H5)', async t => {
  const api = await startApi(t)
  await givenMember(api, { association: { sync_status: 'failed', sync_message: 'old' } })
  const { status, body } = await answered(api.call('PATCH', `${PGAS}/1/sync`))
  assert.deepEqual([status, body['sync-status'], body['sync-message']], [200, 'syncing', null])
  assert.equal((await rowOf(api, 'peer_group_association'))['wanted'], 'sync')
  assert.deepEqual(await taken(api, 'association'), ['1'])
})

for (const [what, given] of [
  ['leader elsewhere', { group: { system_leader_id: PEER_UUID } }],
  ['non-primary', NON_PRIMARY],
  ['being deleted', { association: { deleting: 'delete' } }],
] as const)
  test(`PGA sync, ${what}: 400`, async t => {
    const api = await startApi(t)
    await givenMember(api, given)
    assert.equal((await api.call('PATCH', `${PGAS}/1/sync`)).status, 400)
    assert.equal((await rowOf(api, 'peer_group_association'))['sync_status'], 'in-sync')
  })

/** Calls `each` again and again while the call waits on the virtual clock. */
async function during<Result>(api: Api, call: Promise<Result>, each: () => Promise<unknown>): Promise<Result> {
  let isOver = false
  const ended = call.finally(() => {
    isOver = true
  })
  while (!isOver) {
    await each()
    // Time passes only while somebody waits for it: not while the request is on its way.
    if (api.clock.untilNext() !== undefined) api.clock.advance(1000)
    await nextLoop()
  }
  return await ended
}

const byWorker = (api: Api, text: string) => () =>
  api.database.transaction(async sql => sql.run(`${text} where deleting is not null`))

test('PGA delete: a non-primary one is deleted here alone; the second time it is not there', async t => {
  const api = await startApi(t)
  await givenMember(api, NON_PRIMARY)
  assert.deepEqual(await (await api.call('DELETE', `${PGAS}/1`)).json(), null)
  assert.deepEqual(await taken(api, 'peer'), ['1'])
  assert.equal((await api.call('DELETE', `${PGAS}/1`)).status, 404)
})

test('PGA delete: a primary one is answered when the worker has deleted it', async t => {
  const api = await startApi(t, { deletionWaitMs: 45_000 })
  await givenMember(api)
  const work = byWorker(api, 'delete from peer_group_association')
  const { status, text } = await during(api, answered(api.call('DELETE', `${PGAS}/1`)), work)
  assert.deepEqual([status, text], [200, 'null'])
})

test('PGA delete: what failed is an error that says why, not a success (H10)', async t => {
  const api = await startApi(t, { deletionWaitMs: 45_000 })
  await givenMember(api)
  const work = byWorker(
    api,
    `update peer_group_association set deleting = null, sync_message = 'Deletion of s1 failed'`,
  )
  const { status, text } = await during(api, answered(api.call('DELETE', `${PGAS}/1`)), work)
  assert.deepEqual([status, text.includes('Deletion of s1 failed')], [422, true])
})

test('PGA delete: one that goes on is not waited for without end, and can be forced then', async t => {
  const api = await startApi(t, { deletionWaitMs: 45_000 })
  await givenMember(api)
  const { status } = await during(api, answered(api.call('DELETE', `${PGAS}/1`)), async () => undefined)
  assert.deepEqual([status, (await rowOf(api, 'peer_group_association'))['deleting']], [422, 'delete'])
  const work = byWorker(api, 'delete from peer_group_association')
  const forced = await during(api, answered(api.call('DELETE', `${PGAS}/1?force=true`)), async () => {
    const { deleting } = await rowOf(api, 'peer_group_association')
    if (deleting === 'force') await work()
  })
  assert.equal(forced.status, 200)
})

test('PGA delete while the group is migrated: 409; a force that is neither true nor false: 400', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: SECONDARY })
  assert.equal((await api.call('DELETE', `${PGAS}/1?force=perhaps`)).status, 400)
  await api.call('PATCH', '/subcloud-peer-groups/g/migrate', { sysadmin_password: base64('pw') })
  assert.equal((await api.call('DELETE', `${PGAS}/1`)).status, 409)
  assert.equal((await rowOf(api, 'peer_group_association'))['deleting'], null)
})

test('an association is of one group and one peer', async t => {
  const api = await startApi(t)
  await withBoth(api)
  await givenGroup(api, { peer_group_name: 'h' })
  await givenAssociation(api)
  assert.equal((await api.call('POST', PGAS, { ...NEW, peer_group_id: 2 })).status, 200)
})
