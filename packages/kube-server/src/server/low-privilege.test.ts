import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allow, as } from '../../test/access.ts'
import type { Answer, Api } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'

const at = inProcess({ auth: {} }, async api => {
  for (const name of ['team', 'prod']) {
    await api.create('/api/v1/namespaces', { metadata: { name } })
    await api.create(`/api/v1/namespaces/${name}/secrets`, { metadata: { name: 's' }, stringData: { k: hidden } })
  }
  await serve(api, { subresources: { status: {}, scale: scalePaths } })
})
const hidden = 'what nobody may see'
const hiddenBase64 = Buffer.from(hidden).toString('base64')
const scalePaths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
const everyVerb = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const core = (verbs: string[], ...resources: string[]) => ({ apiGroups: [''], resources, verbs })
const widgets = (verbs: string[], ...resources: string[]) => ({ apiGroups: ['test.example.com'], resources, verbs })
const statuses = (answers: Answer[]) => answers.map(one => one.status)

async function isRefused(answer: Answer, verb: string, resource: string): Promise<void> {
  assert.equal(answer.status, 403, answer.text)
  assert.match(answer.body.message, new RegExp(`cannot ${verb} resource "${resource}" in API group`))
  assert.ok(!answer.text.includes(hiddenBase64))
}

test('no spelling of a path leads past the rights of its namespace', async () => {
  const api = await allow(at, 'speller', [core(everyVerb, 'secrets'), core(['get'], 'namespaces')], 'team')
  assert.equal((await api.get('/api/v1/namespaces/team/secrets/s')).status, 200)
  const prod = 'namespaces/prod/secrets/s'
  const spellings = [
    `/api/v1/${prod}`,
    `//api/v1/${prod}`,
    `/api//v1///${prod}/`,
    `/api/v1/namespaces/team/../prod/secrets/s`,
    `/api/v1/namespaces/team/%2e%2e/prod/secrets/s`,
    `/api/v1/namespaces/team%2f..%2fprod/secrets/s`,
    `/api/v1/namespaces/team/secrets/..%2f..%2fprod%2fsecrets%2fs`,
    `/api/v1/namespaces/team/namespaces/prod/secrets/s`,
    `/api/v1/namespaces/%70rod/secrets/s`,
    `/api/v1/namespaces/prod%00/secrets/s`,
    `/api/v1/namespaces//secrets/s`,
    `/api/v1/namespaces/%2F/secrets/s`,
    `/API/v1/${prod}`,
    `/api/V1/${prod}`,
    `/api/v1/namespaces/PROD/SECRETS/S`,
    `/api/v1/secrets/s`,
    `/api/v1/secrets?fieldSelector=metadata.namespace%3Dteam`,
    `/api/v1/secrets?namespace=team`,
    `/api/v1/watch/${prod}`,
    `/api/v1/proxy/${prod}`,
    `/apis//v1/${prod}`,
    `/apis/core/v1/${prod}`,
    `/healthz/../api/v1/${prod}`,
    `/openapi/v3/../../api/v1/${prod}`,
    `http://localhost/api/v1/${prod}`,
    `/api/v1/${'x/'.repeat(5000)}${prod}`,
    `/api/v1/${'/'.repeat(5000)}${prod}`,
  ]
  for (const path of spellings)
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'POST', 'get', 'OPTIONS', 'TRACE']) {
      const body = method === 'GET' || method === 'HEAD' ? undefined : { metadata: { name: 's' } }
      const answer = await api.send(method, path, body, { type: body ? 'application/merge-patch+json' : 'text/plain' })
      assert.ok([400, 403, 404, 405, 415].includes(answer.status), `${method} ${path}: ${answer.status}`)
      assert.ok(!answer.text.includes(hiddenBase64), path)
    }
  assert.equal((await at.api.get(`/api/v1/${prod}`)).body.metadata.name, 's')
})

