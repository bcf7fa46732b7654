import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { allow, as } from '../../test/access.ts'
import { type Answer, type Api, causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { createCertificateRequest } from '../pki/index.ts'

const at = inProcess({ auth: {} })
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const cluster = '/apis/rbac.authorization.k8s.io/v1'
const local = `${cluster}/namespaces/default`
const clientSigner = 'kubernetes.io/kube-apiserver-client'

const verdict = ({ status, body }: Answer) => [status, body.message]
const on = (resource: string, ...verbs: string[]) => ({
  apiGroups: ['certificates.k8s.io'],
  resources: [resource],
  verbs,
})
const signer = (verb: string, name: string) => ({ ...on('signers', verb), resourceNames: [name] })
const conditions = (...types: string[]) => ({ status: { conditions: types.map(type => ({ type, status: 'True' })) } })

function ask(name: string, { groups = [] as string[], signerName = clientSigner } = {}) {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const request = Buffer.from(createCertificateRequest({ user: 'agent', groups, key })).toString('base64')
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request, signerName, usages: ['client auth'] },
  }
}

/** Every way to write one subresource. */
async function everyWay(api: Api, path: string, part: string, change: object): Promise<Answer[]> {
  const { body } = await at.api.get(path)
  const { apiVersion, kind } = body
  return [
    await api.merge(`${path}/${part}`, change),
    await api.send('PUT', `${path}/${part}`, { ...body, ...change }),
    await api.apply(
      `${path}/${part}`,
      { apiVersion, kind, metadata: { name: body.metadata.name }, ...change },
      { fieldManager: 'm', force: 'true' },
    ),
    await api.merge(`${path}/${part}`, change, { dryRun: 'All' }),
  ]
}

test('approving and denying need the right to the signer, whichever way they are written', async () => {
  const api = await allow(at, 'approver', [
    on('certificatesigningrequests/approval', 'update', 'patch'),
    signer('approve', 'example.com/mine'),
    signer('approve', 'wide.example.com/*'),
  ])
  await at.api.create(requests, ask('theirs', { signerName: 'example.com/theirs' }))
  for (const type of ['Approved', 'Denied'])
    for (const answer of await everyWay(api, `${requests}/theirs`, 'approval', conditions(type)))
      assert.deepEqual(verdict(answer), [
        403,
        'certificatesigningrequests.certificates.k8s.io "theirs" is forbidden: user not permitted to approve requests with signerName "example.com/theirs"',
      ])
  for (const name of ['example.com/mine', 'wide.example.com/any']) {
    const { metadata } = await at.api.create(requests, ask(`of-${name.split('/')[1]}`, { signerName: name }))
    const path = `${requests}/${metadata.name}`
    assert.equal((await api.merge(`${path}/approval`, conditions('Approved'))).status, 200)
  }
})

test('a certificate or a failure needs the right to sign; other conditions do not', async () => {
  const rights = on('certificatesigningrequests/status', 'update', 'patch')
  const clerk = await allow(at, 'clerk', [rights])
  const notary = await allow(at, 'notary', [rights, signer('sign', 'example.com/mine')])
  await at.api.create(requests, ask('unsigned', { signerName: 'example.com/mine' }))
  const path = `${requests}/unsigned`
  const authority = (await at.api.get('/api/v1/namespaces/default/configmaps/kube-root-ca.crt')).body.data['ca.crt']
  const certificate = { status: { certificate: Buffer.from(String(authority)).toString('base64') } }
  for (const change of [certificate, conditions('Failed')])
    for (const answer of await everyWay(clerk, path, 'status', change))
      assert.deepEqual(verdict(answer), [
        403,
        'certificatesigningrequests.certificates.k8s.io "unsigned" is forbidden: user not permitted to sign requests with signerName "example.com/mine"',
      ])
  assert.equal((await clerk.merge(`${path}/status`, conditions('Noted'))).status, 200)
  assert.equal((await notary.merge(`${path}/status`, certificate)).status, 200)
})

test('nobody, not even a master, asks the client signer for a certificate of system:masters', async () => {
  const text =
    'certificatesigningrequests.certificates.k8s.io "m" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed'
  const body = ask('m', { groups: ['team', 'system:masters'] })
  const author = await allow(at, 'author', [on('certificatesigningrequests', 'create', 'patch')])
  for (const api of [at.api, author]) {
    assert.deepEqual(verdict(await api.send('POST', requests, body)), [403, text])
    assert.deepEqual(verdict(await api.apply(`${requests}/m`, body, { fieldManager: 'm' })), [403, text])
  }
  assert.equal((await author.send('POST', requests, ask('plain', { groups: ['team'] }))).status, 201)
  const { body: other } = await author.send(
    'POST',
    requests,
    ask('other', { groups: ['system:masters'], signerName: 'a.b/c' }),
  )
  assert.equal(other.spec['username'], 'author')
})

