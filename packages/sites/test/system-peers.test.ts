import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startApi } from './api.ts'

const PEER = {
  peer_uuid: 'AC62F555938642F1A04793B7A5D2C7E2',
  peer_name: 'site-b',
  manager_endpoint: 'http://192.0.2.9:5000/v3',
  manager_username: 'admin',
  manager_password: 'cGVlci1zZWNyZXQ=',
  peer_controller_gateway_address: '192.0.2.1',
}
const UUID = 'ac62f555-9386-42f1-a047-93b7a5d2c7e2'
const KEYS =
  'id peer-uuid peer-name manager-endpoint manager-username peer-controller-gateway-address administrative-state heartbeat-interval heartbeat-failure-threshold heartbeat-failure-policy heartbeat-maintenance-timeout availability-state created-at updated-at'
const long = 'x'.repeat(256)

type Peer = Record<string, unknown>
const read = async (api: Awaited<ReturnType<typeof startApi>>, path = '/system-peers/1') =>
  (await (await api.call('GET', path)).json()) as Peer

async function withPeer(t: TestContext) {
  const api = await startApi(t)
  assert.equal((await api.call('POST', '/system-peers/', PEER)).status, 200)
  return api
}

test('a peer is made with its defaults, and shown with every key that the command line needs and no password', async t => {
  const api = await startApi(t)
  const answer = await api.call('POST', '/system-peers/', PEER)
  const peer = (await answer.json()) as Peer
  assert.equal(answer.status, 200)
  assert.deepEqual(Object.keys(peer).sort(), KEYS.split(' ').sort())
  const defaults = ['enabled', 60, 3, 'alarm', 600, 'created', UUID]
  const names = ['administrative-state', 'heartbeat-interval', 'heartbeat-failure-threshold']
  const more = ['heartbeat-failure-policy', 'heartbeat-maintenance-timeout', 'availability-state', 'peer-uuid']
  assert.deepEqual(
    [...names, ...more].map(name => peer[name]),
    defaults,
  )
  assert.deepEqual(await read(api, '/system-peers'), { system_peers: [peer] })
  for (const ref of ['1', UUID, 'site-b']) assert.deepEqual(await read(api, `/system-peers/${ref}`), peer)
})

const BAD: Readonly<Record<keyof typeof PEER, readonly unknown[]>> & Readonly<Record<string, readonly unknown[]>> = {
  peer_uuid: ['', 'no-uuid', 12],
  peer_name: ['', long, '123', 'a.b', 'a*', 'a{', 5],
  manager_endpoint: ['', long, 'ftp://a', `http${long}`],
  manager_username: ['', long],
  manager_password: ['', long],
  peer_controller_gateway_address: ['', '300.1.1.1', 'gateway'],
  administrative_state: ['', 'on'],
  heartbeat_interval: [0, 9, 601, '9', 'fast', '', 60.5, -1],
  heartbeat_failure_threshold: [0, 31, 'x'],
  heartbeat_failure_policy: ['', 'panic'],
  heartbeat_maintenance_timeout: [0, 299, 36001],
}
for (const [field, values] of Object.entries(BAD))
  test(`a bad ${field} is refused with 400 in a new peer and in an update, and nothing is written (H24)`, async t => {
    const api = await withPeer(t)
    const before = await read(api)
    for (const value of values) {
      const other = { ...PEER, peer_uuid: UUID.replaceAll('a', 'b'), peer_name: 'site-c', [field]: value }
      assert.equal((await api.call('POST', '/system-peers', other)).status, 400, `POST ${String(value)}`)
      const change = await api.call('PATCH', '/system-peers/1', { administrative_state: 'disabled', [field]: value })
      assert.equal(change.status, 400, `PATCH ${String(value)}`)
    }
    assert.deepEqual(await read(api, '/system-peers'), { system_peers: [before] })
  })

for (const field of Object.keys(PEER))
  test(`a new peer without ${field} is refused`, async t => {
    const api = await startApi(t)
    assert.equal((await api.call('POST', '/system-peers', { ...PEER, [field]: null })).status, 400)
    assert.deepEqual(await read(api, '/system-peers'), { system_peers: [] })
  })

test('a second peer with the same uuid or name is refused with 409, in an update too', async t => {
  const api = await withPeer(t)
  const other = { ...PEER, peer_uuid: UUID.replaceAll('a', 'b'), peer_name: 'site-c' }
  assert.equal((await api.call('POST', '/system-peers', { ...other, peer_name: PEER.peer_name })).status, 409)
  assert.equal((await api.call('POST', '/system-peers', { ...other, peer_uuid: UUID })).status, 409)
  assert.equal((await api.call('POST', '/system-peers', other)).status, 200)
  assert.equal((await api.call('PATCH', '/system-peers/2', { peer_name: PEER.peer_name })).status, 409)
  assert.equal((await api.call('PATCH', '/system-peers/2', { peer_name: 'site-c' })).status, 200)
})