test('a role of a namespace opens nothing of the cluster', async () => {
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
  const api = await allow(at, 'chief', rules, 'team')
  assert.equal((await api.get('/api/v1/namespaces/team')).status, 200)
  for (const path of ['nodes', 'namespaces', 'namespaces/prod', 'secrets', 'persistentvolumes'])
    assert.equal((await api.get(`/api/v1/${path}`)).status, 403, path)
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  for (const path of [`${rbac}/clusterroles`, `${rbac}/clusterroles/cluster-admin`, `${rbac}/roles`, '/metrics'])
    assert.equal((await api.get(path)).status, 403, path)
  const misplaced = [
    '/api/v1/namespaces/team/nodes',
    '/api/v1/namespaces/team/nodes/n',
    '/api/v1/namespaces/team/namespaces',
  ]
  for (const path of [...misplaced, `${rbac}/namespaces/team/clusterroles/cluster-admin`])
    assert.equal((await api.get(path)).status, 404, path)
})

test('reading is refused in every representation, with every selector and version', async () => {
  const api = await allow(at, 'reader', [core(['create', 'update', 'patch', 'delete'], 'secrets')], 'prod')
  const path = '/api/v1/namespaces/prod/secrets'
  const accepts = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'].map(
    kind => `application/json;as=${kind};v=v1;g=meta.k8s.io`,
  )
  for (const accept of [...accepts, 'application/yaml', 'application/json', '*/*']) {
    await isRefused(await api.get(`${path}/s`, { includeObject: 'Object' }, { accept }), 'get', 'secrets')
    await isRefused(await api.get(path, { includeObject: 'Object' }, { accept }), 'list', 'secrets')
  }
  const queries = [
    { fieldSelector: 'metadata.name=s' },
    { fieldSelector: 'type=Opaque' },
    { limit: '1' },
    { resourceVersion: '0' },
    { resourceVersion: '1', resourceVersionMatch: 'Exact' },
    { labelSelector: '!x' },
  ]
  for (const query of queries) await isRefused(await api.get(path, query), 'list', 'secrets')
  await isRefused(await api.get(`${path}/s`, { resourceVersion: '0' }), 'get', 'secrets')
  const head = await api.send('HEAD', `${path}/s`)
  assert.deepEqual([head.status, head.text], [403, ''])
})

test('list and watch are rights of their own, on collections and on single objects', async () => {
  const lister = await allow(at, 'lister', [core(['get', 'list'], 'secrets')], 'prod')
  const watcher = await allow(at, 'watcher', [core(['watch'], 'secrets')], 'team')
  for (const query of [
    { watch: '1' },
    { watch: 'true' },
    { watch: '' },
    { watch: 'yes' },
    { watch: '1', fieldSelector: 'metadata.name=s' },
  ]) {
    await isRefused(await lister.get('/api/v1/namespaces/prod/secrets', query), 'watch', 'secrets')
    await isRefused(await lister.get('/api/v1/namespaces/prod/secrets/s', query), 'watch', 'secrets')
  }
  for (const query of [{}, { watch: '0' }, { watch: 'false' }, { fieldSelector: 'metadata.name=s' }]) {
    await isRefused(await watcher.get('/api/v1/namespaces/team/secrets', query), 'list', 'secrets')
    await isRefused(await watcher.get('/api/v1/namespaces/team/secrets/s', query), 'get', 'secrets')
  }
  const watch = await watcher.watch('/api/v1/namespaces/team/secrets')
  await watch.take(1)
  watch.stop()
  await isRefused(await watcher.get('/api/v1/secrets', { watch: '1' }), 'watch', 'secrets')
})

