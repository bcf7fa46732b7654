import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'

const at = inProcess({
  auth: { users: [{ name: 'dev', token: 'token-of-a-developer', groups: ['team'] }] },
})
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const secrets = '/api/v1/namespaces/default/secrets'
const as = (name: string, ...groups: string[]) => new Api(at.server.transport({ name, groups }))

async function grant(user: string, rules: unknown[], name = user): Promise<void> {
  await at.api.create(`${rbac}/roles`, { metadata: { name }, rules })
  await at.api.create(`${rbac}/rolebindings`, {
    metadata: { name },
    roleRef: { kind: 'Role', name },
    subjects: [{ kind: 'User', name: user }],
  })
}

test('a refusal says who may not do what where', async () => {
  const message = async (api: Api, method: string, path: string, body?: unknown) => {
    const answer = await api.send(method, path, body)
    assert.equal(answer.status, 403)
    return answer.body.message
  }
  const dev = as('dev')
  assert.equal(
    await message(dev, 'GET', secrets),
    'secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" in the namespace "default"',
  )
  assert.equal(
    await message(dev, 'GET', `${secrets}/q`),
    'secrets "q" is forbidden: User "dev" cannot get resource "secrets" in API group "" in the namespace "default"',
  )
  assert.equal(
    await message(dev, 'GET', '/apis/apps/v1/deployments'),
    'deployments.apps is forbidden: User "dev" cannot list resource "deployments" in API group "apps" at the cluster scope',
  )
  assert.match(
    await message(dev, 'PATCH', '/api/v1/namespaces/default/pods/p/status', {}),
    /cannot patch resource "pods\/status"/,
  )
  assert.equal(await message(dev, 'GET', '/metrics'), 'forbidden: User "dev" cannot get path "/metrics"')
  assert.match(
    await message(new Api(at.server.transport({ name: 'x', groups: [] })), 'GET', '/api/v1/namespaces/default'),
    /cannot get resource "namespaces" in API group "" in the namespace "default"/,
  )
})

test('tokens and the caller of the transport say who calls; a bad token is 401', async () => {
  const whoami = async (headers: Record<string, string>) =>
    at.api.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { headers })
  const byToken = await whoami({ authorization: 'Bearer token-of-a-developer' })
  assert.deepEqual(byToken.body.status['userInfo'], { username: 'dev', groups: ['team', 'system:authenticated'] })
  const bad = await whoami({ authorization: 'Bearer wrong' })
  assert.deepEqual([bad.status, bad.body.reason, bad.body.message], [401, 'Unauthorized', 'Unauthorized'])
  const impersonated = await whoami({ 'impersonate-user': 'bob', 'impersonate-group': 'g1' })
  assert.deepEqual(impersonated.body.status['userInfo'], { username: 'bob', groups: ['g1', 'system:authenticated'] })
  const refused = await as('dev').get(secrets, {}, { 'impersonate-user': 'bob' })
  assert.match(refused.body.message, /cannot impersonate resource "users"/)
})

test('a list or watch of one name needs a right to that name only', async () => {
  await grant('narrow', [
    { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch', 'get'], resourceNames: ['mine'] },
  ])
  const api = as('narrow')
  assert.equal((await api.get(secrets)).status, 403)
  assert.equal((await api.get(secrets, { fieldSelector: 'metadata.name=mine' })).status, 200)
  assert.equal((await api.get(secrets, { fieldSelector: 'metadata.name=other' })).status, 403)
  const watch = await api.watch(secrets, { fieldSelector: 'metadata.name=mine' })
  watch.stop()
})

test('apply needs the right to patch, and to create where nothing is', async () => {
  await grant('patcher', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }])
  const path = '/api/v1/namespaces/default/configmaps/applied'
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { a: 'b' } }
  const query = { fieldManager: 'm' }
  const refused = await as('patcher').apply(path, body, query)
  assert.equal(refused.status, 403)
  assert.match(refused.body.message, /cannot create resource "configmaps"/)
  assert.equal((await at.api.apply(path, body, query)).status, 201)
  assert.equal((await as('patcher').apply(path, { ...body, data: { a: 'b', c: 'd' } }, query)).status, 200)
  await grant('updater', [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] }])
  const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
  assert.equal((await as('updater').send('PUT', lease, { metadata: { name: 'l' }, spec: {} })).status, 403)
})