test('an author cannot approve what they asked for, through no endpoint and at no time', async () => {
  const author = await allow(at, 'self', [on('certificatesigningrequests', 'create', 'get', 'update', 'patch')])
  const created = await author.create(requests, { ...ask('self'), ...conditions('Approved') })
  assert.equal(created.status, undefined)
  const path = `${requests}/self`
  assert.equal((await author.merge(path, conditions('Approved'))).body.status, undefined)
  assert.equal((await author.send('PUT', path, { ...created, ...conditions('Approved') })).body.status, undefined)
  for (const part of ['approval', 'status'])
    assert.match((await author.merge(`${path}/${part}`, conditions('Approved'))).body.message, /cannot patch resource/)
  const renamed = await author.merge(path, { spec: { username: 'system:admin', groups: ['system:masters'] } })
  assert.deepEqual([renamed.body.spec['username'], renamed.body.spec['groups']], ['self', ['system:authenticated']])
})

const rbac = (verbs: string[], ...resources: string[]) => ({
  apiGroups: ['rbac.authorization.k8s.io'],
  resources,
  verbs,
})
const mayWrite = rbac(['create', 'update', 'patch'], 'roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')
const reading = (...resources: string[]) => ({ apiGroups: [''], resources, verbs: ['get'] })
const role = (name: string, ...resources: string[]) => ({ metadata: { name }, rules: [reading(...resources)] })
const kinds = [
  ['Role', `${local}/roles`],
  ['ClusterRole', `${cluster}/clusterroles`],
] as const