test('a right to one name reaches that name, however the selector is written', async () => {
  await at.api.create('/api/v1/namespaces/team/secrets', { metadata: { name: 'mine' } })
  const rule = {
    ...core(['get', 'list', 'watch', 'delete', 'deletecollection', 'create'], 'secrets'),
    resourceNames: ['mine'],
  }
  const api = await allow(at, 'narrow', [rule], 'team')
  const path = '/api/v1/namespaces/team/secrets'
  const refused = [
    'metadata.name!=mine',
    'metadata.name=s',
    'metadata.name=',
    'type=Opaque',
    'metadata.name\\=mine',
    'metadata.name=mine\\,',
    '',
  ]
  for (const fieldSelector of refused)
    for (const watch of ['0', '1'])
      assert.ok([400, 403].includes((await api.get(path, { fieldSelector, watch })).status), fieldSelector)
  for (const fieldSelector of [
    'metadata.name=mine',
    'metadata.name==mine',
    'metadata.name=mine,metadata.name!=s',
    'type=Opaque,metadata.name=mine',
  ])
    assert.deepEqual(
      (await api.get(path, { fieldSelector })).body.items.map(one => one.metadata.name),
      ['mine'],
    )
  const both = await api.get(path, { fieldSelector: 'metadata.name=mine,metadata.name=s' })
  assert.deepEqual(both.body.items, [])
  await isRefused(await api.get(`${path}/s`, { watch: '1', fieldSelector: 'metadata.name=mine' }), 'watch', 'secrets')
  await isRefused(
    await api.delete(path, undefined, { fieldSelector: 'metadata.name=mine' }),
    'deletecollection',
    'secrets',
  )
  await isRefused(await api.send('POST', path, { metadata: { name: 'mine' } }), 'create', 'secrets')
  const first = await at.api.get(path, { limit: '1' })
  const next = { continue: first.body.metadata.continue ?? '', fieldSelector: 'metadata.name=mine' }
  assert.ok((await api.get(path, next)).body.items.every(one => one.metadata.name === 'mine'))
})

test('deleting one, deleting all and pretending to delete are refused where there is no right', async () => {
  const one = await allow(at, 'remover', [core(['delete'], 'configmaps')], 'team')
  const all = await allow(at, 'sweeper', [core(['deletecollection'], 'configmaps')], 'team')
  const path = '/api/v1/namespaces/team/configmaps'
  await at.api.create(path, { metadata: { name: 'kept' } })
  for (const query of [{}, { dryRun: 'All' }, { labelSelector: 'no=such' }]) {
    await isRefused(await one.delete(path, undefined, query), 'deletecollection', 'configmaps')
    await isRefused(await all.delete(`${path}/kept`, undefined, query), 'delete', 'configmaps')
    await isRefused(
      await one.delete('/api/v1/namespaces/prod/configmaps/kube-root-ca.crt', undefined, query),
      'delete',
      'configmaps',
    )
  }
  await isRefused(
    await one.send('POST', path, { metadata: { name: 'x' } }, { query: { dryRun: 'All' } }),
    'create',
    'configmaps',
  )
  assert.equal((await at.api.get(`${path}/kept`)).status, 200)
})

test('subresources are resources of their own, in both directions', async () => {
  await at.api.create(widgetsPath, widget('w', { replicas: 1 }))
  await at.api.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } })
  const owner = await allow(at, 'owner', [
    core(everyVerb, 'namespaces', 'pods', 'serviceaccounts'),
    widgets(everyVerb, 'widgets'),
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: everyVerb },
  ])
  const csr = '/apis/certificates.k8s.io/v1/certificatesigningrequests/x'
  const parts: [string, string, string][] = [
    [widgetsPath, 'w', 'status'],
    [widgetsPath, 'w', 'scale'],
    ['/api/v1/namespaces', 'team', 'status'],
    ['/api/v1/namespaces', 'team', 'finalize'],
    ['/api/v1/namespaces/default/serviceaccounts', 'robot', 'token'],
    ['/api/v1/namespaces/default/pods', 'p', 'status'],
    ['/api/v1/namespaces/default/pods', 'p', 'eviction'],
    [csr.slice(0, -2), 'x', 'approval'],
    [csr.slice(0, -2), 'x', 'status'],
  ]
  for (const [path, name, part] of parts)
    for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']) {
      const answer = await owner.send(method, `${path}/${name}/${part}`, method === 'GET' ? undefined : {})
      assert.equal(answer.status, 403, `${method} ${path}/${name}/${part}`)
      assert.match(answer.body.message, new RegExp(`resource "${path.split('/').at(-1)}/${part}"`))
    }
  const clerk = await allow(at, 'part-owner', [widgets(everyVerb, 'widgets/status', 'widgets/scale')])
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
    await isRefused(await clerk.send(method, `${widgetsPath}/w`, method === 'GET' ? undefined : {}), '\\w+', 'widgets')
})