test('an update changes what it names; numbers may come as text; one that names nothing is refused', async t => {
  const api = await withPeer(t)
  const answer = await api.call('PATCH', '/system-peers/site-b', { heartbeat_interval: '30', unknown: 1 })
  assert.equal(((await answer.json()) as Peer)['heartbeat-interval'], 30)
  for (const body of [undefined, {}, [], '{', { unknown: 1 }, { peer_name: null }])
    assert.equal((await api.call('PATCH', '/system-peers/1', body)).status, 400, JSON.stringify(body))
  assert.equal((await api.call('PATCH', '/system-peers/9', { heartbeat_interval: 30 })).status, 404)
})

test('a deleted peer is gone, and the answer is 200 with null', async t => {
  const api = await withPeer(t)
  const answer = await api.call('DELETE', '/system-peers/site-b')
  assert.deepEqual([answer.status, await answer.json()], [200, null])
  assert.equal((await api.call('DELETE', '/system-peers/site-b')).status, 404)
})

test('an error has the form that the client asked for', async t => {
  const api = await startApi(t)
  const html = await (await api.call('GET', '/system-peers/9')).text()
  assert.match(html, /<h1>404 Not Found<\/h1>\n {2}.+<br \/><br \/>\nSystem Peer not found\n/)
  const json = await api.call('GET', '/system-peers/9', undefined, { accept: 'application/json' })
  assert.deepEqual(await json.json(), { message: 'System Peer not found', code: '404 Not Found', title: 'Not Found' })
})

test('no answer and no error repeats a password', async t => {
  const api = await withPeer(t)
  const answers = [
    await api.call('GET', '/system-peers/1'),
    await api.call('POST', '/system-peers', PEER),
    await api.call('PATCH', '/system-peers/1', { manager_password: PEER.manager_password.repeat(20) }),
  ]
  for (const answer of answers) assert.equal((await answer.text()).includes(PEER.manager_password), false)
})

test('without a token, with a forged or an old one, the answer is 401', async t => {
  const api = await startApi(t)
  const token = await api.tokenOf('admin')
  const asked = async (value: string) =>
    (await api.call('GET', '/system-peers', undefined, { 'x-auth-token': value })).status
  const [payload = '', signature = ''] = token.split('.')
  const forged = Buffer.from(payload, 'base64url').toString().replace('admin', 'other')
  assert.equal(await asked(token), 200)
  for (const bad of ['', 'x', `${Buffer.from(forged).toString('base64url')}.${signature}`])
    assert.equal(await asked(bad), 401)
  api.clock.advance(3_600_000)
  assert.equal(await asked(token), 401)
})

test('readers read and do not write; an operator is no configurator; another project counts for nothing', async t => {
  const api = await startApi(t)
  const asked = async (name: string, method: string, project?: string) => {
    const headers = { 'x-auth-token': await api.tokenOf(name, project) }
    return (await api.call(method, '/system-peers', method === 'POST' ? PEER : undefined, headers)).status
  }
  assert.deepEqual([await asked('viewer', 'GET'), await asked('viewer', 'POST')], [200, 403])
  assert.deepEqual([await asked('keeper', 'GET'), await asked('keeper', 'POST')], [200, 403])
  assert.equal(await asked('stranger', 'GET', 'other'), 403)
})

test('the client finds keystone, a token and the address of the API in its catalog', async t => {
  const api = await startApi(t)
  const discovery = (await (await fetch(`${api.url}/v3`)).json()) as { version: { links: { href: string }[] } }
  assert.equal(discovery.version.links[0]?.href, `${api.url}/v3/`)
  const answer = await api.login('admin')
  assert.equal(answer.status, 201)
  const { token } = (await answer.json()) as {
    token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] }
  }
  const service = token.catalog.find(({ type }) => type === 'dcmanager')
  assert.deepEqual(
    service?.endpoints.map(endpoint => [endpoint.interface, endpoint.url]),
    ['public', 'internal', 'admin'].map(kind => [kind, `${api.url}/v1.0`]),
  )
})

test('a token is had for a token, for no longer than the first; wrong passwords, names and projects get none', async t => {
  const api = await startApi(t)
  for (const answer of [
    await api.login('admin', 'wrong'),
    await api.login('nobody', ''),
    await api.login('admin', undefined, 'x'),
  ])
    assert.equal(answer.status, 401)
  const id = await api.tokenOf('admin')
  api.clock.advance(1_800_000)
  const body = JSON.stringify({ auth: { identity: { methods: ['token'], token: { id } } } })
  const renewed = await fetch(`${api.url}/v3/auth/tokens`, { method: 'POST', body })
  const token = renewed.headers.get('x-subject-token') ?? ''
  assert.equal((await api.call('GET', '/system-peers', undefined, { 'x-auth-token': token })).status, 200)
  api.clock.advance(1_800_000)
  assert.equal((await api.call('GET', '/system-peers', undefined, { 'x-auth-token': token })).status, 401)
})