test('a role with more than its author has is refused, by create, update, patch and apply', async () => {
  const api = await allow(at, 'maker', [mayWrite, reading('configmaps')])
  for (const [kind, path] of kinds) {
    const plural = `${kind.toLowerCase()}s`
    const refusal = (name: string) => [
      403,
      `${plural}.rbac.authorization.k8s.io "${name}" is forbidden: user "maker" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
    ]
    assert.deepEqual(verdict(await api.send('POST', path, role('more', 'secrets', 'configmaps'))), refusal('more'))
    assert.deepEqual(verdict(await api.send('PUT', `${path}/more`, role('more', 'secrets'))), refusal('more'))
    const applied = { apiVersion: 'rbac.authorization.k8s.io/v1', kind, ...role('more', 'secrets') }
    assert.deepEqual(verdict(await api.apply(`${path}/more`, applied, { fieldManager: 'm' })), refusal('more'))
    const dry = await api.send('POST', path, role('more', 'secrets'), { query: { dryRun: 'All' } })
    assert.deepEqual(verdict(dry), refusal('more'))
    const { metadata } = await api.create(path, role('held', 'configmaps'))
    assert.deepEqual(verdict(await api.merge(`${path}/held`, role('held', 'secrets'))), refusal('held'))
    const put = await api.send('PUT', `${path}/held`, { ...role('held', 'secrets'), metadata })
    assert.deepEqual(verdict(put), refusal('held'))
    const patch = [{ op: 'add', path: '/rules/0/resources/-', value: 'secrets' }]
    const pointed = await api.send('PATCH', `${path}/held`, patch, { type: 'application/json-patch+json' })
    assert.deepEqual(verdict(pointed), refusal('held'))
  }
  const aggregated = {
    metadata: { name: 'all' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  }
  assert.deepEqual(verdict(await api.send('POST', `${cluster}/clusterroles`, aggregated)), [
    403,
    'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use an aggregationRule',
  ])
})

test('what is already too much may be labelled by nobody who does not hold it', async () => {
  const api = await allow(at, 'labeller', [mayWrite])
  await at.api.create(`${cluster}/clusterroles`, role('mighty', 'secrets'))
  const path = `${cluster}/clusterroles/mighty`
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  assert.equal((await api.merge(path, { metadata: { labels } })).status, 403)
  assert.equal((await api.merge(path, { metadata: { finalizers: ['a.example.com/b'] } })).status, 200)
  assert.equal((await at.api.merge(path, { metadata: { finalizers: null } })).status, 200)
})

test('escalate allows any role; it does not allow binding it', async () => {
  const api = await allow(at, 'escalator', [mayWrite, rbac(['escalate'], 'roles', 'clusterroles')])
  for (const [kind, path] of kinds) {
    await api.create(path, role('escalated', 'secrets'))
    assert.equal((await api.merge(`${path}/escalated`, role('escalated', 'pods'))).status, 200)
    const bindings = kind === 'Role' ? `${local}/rolebindings` : `${cluster}/clusterrolebindings`
    const bound = await api.send('POST', bindings, binding('own', kind, 'escalated', 'escalator'))
    assert.equal(bound.status, 403)
    assert.match(bound.body.message, /attempting to grant RBAC permissions not currently held:\n.*"pods"/)
  }
})

function binding(name: string, kind: string, to: string, user: string) {
  return { metadata: { name }, roleRef: { kind, name: to }, subjects: [{ kind: 'User', name: user }] }
}

test('binding needs the rights of the role, or the right to bind it', async () => {
  const poor = await allow(at, 'poor', [mayWrite])
  const rich = await allow(at, 'rich', [mayWrite, reading('pods')])
  await at.api.create(`${cluster}/clusterroles`, role('pod-reader', 'pods'))
  const binder = await allow(at, 'binder', [mayWrite, { ...rbac(['bind'], 'clusterroles'), resourceNames: ['view'] }])
  for (const path of [`${local}/rolebindings`, `${cluster}/clusterrolebindings`]) {
    const refused = await poor.send('POST', path, binding('up', 'ClusterRole', 'cluster-admin', 'poor'))
    assert.equal(refused.status, 403)
    assert.match(
      refused.body.message,
      /not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/,
    )
    assert.equal((await binder.send('POST', path, binding('up', 'ClusterRole', 'edit', 'x'))).status, 403)
    assert.equal((await binder.send('POST', path, binding('down', 'ClusterRole', 'view', 'x'))).status, 201)
    assert.equal((await rich.send('POST', path, binding('same', 'ClusterRole', 'pod-reader', 'x'))).status, 201)
    assert.equal((await rich.send('POST', path, binding('up', 'ClusterRole', 'cluster-admin', 'x'))).status, 403)
    const joined = await poor.merge(`${path}/down`, { subjects: [{ kind: 'User', name: 'poor' }] })
    assert.equal(joined.status, 403)
    const missing = await poor.send('POST', path, binding('none', 'ClusterRole', 'not-there', 'poor'))
    assert.deepEqual(verdict(missing), [404, 'clusterrole.rbac.authorization.k8s.io "not-there" not found'])
  }
})

test('a right in one namespace does not go into a binding of another', async () => {
  await at.api.create('/api/v1/namespaces', { metadata: { name: 'next' } })
  const api = await allow(at, 'local', [mayWrite, reading('secrets')], 'default')
  await at.api.create(`${cluster}/clusterroles`, role('secret-reader', 'secrets'))
  const body = binding('readers', 'ClusterRole', 'secret-reader', 'friend')
  assert.equal((await api.send('POST', `${local}/rolebindings`, body)).status, 201)
  const away = await api.send('POST', `${cluster}/namespaces/next/rolebindings`, body)
  assert.match(away.body.message, /cannot create resource "rolebindings" .* in the namespace "next"/)
  const foreign = { ...body, metadata: { name: 'foreign', namespace: 'next' } }
  assert.equal((await api.send('POST', `${local}/rolebindings`, foreign)).status, 400)
  assert.equal((await api.send('POST', `${cluster}/clusterrolebindings`, body)).status, 403)
})

test('a binding keeps its role for ever, whoever writes it and however', async () => {
  for (const path of [`${local}/rolebindings`, `${cluster}/clusterrolebindings`]) {
    const created = await at.api.create(path, binding('fixed', 'ClusterRole', 'view', 'x'))
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }
    const { apiVersion, kind } = created
    const answers = [
      await at.api.merge(`${path}/fixed`, { roleRef }),
      await at.api.send('PUT', `${path}/fixed`, { ...created, roleRef }),
      await at.api.apply(
        `${path}/fixed`,
        { apiVersion, kind, metadata: { name: 'fixed' }, roleRef },
        { fieldManager: 'm', force: 'true' },
      ),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 422, answer.text)
      assert.deepEqual(causeFields(answer), ['roleRef'])
      assert.match(answer.body.message, /cannot change roleRef$/)
    }
  }
})

test('members of system:masters grant what they like; others who call themselves so do not', async () => {
  const master = as(at, 'root', 'system:masters')
  assert.equal((await master.send('POST', `${cluster}/clusterroles`, role('by-master', 'secrets'))).status, 201)
  const pretender = as(at, 'system:masters', 'system:admins')
  assert.equal((await pretender.send('POST', `${cluster}/clusterroles`, role('x', 'secrets'))).status, 403)
})