test('who may write a part changes that part alone', async () => {
  const before = await at.api.create(widgetsPath, widget('parts', { replicas: 1, size: 5 }))
  const path = `${widgetsPath}/parts`
  const clerk = await allow(at, 'clerk', [widgets(['get', 'update', 'patch'], 'widgets/status', 'widgets/scale')])
  const greedy = {
    metadata: { labels: { a: 'b' }, finalizers: ['x.y/z'] },
    spec: { size: 9, replicas: 3 },
    status: { phase: 'Done' },
  }
  const status = await clerk.merge(`${path}/status`, greedy)
  assert.deepEqual([status.status, status.body.status], [200, { phase: 'Done' }])
  assert.deepEqual([status.body.spec, status.body.metadata.labels], [before.spec, undefined])
  const scale = await clerk.merge(`${path}/scale`, greedy)
  assert.equal(scale.status, 200, scale.text)
  const { body } = await at.api.get(path)
  assert.deepEqual(body.spec, { ...before.spec, replicas: 3 })
  assert.deepEqual(
    [body.metadata.labels, body.metadata.finalizers, body.status],
    [undefined, undefined, { phase: 'Done' }],
  )
})

test('reviews about others need their own right, and local ones stay local', async () => {
  const anybody = as(at, 'anybody')
  const spec = {
    user: 'root',
    groups: ['system:masters'],
    resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'prod' },
  }
  const authorization = '/apis/authorization.k8s.io/v1'
  const local = (namespace: string) => `${authorization}/namespaces/${namespace}/localsubjectaccessreviews`
  await isRefused(
    await anybody.send('POST', `${authorization}/subjectaccessreviews`, { spec }),
    'create',
    'subjectaccessreviews',
  )
  await isRefused(await anybody.send('POST', local('prod'), { spec }), 'create', 'localsubjectaccessreviews')
  const reviews = '/apis/authentication.k8s.io/v1/tokenreviews'
  await isRefused(await anybody.send('POST', reviews, { spec: { token: 'x' } }), 'create', 'tokenreviews')
  const rule = { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] }
  const judge = await allow(at, 'judge', [rule], 'team')
  await isRefused(await judge.send('POST', local('prod'), { spec }), 'create', 'localsubjectaccessreviews')
  assert.equal((await judge.send('POST', local('team'), { spec })).status, 422)
  const everywhere = { ...spec, resourceAttributes: { verb: 'get', resource: 'secrets' } }
  assert.equal((await judge.send('POST', local('team'), { spec: everywhere })).status, 422)
  const own = await anybody.send('POST', `${authorization}/selfsubjectaccessreviews`, { spec })
  assert.deepEqual([own.status, own.body.status['allowed']], [201, false])
})

const whoAmI = (api: Api, headers: Record<string, string>) =>
  api.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { headers })

test('impersonation needs a right to each thing it asks for', async () => {
  const rule = (resource: string, ...resourceNames: string[]) => ({ ...core(['impersonate'], resource), resourceNames })
  const extra = {
    apiGroups: ['authentication.k8s.io'],
    resources: ['userextras/scopes'],
    verbs: ['impersonate'],
    resourceNames: ['dev'],
  }
  const actor = await allow(at, 'actor', [rule('users', 'bob'), rule('groups', 'crew'), extra])
  const good = await whoAmI(actor, {
    'impersonate-user': 'bob',
    'impersonate-group': 'crew',
    'impersonate-extra-scopes': 'dev',
  })
  assert.deepEqual(good.body.status['userInfo'], {
    username: 'bob',
    groups: ['crew', 'system:authenticated'],
    extra: { scopes: ['dev'] },
  })
  const refused: [Record<string, string>, RegExp][] = [
    [{ 'impersonate-user': 'eve' }, /"users" .*|users "eve" is forbidden/],
    [{ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }, /groups "system:masters" is forbidden/],
    [{ 'impersonate-user': 'bob', 'impersonate-uid': '1' }, /uids/],
    [{ 'impersonate-user': 'bob', 'impersonate-extra-scopes': 'prod' }, /userextras\/scopes/],
    [{ 'impersonate-user': 'bob', 'impersonate-extra-other': 'dev' }, /userextras\/other/],
    [{ 'impersonate-user': 'system:serviceaccount:team:default' }, /serviceaccounts "default" is forbidden.*"team"/],
    [{ 'impersonate-user': 'system:admin' }, /users "system:admin" is forbidden/],
  ]
  for (const [headers, why] of refused) {
    const answer = await whoAmI(actor, headers)
    assert.equal(answer.status, 403, JSON.stringify(headers))
    assert.match(answer.body.message, why)
  }
  for (const headers of [
    { 'impersonate-group': 'system:masters' },
    { 'impersonate-uid': '1' },
    { 'impersonate-extra-scopes': 'dev' },
  ]) {
    const answer = await whoAmI(actor, headers)
    assert.equal(answer.status, 500, JSON.stringify(headers))
    assert.match(answer.body.message, /without impersonating a user/)
  }
  assert.equal((await whoAmI(actor, { authorization: 'Bearer bad', 'impersonate-user': 'bob' })).status, 401)
  const nobody = as(at, 'system:anonymous', 'system:unauthenticated')
  assert.equal((await whoAmI(nobody, { 'impersonate-user': 'bob' })).status, 403)
})

