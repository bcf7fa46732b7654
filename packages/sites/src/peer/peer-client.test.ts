import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import type { HttpAnswer, HttpRequest } from '../http/exchange.ts'
import { peerSites } from './peer-client.ts'
import { PeerRefused, PeerUnreachable } from './peer-site.ts'

const LIFE_MS = 3_600_000
const row = { id: 1, version: 1, manager_endpoint: 'http://b:5000/v3', manager_username: 'admin' }
const peer = { ...row, manager_password: Buffer.from('secret').toString('base64') }
const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})
const GROUP = {
  id: 7,
  peer_group_name: 'g',
  group_priority: 1,
  group_state: 'enabled',
  max_subcloud_rehoming: 10,
  system_leader_id: 'a',
  system_leader_name: 'site-a',
  migration_status: null,
}

/** A site that issues numbered tokens and answers everything else as `serve` says. */
function site(serve: (request: HttpRequest, path: string) => HttpAnswer | Promise<HttpAnswer>) {
  const clock = new VirtualClock()
  const logins: unknown[] = []
  const asked: HttpRequest[] = []
  const endpoint = (type: string, url: string) => ({
    type,
    endpoints: [
      { interface: 'internal', region: 'SystemController', url: 'http://wrong' },
      { interface: 'public', region: 'RegionOne', url: 'http://wrong' },
      { interface: 'public', region: 'SystemController', region_id: 'SystemController', url },
    ],
  })
  const catalog = [endpoint('dcmanager', 'http://b:8119/v1.0'), endpoint('platform', 'http://b:6385/v1')]
  const exchange = async (request: HttpRequest): Promise<HttpAnswer> => {
    const body: unknown = request.body ? Buffer.from(request.body).toString() : undefined
    if (request.url === 'http://b:5000/v3/auth/tokens') {
      logins.push(JSON.parse(String(body)))
      const token = {
        issued_at: new Date(clock.now()).toISOString(),
        expires_at: new Date(clock.now() + LIFE_MS).toISOString(),
        catalog,
      }
      return answer(201, { token }, { 'x-subject-token': `token-${logins.length}` })
    }
    asked.push(request)
    return await serve(request, new URL(request.url).pathname)
  }
  return { clock, logins, asked, open: peerSites({ clock, exchange }) }
}

test('a login is by password in the project admin, and its token serves until shortly before it ends', async () => {
  const b = site(() => answer(200, { subcloud_peer_groups: [GROUP] }))
  await Promise.all([b.open(peer).groups(), b.open(peer).groups()])
  b.clock.advance(LIFE_MS - 121_000)
  await b.open(peer).groups()
  assert.equal(b.logins.length, 1)
  b.clock.advance(2_000)
  await b.open(peer).groups()
  assert.equal(b.logins.length, 2)
  const domain = { name: 'Default' }
  assert.deepEqual(b.logins[0], {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'admin', password: 'secret', domain } } },
      scope: { project: { name: 'admin', domain } },
    },
  })
  assert.equal(b.asked[0]?.url, 'http://b:8119/v1.0/subcloud-peer-groups')
  assert.deepEqual(
    b.asked.map(({ headers }) => [headers['x-auth-token'], headers['user-agent']]),
    ['token-1', 'token-1', 'token-1', 'token-2'].map(token => [token, 'dcmanager/1.0']),
  )
})

test('a refused token is replaced once; refused again it is a refusal', async () => {
  let refusals = 1
  const b = site(() => (refusals-- > 0 ? answer(401, {}) : answer(200, GROUP)))
  assert.equal((await b.open(peer).group('g'))?.leaderName, 'site-a')
  refusals = 2
  await assert.rejects(b.open(peer).group('g'), PeerRefused)
  assert.equal(b.logins.length, 3)
})

test('an edit of endpoint, user or password counts at once, a heartbeat of the row does not (H20)', async () => {
  const b = site(() => answer(200, GROUP))
  await b.open(peer).group('g')
  await b.open({ ...peer, version: 2, misses: 1 }).group('g')
  assert.equal(b.logins.length, 1)
  await b.open({ ...peer, version: 3, manager_password: Buffer.from('other').toString('base64') }).group('g')
  assert.equal(b.logins.length, 2)
})

test('only the 404 of the thing itself is an absence', async () => {
  let text = 'Subcloud not found'
  const b = site(() => answer(404, { message: text }))
  assert.equal(await b.open(peer).subcloud('r1'), undefined)
  await b.open(peer).deleteSubcloud('s1')
  text = 'There is no such resource'
  await assert.rejects(b.open(peer).subcloud('r1'), PeerRefused)
  await assert.rejects(b.open(peer).deleteSubcloud('s1'), PeerRefused)
  await assert.rejects(b.open(peer).members('g'), PeerRefused)
  assert.deepEqual(await b.open(peer).tombstones('g'), [])
})