test('nobody can grant what they do not have', async () => {
  await grant('granter', [
    {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'rolebindings'],
      verbs: ['create', 'update', 'patch'],
    },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  ])
  const api = as('granter')
  const role = (name: string, resources: string[]) => ({
    metadata: { name },
    rules: [{ apiGroups: [''], resources, verbs: ['get'] }],
  })
  assert.equal((await api.send('POST', `${rbac}/roles`, role('held', ['configmaps']))).status, 201)
  const refused = await api.send('POST', `${rbac}/roles`, role('more', ['secrets']))
  assert.equal(refused.status, 403)
  assert.match(refused.body.message, /is attempting to grant RBAC permissions not currently held/)
  assert.equal((await api.merge(`${rbac}/roles/held`, role('held', ['secrets']))).status, 403)
  const binding = {
    metadata: { name: 'up' },
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', name: 'granter' }],
  }
  assert.equal((await api.send('POST', `${rbac}/rolebindings`, binding)).status, 403)
})

test('approving a certificate request needs the right to its signer', async () => {
  const cluster = '/apis/rbac.authorization.k8s.io/v1'
  const rules = [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests/approval'],
      verbs: ['update', 'patch'],
    },
  ]
  await at.api.create(`${cluster}/clusterroles`, { metadata: { name: 'approver' }, rules })
  await at.api.create(`${cluster}/clusterrolebindings`, {
    metadata: { name: 'approver' },
    roleRef: { kind: 'ClusterRole', name: 'approver' },
    subjects: [{ kind: 'User', name: 'approver' }],
  })
  const { createCertificateRequest } = await import('../pki/index.ts')
  const { generateKeyPairSync } = await import('node:crypto')
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const request = (groups: string[]) =>
    Buffer.from(createCertificateRequest({ user: 'a', groups, key })).toString('base64')
  const spec = { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] }
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  await at.api.create(path, { metadata: { name: 'r' }, spec: { ...spec, request: request([]) } })
  const approval = { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'x' }] } }
  const refused = await as('approver').merge(`${path}/r/approval`, approval)
  assert.equal(refused.status, 403)
  assert.match(refused.body.message, /user not permitted to approve requests with signerName/)
  await at.api.merge(`${cluster}/clusterroles/approver`, {
    rules: [
      ...rules,
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        verbs: ['approve'],
        resourceNames: [spec.signerName],
      },
    ],
  })
  assert.equal((await as('approver').merge(`${path}/r/approval`, approval)).status, 200)
  const masters = await at.api.send('POST', path, {
    metadata: { name: 'm' },
    spec: { ...spec, request: request(['system:masters']) },
  })
  assert.equal(masters.status, 403)
})

test('a token of a service account works until the account is gone', async () => {
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  await at.api.create(accounts, { metadata: { name: 'robot' } })
  const { body } = await at.api.send('POST', `${accounts}/robot/token`, { spec: {} })
  const headers = { authorization: `Bearer ${body.status['token']}` }
  const refused = await at.api.get(secrets, {}, headers)
  assert.match(refused.body.message, /User "system:serviceaccount:default:robot" cannot list/)
  await at.api.delete(`${accounts}/robot`)
  assert.equal((await at.api.get(secrets, {}, headers)).status, 401)
  assert.equal((await at.api.send('POST', `${accounts}/robot/token`, { spec: {} })).status, 404)
})

test('without access control everybody may do everything, under their own name', async () => {
  const { KubeServer } = await import('./kube-server.ts')
  const open = await KubeServer.start({ listen: false })
  const api = new Api(open.transport('somebody'))
  const who = await api.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
  assert.deepEqual(who.body.status['userInfo'], { username: 'somebody', groups: ['system:authenticated'] })
  assert.equal((await api.send('POST', secrets, { metadata: { name: 'a' } })).status, 201)
  assert.match(open.kubeconfig('anyone'), /insecure-skip-tls-verify: true/)
  await open.stop()
})
