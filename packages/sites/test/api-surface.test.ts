/** What belongs to no single resource: who calls, operations, alarms, the system, and the document of the API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Retryable } from '@godwit/core'
import { silentLogger } from '@godwit/ports'
import { z } from 'zod'
import { apiExchange } from '../src/http/api.ts'
import { pathOf } from '../src/http/openapi.ts'
import { startSitesServer } from '../src/http/server.ts'
import { siteRoutes } from '../src/http/site-api.ts'
import { groupStatusSchema } from '../src/peer-group/status.ts'
import { beginBatch } from '../src/rehome/new-batch.ts'
import { fakePeer, SITE_UUID, startApi } from './api.ts'
import { answered, base64, CANARIES, form, givenMember, rowOf, SECONDARY } from './fixture.ts'
import { newCopy, newSubcloud } from './subcloud-form.ts'

const MIGRATE = '/subcloud-peer-groups/g/migrate'
const PASSWORD = { sysadmin_password: base64(CANARIES.sysadmin) }
const AS_PEER = { 'user-agent': 'dcmanager/1.0' }

test('the name of a program makes nobody a peer, unless the site is told to believe it (H19)', async t => {
  const post = (api: Awaited<ReturnType<typeof startApi>>, number: number) =>
    api.call('POST', '/subclouds/', form(newCopy(number)), AS_PEER)
  const strict = await startApi(t)
  assert.equal((await post(strict, 1)).status, 403)
  const trusting = await startApi(t, { trustsUserAgent: true })
  assert.equal((await post(trusting, 1)).status, 200)
  assert.equal(
    (await trusting.call('POST', '/subclouds/', form(newCopy(2)), { 'user-agent': 'dcmanager/1.1' })).status,
    403,
  )
  const nobody = { ...AS_PEER, 'x-auth-token': '' }
  assert.equal((await trusting.call('GET', '/subclouds', undefined, nobody)).status, 401)
})

test('operations: what runs is listed with its members, shown, and cancelled once', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: SECONDARY })
  const { operation_id: id } = (await answered(api.call('PATCH', MIGRATE, PASSWORD))).body
  const { body } = await answered(api.call('GET', `/operations/${id}`))
  const members = body['subclouds'] as readonly { name: string; stage: string }[]
  assert.deepEqual([body['peer_group_name'], body['requested_by'], body['is_cancelled']], ['g', 'admin', false])
  assert.deepEqual(
    members.map(({ name, stage }) => [name, stage]),
    [['s1', 'NotBegun']],
  )
  assert.deepEqual((await answered(api.call('GET', '/operations'))).body, { operations: [body] })
  const cancelled = await answered(api.call('PATCH', `/operations/${id}/cancel`))
  assert.deepEqual([cancelled.status, cancelled.body['is_cancelled']], [200, true])
  assert.equal((await api.call('PATCH', `/operations/${id}/cancel`)).status, 200)
  await api.database.transaction(sql => sql.run('update batch set ended_ms = 1'))
  assert.equal((await api.call('PATCH', `/operations/${id}/cancel`)).status, 409)
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', '/cancel'],
  ] as const)
    assert.equal((await api.call(method, `/operations/other${path}`)).status, 404)
})

test('operations: whatever runs is listed, however many have ended since', async t => {
  const api = await startApi(t)
  await givenMember(api)
  const batch = { group: undefined, subclouds: [{ id: 1, name: 's1' }], requestedBy: 'admin', sysadminPassword: 'x' }
  await api.database.transaction(async sql => {
    for (let number = 1; number <= 30; number++) await beginBatch(sql, { ...batch, operationId: `op-${number}` })
    await sql.run('update batch set ended_ms = 1 where id > 1')
  })
  const { operations } = (await answered(api.call('GET', '/operations'))).body as {
    operations: { operation_id: string }[]
  }
  const ids = operations.map(({ operation_id: id }) => id)
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [21, 'op-30', 'op-1'])
})

test('alarms are listed with what can be done about them', async t => {
  const api = await startApi(t)
  await api.database.transaction(sql =>
    sql.run(
      `insert into alarm (version, alarm_id, entity, severity, reason, repair, raised_at)
       values (1, '280.004', 'peer=x', 'major', 'lost', 'look', '2026-01-01')`,
    ),
  )
  assert.deepEqual((await answered(api.call('GET', '/alarms'))).body, {
    alarms: [
      {
        alarm_id: '280.004',
        entity_instance_id: 'peer=x',
        severity: 'major',
        reason_text: 'lost',
        proposed_repair_action: 'look',
        timestamp: '2026-01-01',
      },
    ],
  })
})

test('a peer learns which system answers, at the endpoint of the catalog', async t => {
  const api = await startApi(t)
  const { token } = (await (await api.login('peer')).json()) as {
    token: { catalog: { type: string; endpoints: { interface: string; region_id: string; url: string }[] }[] }
  }
  const endpoint = token.catalog
    .find(({ type }) => type === 'platform')
    ?.endpoints.find(each => each.interface === 'public')
  assert.equal(endpoint?.region_id, 'SystemController')
  const headers = { 'x-auth-token': await api.tokenOf('peer') }
  const answer = await fetch(`${endpoint?.url}/isystems`, { headers })
  assert.deepEqual(await answer.json(), { isystems: [{ uuid: SITE_UUID, name: 'site-a' }] })
})

test('the document of the API has every route, its parameters and its body, and nothing else', async t => {
  const api = await startApi(t)
  const { body } = await answered(api.call('GET', '/openapi.json'))
  const routes = siteRoutes({ site: api.site, peerSite: () => fakePeer(), regionReader: { regionOf: async () => '' } })
  const served = routes.filter(({ path }) => !path.includes('*')).map(route => `${route.method} ${pathOf(route)}`)
  const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map(method => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(described.sort(), served.sort())
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(item)) {
      assert.equal('parameters' in operation, path.includes('{ref}'), path)
      assert.ok(typeof operation['summary'] === 'string' && operation['summary'].length > 10, path)
      const has = 'requestBody' in operation
      const takesNone = method === 'get' || method === 'delete' || /\/(sync|cancel)$/.test(path)
      assert.equal(has, !takesNone, `${method} ${path}`)
    }
  const add = paths['/v1.0/subclouds']?.['post']?.['requestBody'] as {
    content: Record<string, { schema: { properties: object } }>
  }
  const parts = Object.keys(add.content['multipart/form-data']?.schema.properties ?? {})
  for (const part of ['bootstrap_values', 'install_values', 'bootstrap-address', 'secondary'])
    assert.ok(parts.includes(part))
})

test('what is answered is what the document says', async t => {
  const api = await startApi(t, { regionReader: { regionOf: async () => 'f'.repeat(32) } })
  await givenMember(api)
  await api.call('POST', '/subclouds', form(newSubcloud(2)))
  const routes = siteRoutes({ site: api.site, peerSite: () => fakePeer(), regionReader: { regionOf: async () => '' } })
  const refs: Readonly<Record<string, string>> = { operations: String((await rowOf(api, 'batch'))['operation_id']) }
  for (const route of routes.filter(
    ({ method, path }) => method === 'GET' && !path.includes('*') && path[0] !== 'v1',
  )) {
    const path = route.path.map(part => (part === ':ref' ? (refs[route.path[0] ?? ''] ?? '1') : part)).join('/')
    const { status, text } = await answered(api.call('GET', `/${path}`))
    assert.equal(status, 200, path)
    const schema = route.answer instanceof z.ZodObject ? route.answer.strict() : route.answer
    const result = schema?.safeParse(JSON.parse(text))
    assert.ok(result?.success, `${path}: ${result?.error?.message}`)
  }
  assert.equal(Object.keys(groupStatusSchema.shape).length, 9)
})

test('a call that lost against another one is tried again; one that always loses is 503, and a mistake is 500', async t => {
  let failures = 0
  const routes = ['some', 'always', 'broken'].map(name => ({
    method: 'GET' as const,
    path: [name],
    policy: 'read' as const,
    summary: 'A call that fails',
    handle: async () => {
      failures++
      if (name === 'broken') throw new Error(CANARIES.admin)
      if (name === 'always' || failures < 3) throw new Retryable('somebody else was first')
      return 'done'
    },
  }))
  const identities = { identify: async () => ({ user: 'a', project: 'admin', roles: ['admin'] }) }
  const { database } = await startApi(t)
  const exchange = apiExchange({ database, routes, identities, logger: silentLogger })
  const server = await startSitesServer({ exchange, logger: silentLogger, port: 0 })
  t.after(() => server.stop())
  const get = async (name: string) => {
    const answer = await fetch(`${server.url}/v1.0/${name}`, { headers: { 'x-auth-token': 't' } })
    return [answer.status, (await answer.text()).includes('canary')]
  }
  assert.deepEqual(await get('some'), [200, false])
  assert.equal(failures, 3)
  assert.deepEqual(await get('always'), [503, false])
  assert.deepEqual(await get('broken'), [500, false])
})

test('no log line holds a secret, of calls that succeed as of calls that fail', async t => {
  const lines: string[] = []
  const note = (fields: object, message: string) => lines.push(inspect([fields, message], { depth: 9 }))
  const api = await startApi(t, {
    logger: { debug: note, info: note, warn: note, error: note },
    regionReader: { regionOf: () => Promise.reject(new Error('ssh ended with 5')) },
  })
  await givenMember(api, { subcloud: SECONDARY })
  await api.login('admin', CANARIES.admin)
  await api.call('POST', '/subclouds', form(newSubcloud(2)))
  await api.call('POST', '/subclouds', form(newSubcloud(3, { files: { bootstrap_values: `a: [${CANARIES.admin}` } })))
  await api.call('PATCH', '/subclouds/s1', form({ fields: { sysadmin_password: CANARIES.sysadmin, location: 'x' } }))
  await api.call('PATCH', '/subcloud-peer-groups/g', { 'group-state': 'disabled' })
  await api.call('PATCH', MIGRATE, { sysadmin_password: CANARIES.sysadmin })
  await api.call('PATCH', MIGRATE, PASSWORD)
  await api.call('PATCH', '/system-peers/1', { manager_password: CANARIES.manager })
  await api.database.transaction(sql => sql.run('alter table subcloud rename to lost'))
  assert.equal((await api.call('GET', '/subclouds')).status, 500)
  assert.ok(lines.length >= 3, lines.join())
  for (const canary of Object.values(CANARIES))
    for (const text of [canary, base64(canary)]) assert.equal(lines.join().includes(text), false, canary)
})

test('the versions are told to everybody; a path that there is not is 404', async t => {
  const api = await startApi(t)
  const versions = (await (await fetch(`${api.url}/`)).json()) as { versions: { id: string }[] }
  assert.equal(versions.versions[0]?.id, 'v1.0')
  assert.equal((await fetch(`${api.url}/v2/`)).status, 404)
  assert.equal((await fetch(`${api.url}/v3/users`)).status, 404)
  assert.equal((await fetch(`${api.url}/v1/isystems`)).status, 401)
})

test('an exchange is asked by path or by whole address', async t => {
  const api = await startApi(t)
  const headers = { 'x-auth-token': await api.tokenOf('peer'), accept: 'application/json' }
  for (const url of ['/v1.0/system-peers', 'http://site-a/v1.0/system-peers/', 'http://site-a/v1/isystems'])
    assert.equal((await api.exchange({ method: 'GET', url, headers, body: undefined })).status, 200, url)
  const tooLarge = { method: 'POST', url: '/v1.0/system-peers', headers, body: Buffer.alloc(1_048_577) }
  assert.equal((await api.exchange(tooLarge)).status, 413)
})