for (const [what, given] of [
  ['a failure of the server', answer(500, { message: 'Unable to process the request' })],
  ['something that is no JSON', answer(200, '<html>')],
  ['an object of another kind', answer(200, { id: 'x' })],
] as const)
  test(`${what} is no answer`, async () => {
    await assert.rejects(
      site(() => given)
        .open(peer)
        .group('g'),
      PeerUnreachable,
    )
  })

test('the text of a refusal is that of the other site', async () => {
  const text = 'Cannot delete a peer group which is associated with a system peer.'
  const b = site(() => answer(400, { message: text, code: '400 Bad Request', title: 'Bad Request' }))
  await assert.rejects(b.open(peer).deleteGroup('g'), { name: 'PeerRefused', status: 400, message: text })
})

test('a site that does not answer is given up, and its request is told so', async () => {
  const aborted = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const clock = new VirtualClock()
  const open = peerSites({
    clock,
    exchange: (_, signal) => {
      signal?.addEventListener('abort', () => aborted.resolve())
      begun.resolve()
      return new Promise(() => undefined)
    },
  })
  const asked = assert.rejects(open(peer).groups(), /no answer from the peer site within 10 s/)
  await begun.promise
  clock.advance(10_000)
  await asked
  await aborted.promise
})

test('the system is asked for its uuid at its platform endpoint', async () => {
  const b = site(() => answer(200, { isystems: [{ uuid: 'u-b', name: 'b' }] }))
  assert.equal(await b.open(peer).systemUuid(), 'u-b')
  assert.equal(b.asked[0]?.url, 'http://b:6385/v1/isystems')
})

test('a subcloud is read with the members that only we have, and without them', async () => {
  const shown = {
    id: 3,
    name: 's1',
    'region-name': 'r1',
    'deploy-status': 'secondary',
    'management-state': 'unmanaged',
    'availability-status': 'offline',
    peer_group_id: 7,
    description: null,
    location: 'here',
    'software-version': '10.0',
    rehome_data: JSON.stringify({ saved_payload: { name: 's1', 'bootstrap-address': '10.0.0.1' } }),
    data_install: null,
  }
  const own = { ...shown, 'owner-epoch': 4, 'values-version': { a: 2 }, rehome_data: { saved_payload: { name: 's1' } } }
  const b = site(() => answer(200, { subclouds: [shown, own] }))
  const [foreign, ours] = await b.open(peer).members('g 1')
  assert.deepEqual(
    [foreign?.rehomeData, foreign?.description, foreign?.ownerEpoch, foreign?.valuesVersion, foreign?.installValues],
    [{ name: 's1', 'bootstrap-address': '10.0.0.1' }, '', undefined, undefined, undefined],
  )
  assert.deepEqual([ours?.ownerEpoch, ours?.valuesVersion, ours?.rehomeData], [4, { a: 2 }, { name: 's1' }])
  assert.equal(new URL(b.asked[0]?.url ?? '').pathname, '/v1.0/subcloud-peer-groups/g%201/subclouds')
})

test('requests are spelled as such sites spell them', async () => {
  const b = site(() => answer(200, { ...GROUP, message: null }))
  const group = { name: 'g', priority: 1, state: 'enabled', maxRehoming: 5, leaderId: 'a', leaderName: 'site-a' }
  await b.open(peer).createGroup(group)
  await b.open(peer).updateGroup('g', { forgetMigration: true })
  await b.open(peer).requestAudit({ ...group, id: 1, migrationStatus: 'complete', siteUuid: 'a' })
  assert.deepEqual(
    b.asked.map(({ method, body }) => [method, JSON.parse(Buffer.from(body ?? []).toString())]),
    [
      [
        'POST',
        {
          'peer-group-name': 'g',
          'group-priority': 1,
          'group-state': 'enabled',
          'system-leader-id': 'a',
          'system-leader-name': 'site-a',
          'max-subcloud-rehoming': 5,
        },
      ],
      ['PATCH', { migration_status: 'none' }],
      [
        'PATCH',
        {
          peer_uuid: 'a',
          peer_group_name: 'g',
          group_priority: 1,
          group_state: 'enabled',
          system_leader_id: 'a',
          system_leader_name: 'site-a',
          migration_status: 'complete',
        },
      ],
    ],
  )
})
