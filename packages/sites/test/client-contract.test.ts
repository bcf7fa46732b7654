/** Every command of the `dcmanager` command line, replayed byte by byte, against what it needs of the answers. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Api, startApi } from './api.ts'
import { discover, json, login, multipart, plain, type RawAnswer, type Session } from './client/requests-bytes.ts'
import { hasRequired, type Kind } from './client/required-keys.ts'

type Members = Readonly<Record<string, unknown>>

const VALUES = `name: subcloud1
system_mode: simplex
management_subnet: 192.168.101.0/24
management_start_address: 192.168.101.2
management_end_address: 192.168.101.50
management_gateway_address: 192.168.101.1
systemcontroller_gateway_address: 192.168.204.101
external_oam_subnet: 10.10.20.0/24
external_oam_gateway_address: 10.10.20.1
external_oam_floating_address: 10.10.20.12
admin_password: canary-admin-password
`
const VALUES_FILE = ['/home/sysadmin/subcloud1 values.yml', VALUES] as const
const SYSADMIN_PASSWORD = Buffer.from('canary-sysadmin-password').toString('base64')

async function startSession(t: TestContext): Promise<{ session: Session; api: Api }> {
  const api = await startApi(t)
  const authUrl = new URL('/v3', api.url)
  const found = await discover(authUrl)
  assert.equal(found.status, 200)
  const { version } = JSON.parse(found.body) as { version: { id: string; links: { href: string }[] } }
  assert.match(version.id, /^v3\./)
  const answer = await login(new URL(version.links[0]?.href ?? ''), 'admin', 'admin-secret')
  assert.equal(answer.status, 201)
  const { token } = JSON.parse(answer.body) as { token: Members & { catalog: Service[] } }
  for (const key of ['expires_at', 'issued_at', 'user', 'project', 'roles', 'methods']) assert.ok(key in token, key)
  const service = token.catalog.find(({ type }) => type === 'dcmanager')
  const endpoint = service?.endpoints.find(each => each.interface === 'internal')
  assert.ok(endpoint)
  assert.ok(endpoint.url.endsWith('/v1.0'), 'the endpoint says the version of the API')
  const session = {
    endpoint: new URL(endpoint.url),
    token: answer.headers['x-subject-token'] ?? '',
    projectId: String((token['project'] as Members)['id']),
    userId: String((token['user'] as Members)['id']),
  }
  return { session, api }
}

interface Service {
  readonly type: string
  readonly endpoints: readonly { readonly interface: string; readonly url: string }[]
}

/** Anything but 200 is an error for the client. */
function accepted(answer: RawAnswer): unknown {
  assert.equal(answer.status, 200, answer.body)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
  assert.doesNotMatch(answer.body, /canary/)
  return JSON.parse(answer.body)
}
const one = (kind: Kind, answer: RawAnswer) => hasRequired(kind, accepted(answer))
function list(kind: Kind, member: string, answer: RawAnswer): readonly Members[] {
  const objects = (accepted(answer) as Members)[member]
  assert.ok(Array.isArray(objects), `no ${member} in ${answer.body}`)
  return objects.map(object => hasRequired(kind, object))
}