test('somebody who is impersonated brings no rights of the impersonator', async () => {
  const actor = await allow(at, 'director', [core(['impersonate'], 'users'), core(['get'], 'secrets')])
  const path = '/api/v1/namespaces/prod/secrets/s'
  assert.equal((await actor.get(path)).status, 200)
  await isRefused(await actor.get(path, {}, { 'impersonate-user': 'extra' }), 'get', 'secrets')
})

const account = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`

test('tokens are made for the accounts one has a right to, and bind to objects of their namespace', async () => {
  for (const namespace of ['team', 'prod'])
    for (const name of ['robot', 'boss'])
      await at.api.create(account(namespace, '').slice(0, -1), { metadata: { name } })
  const rule = { ...core(['create'], 'serviceaccounts/token'), resourceNames: ['robot'] }
  const api = await allow(at, 'token-maker', [rule], 'team')
  const ask = (namespace: string, name: string, body: object = {}) =>
    api.send('POST', `${account(namespace, name)}/token`, body)
  const made = await ask('team', 'robot')
  assert.equal(made.status, 201)
  for (const [namespace, name] of [
    ['team', 'boss'],
    ['prod', 'robot'],
    ['team', 'default'],
  ] as const)
    await isRefused(await ask(namespace, name), 'create', 'serviceaccounts/token')
  assert.deepEqual(
    statuses([
      await ask('team', 'robot', { metadata: { name: 'boss' } }),
      await ask('team', 'robot', { metadata: { namespace: 'prod' } }),
      await ask('team', 'robot', {
        spec: { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'only-in-prod' } },
      }),
    ]),
    [400, 400, 404],
  )
  const foreign = await ask('team', 'robot', { spec: { audiences: ['elsewhere'] } })
  const bearer = (answer: Answer) => ({ authorization: `Bearer ${answer.body.status['token']}` })
  assert.equal((await whoAmI(at.api, bearer(made))).status, 201)
  assert.equal((await whoAmI(at.api, bearer(foreign))).status, 401)
})

test('a namespace that ends makes no more tokens, and its accounts end with it', async () => {
  await at.api.create('/api/v1/namespaces', { metadata: { name: 'ending' } })
  const finalizers = ['a.example.com/hold']
  await at.api.create('/api/v1/namespaces/ending/serviceaccounts', { metadata: { name: 'robot', finalizers } })
  const path = `${account('ending', 'robot')}/token`
  const made = await at.api.send('POST', path, {})
  await at.api.delete('/api/v1/namespaces/ending')
  const late = await at.api.send('POST', path, {})
  assert.equal(late.status, 403)
  assert.equal(
    late.body.message,
    'serviceaccounts "robot" is forbidden: unable to create new content in namespace ending because it is being terminated',
  )
  assert.equal(late.body.details.causes[0]?.reason, 'NamespaceTerminating')
  await at.api.merge(account('ending', 'robot'), { metadata: { finalizers: null } })
  await at.api.until('/api/v1/namespaces/ending', ({ status }) => status === 404)
  const headers = { authorization: `Bearer ${made.body.status['token']}` }
  assert.equal((await whoAmI(at.api, headers)).status, 401)
  await at.api.create('/api/v1/namespaces', { metadata: { name: 'ending' } })
  await at.api.create('/api/v1/namespaces/ending/serviceaccounts', { metadata: { name: 'robot' } })
  assert.equal((await whoAmI(at.api, headers)).status, 401, 'a successor of the same name is somebody else')
})