/** The client shows the second line of the page's text, and the rest as detail. */
function refusal(answer: RawAnswer): readonly string[] {
  assert.match(answer.headers['content-type'] ?? '', /^text\/html/)
  const text = answer.body
    .replace(/<br \/>/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
  return text.split('\n').map(line => line.trim())
}

const PEER = {
  peer_uuid: 'ac62f555-9386-42f1-a047-93b7a5d2c7e2',
  peer_name: 'site-b',
  manager_endpoint: 'http://192.168.205.2:5000/v3',
  manager_username: 'admin',
  manager_password: Buffer.from('canary-manager-password').toString('base64'),
  peer_controller_gateway_address: '192.168.205.1',
  administrative_state: 'enabled',
  heartbeat_interval: 60,
  heartbeat_failure_threshold: 3,
  heartbeat_failure_policy: 'alarm',
  heartbeat_maintenance_timeout: 600,
}

test('system-peer add, list, show, update, list-subcloud-peer-groups and delete', async t => {
  const { session } = await startSession(t)
  const added = one('peer', await json(session, 'POST', '/system-peers/', PEER))
  const [listed] = list('peer', 'system_peers', await plain(session, 'GET', '/system-peers/'))
  assert.deepEqual(listed, added)
  assert.deepEqual(one('peer', await plain(session, 'GET', '/system-peers/site-b')), added)
  const update = await json(session, 'PATCH', '/system-peers/site-b', { heartbeat_interval: '30' })
  assert.equal(one('peer', update)['heartbeat-interval'], 30)
  const groups = await plain(session, 'GET', '/system-peers/site-b/subcloud-peer-groups')
  assert.deepEqual(list('group', 'subcloud_peer_groups', groups), [])
  accepted(await plain(session, 'DELETE', '/system-peers/site-b'))
  const gone = await plain(session, 'GET', '/system-peers/site-b')
  assert.equal(gone.status, 404)
  assert.ok(refusal(gone).includes('System Peer not found'))
})

test('subcloud-peer-group add, list, show, update, list-subclouds, status and delete', async t => {
  const { session } = await startSession(t)
  const added = one(
    'group',
    await json(session, 'POST', '/subcloud-peer-groups/', {
      'peer-group-name': 'group1',
      'max-subcloud-rehoming': '10',
    }),
  )
  assert.equal(added['max_subcloud_rehoming'], 10)
  const [listed] = list('group', 'subcloud_peer_groups', await plain(session, 'GET', '/subcloud-peer-groups/'))
  assert.deepEqual(listed, added)
  one('group', await plain(session, 'GET', '/subcloud-peer-groups/group1'))
  const change = { 'group-state': 'disabled', 'max-subcloud-rehoming': '20' }
  const changed = one('group', await json(session, 'PATCH', '/subcloud-peer-groups/group1', change))
  assert.deepEqual([changed['group_state'], changed['max_subcloud_rehoming']], ['disabled', 20])
  list('subcloud', 'subclouds', await plain(session, 'GET', '/subcloud-peer-groups/group1/subclouds'))
  one('status', await plain(session, 'GET', '/subcloud-peer-groups/group1/status'))
  const migrate = await json(session, 'PATCH', '/subcloud-peer-groups/group1/migrate', {
    sysadmin_password: SYSADMIN_PASSWORD,
  })
  assert.equal(migrate.status, 400)
  assert.ok(refusal(migrate).some(line => line.includes('group1')))
  accepted(await plain(session, 'DELETE', '/subcloud-peer-groups/group1'))
})

async function meanwhile(api: Api, answer: Promise<RawAnswer>): Promise<RawAnswer> {
  let isOver = false
  void answer.finally(() => {
    isOver = true
  })
  while (!isOver) {
    api.clock.advance(1000)
    await new Promise(resolve => setImmediate(resolve))
  }
  return answer
}

test('peer-group-association add, list, show, update, sync and delete', async t => {
  const { session, api } = await startSession(t)
  accepted(await json(session, 'POST', '/system-peers/', PEER))
  accepted(await json(session, 'POST', '/subcloud-peer-groups/', { 'peer-group-name': 'group1' }))
  const ids = { peer_group_id: '1', system_peer_id: '1', peer_group_priority: '1' }
  const added = one('association', await json(session, 'POST', '/peer-group-associations/', ids))
  assert.deepEqual([added['sync-status'], added['association-type']], ['syncing', 'primary'])
  const listed = await plain(session, 'GET', '/peer-group-associations/')
  assert.equal(list('association', 'peer_group_associations', listed).length, 1)
  const shown = one('association', await plain(session, 'GET', '/peer-group-associations/1'))
  assert.ok('sync-message' in shown)
  one('association', await json(session, 'PATCH', '/peer-group-associations/1/sync'))
  // Nobody works on associations in this test: what waits for that is answered, in time, with why.
  const update = await meanwhile(
    api,
    json(session, 'PATCH', '/peer-group-associations/1', { peer_group_priority: '2' }),
  )
  one('association', update)
  const removal = await meanwhile(api, plain(session, 'DELETE', '/peer-group-associations/1'))
  assert.equal(removal.status, 422)
  assert.ok(refusal(removal).some(line => line.length > 20))
})

test('subcloud add, list, show, errors, update, manage, unmanage and delete', async t => {
  const { session } = await startSession(t)
  const added = one(
    'subcloud',
    await multipart(session, 'POST', '/subclouds/', {
      files: { bootstrap_values: VALUES_FILE },
      fields: { 'bootstrap-address': '10.10.20.12', sysadmin_password: SYSADMIN_PASSWORD },
    }),
  )
  assert.deepEqual([added['name'], added['management-state']], ['subcloud1', 'unmanaged'])
  assert.equal(list('subcloud', 'subclouds', await plain(session, 'GET', '/subclouds/')).length, 1)
  one('subcloud', await plain(session, 'GET', '/subclouds/subcloud1'))
  const detail = one('subcloud', await plain(session, 'GET', '/subclouds/subcloud1/detail'))
  for (const key of ['oam_floating_ip', 'deploy_config_sync_status', 'region-name', 'error-description'])
    assert.ok(key in detail, key)
  assert.ok(Array.isArray(detail['endpoint_sync_status']))
  const updated = await multipart(session, 'PATCH', '/subclouds/subcloud1', {
    files: { bootstrap_values: VALUES_FILE },
    fields: { bootstrap_address: '10.10.20.13', description: 'north', location: 'Tromsø' },
  })
  assert.equal(one('subcloud', updated)['location'], 'Tromsø')
  const managed = await multipart(session, 'PATCH', '/subclouds/subcloud1', {
    fields: { 'management-state': 'managed' },
  })
  assert.equal(managed.status, 422)
  assert.ok(refusal(managed).some(line => line.length > 20))
  const unmanaged = await multipart(session, 'PATCH', '/subclouds/subcloud1', {
    fields: { 'management-state': 'unmanaged' },
  })
  assert.equal(unmanaged.status, 422)
  accepted(await plain(session, 'DELETE', '/subclouds/subcloud1'))
  assert.equal((await plain(session, 'GET', '/subclouds/subcloud1')).status, 404)
})

test('subcloud-group add, list, show, update and delete', async t => {
  const { session } = await startSession(t)
  const group = {
    name: 'north',
    description: 'all in the north',
    update_apply_type: 'serial',
    max_parallel_subclouds: '3',
  }
  const added = one('subcloudGroup', await json(session, 'POST', '/subcloud-groups/', group))
  assert.equal(added['max_parallel_subclouds'], 3)
  assert.equal(list('subcloudGroup', 'subcloud_groups', await plain(session, 'GET', '/subcloud-groups/')).length, 2)
  one('subcloudGroup', await plain(session, 'GET', '/subcloud-groups/north'))
  one('subcloudGroup', await json(session, 'PATCH', '/subcloud-groups/north', { description: 'the north' }))
  accepted(await plain(session, 'DELETE', '/subcloud-groups/north'))
})

test('a token that is none is answered so that the client asks for a new one', async t => {
  const { session } = await startSession(t)
  assert.equal((await plain({ ...session, token: 'x.y' }, 'GET', '/subclouds/')).status, 401)
})
