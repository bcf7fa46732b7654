import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../api/status-error.ts'
import { createAuthority, issueClientCertificate, issueServerCertificate } from '../pki/index.ts'
import { Authenticator, type AuthenticatorOptions, bearerToken, type Credentials } from './authenticator.ts'
import { bind, clusterRole, newCluster, put, rule, toUser, user } from './cluster-fixture.ts'
import { newSigningKeyPem } from './jwt.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'

const signingKeyPem = newSigningKeyPem()

async function setup(options: Partial<AuthenticatorOptions> = {}) {
  const cluster = newCluster()
  const { clock, store } = cluster
  const tokens = new ServiceAccountTokens({ ...cluster, signingKey: signingKeyPem })
  const clientAuthority = await createAuthority({ commonName: 'ca', now: clock.now() })
  const authenticator = new Authenticator({
    ...cluster,
    tokens,
    clientAuthority,
    staticUsers: [
      { name: 'dev', token: 'dev-token', groups: ['devs'], uid: '7' },
      { name: 'root', token: 'root-token', groups: ['system:masters'] },
    ],
    ...options,
  })
  await put(store, { kind: 'ServiceAccount', name: 'agent', namespace: 'ns', uid: 'u' })
  const serviceAccount = store.get({ collection: 'serviceaccounts', namespace: 'ns', name: 'agent' })
  assert.ok(serviceAccount)
  const agentToken = tokens.issue({ serviceAccount, expirationSeconds: 600 }).token
  return { ...cluster, clientAuthority, authenticator, agentToken }
}

function refusal(run: () => unknown): StatusError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof StatusError, `not a StatusError: ${error}`)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('a static token stands for its user, who is authenticated', async () => {
  const { authenticator } = await setup()
  const expected = { name: 'dev', uid: '7', groups: ['devs', 'system:authenticated'] }
  for (const authorization of ['Bearer dev-token', 'bearer dev-token', 'BEARER dev-token ']) {
    assert.deepEqual(authenticator.authenticate({ authorization }), expected)
  }
})

test('a service account token stands for its account, who is authenticated', async () => {
  const { authenticator, agentToken } = await setup()
  const { name, groups } = authenticator.authenticate({ authorization: `Bearer ${agentToken}` })
  assert.equal(name, 'system:serviceaccount:ns:agent')
  assert.deepEqual(groups, ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'])
})

test('whoever shows nothing, or another scheme, is anonymous', async () => {
  const { authenticator } = await setup()
  for (const authorization of [undefined, '', 'Basic ZGV2', 'Bearer', 'Bearer ', 'dev-token']) {
    assert.deepEqual(authenticator.authenticate({ authorization }), {
      name: 'system:anonymous',
      groups: ['system:unauthenticated'],
    })
  }
})

test('an unknown token is 401 Unauthorized', async () => {
  const { authenticator } = await setup()
  const status = refusal(() => authenticator.authenticate({ authorization: 'Bearer nope' })).toStatus()
  assert.deepEqual([status['code'], status['reason'], status['message']], [401, 'Unauthorized', 'Unauthorized'])
})

test('without anonymous access nobody comes in without credentials', async () => {
  const { authenticator } = await setup({ anonymous: false })
  assert.equal(refusal(() => authenticator.authenticate({})).code, 401)
  assert.equal(authenticator.authenticate({ authorization: 'Bearer dev-token' }).name, 'dev')
})

test('a client certificate stands for its subject, before any token', async () => {
  const { authenticator, clientAuthority, clock } = await setup()
  const options = { user: 'kubelet', groups: ['nodes'], ttlSeconds: 600, now: clock.now() }
  const { certPem } = await issueClientCertificate(clientAuthority, options)
  const credentials: Credentials = { clientCertificate: certPem, authorization: 'Bearer dev-token' }
  const expected = { name: 'kubelet', groups: ['nodes', 'system:authenticated'] }
  assert.deepEqual(authenticator.authenticate(credentials), expected)
  assert.deepEqual(authenticator.authenticate(credentials), expected, 'the second time from memory')
})

test('a certificate is good until it expires, seen before or not', async () => {
  const { authenticator, clientAuthority, clock } = await setup()
  const options = { user: 'bob', groups: [], ttlSeconds: 600, now: clock.now() }
  const { certPem: clientCertificate } = await issueClientCertificate(clientAuthority, options)
  assert.equal(authenticator.authenticate({ clientCertificate }).name, 'bob')
  clock.advance(601_000)
  assert.equal(refusal(() => authenticator.authenticate({ clientCertificate })).code, 401)
})

test('certificates of others, for servers, without name or unreadable are 401, unless a token helps', async () => {
  const { authenticator, clientAuthority, clock } = await setup()
  const now = clock.now()
  const stranger = await createAuthority({ commonName: 'ca', now })
  const options = { user: 'root', groups: ['system:masters'], ttlSeconds: 600, now }
  const certificates = [
    (await issueClientCertificate(stranger, options)).certPem,
    (await issueServerCertificate(clientAuthority, { hosts: ['root'], now })).certPem,
    (await issueClientCertificate(clientAuthority, { ...options, user: '' })).certPem,
    'not a certificate',
  ]
  for (const clientCertificate of certificates) {
    assert.equal(refusal(() => authenticator.authenticate({ clientCertificate })).code, 401)
    const withToken = { clientCertificate, authorization: 'Bearer dev-token' }
    assert.equal(authenticator.authenticate(withToken).name, 'dev')
  }
})

test('an open server takes no web page for the admin: browsers send what any page wants', async () => {
  const { authenticator } = await setup({ open: true, staticUsers: [{ name: 'dev', token: 'token-of-dev' }] })
  const pages = [{ origin: 'https://evil.example.com' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]
  for (const headers of pages) {
    assert.throws(() => authenticator.authenticate({ headers }), { code: 403, message: /web pages must show a token/ })
    const known = authenticator.authenticate({ headers, authorization: 'Bearer token-of-dev' })
    assert.equal(known.name, 'dev')
  }
  assert.equal(authenticator.authenticate({ headers: { 'sec-fetch-mode': 'cors' } }).name, 'system:admin')
  assert.equal(authenticator.authenticate({ headers: { 'sec-fetch-site': 'none' } }).name, 'system:admin')
})

test('an open server knows whom it can and takes everybody else for the admin', async () => {
  const { authenticator } = await setup({ open: true })
  const name = (authorization?: string) => authenticator.authenticate({ authorization }).name
  assert.deepEqual([name(), name('Bearer nope'), name('Bearer dev-token')], ['system:admin', 'system:admin', 'dev'])
  assert.ok(authenticator.authenticate({}).groups.includes('system:masters'))
})

test('a caller known by other means goes before all credentials', async () => {
  const { authenticator } = await setup()
  const caller = user('inside')
  assert.equal(authenticator.authenticate({ caller, authorization: 'Bearer nope' }), caller)
})

const asRoot = { authorization: 'Bearer root-token' }

test('masters may be anybody; whoever is somebody is authenticated', async () => {
  const { authenticator } = await setup()
  const headers = {
    'impersonate-user': 'bob',
    'impersonate-group': ['g1', 'g,2'],
    'impersonate-uid': '9',
    'impersonate-extra-example.com%2Fscope': ['a', 'b'],
  }
  assert.deepEqual(authenticator.authenticate({ ...asRoot, headers }), {
    name: 'bob',
    uid: '9',
    groups: ['g1', 'g,2', 'system:authenticated'],
    extra: { 'example.com/scope': ['a', 'b'] },
  })
})

const impersonated: readonly [string, string | undefined, readonly string[]][] = [
  ['bob', undefined, ['system:authenticated']],
  ['bob', 'system:unauthenticated', ['system:unauthenticated']],
  ['system:anonymous', undefined, ['system:unauthenticated']],
  [
    'system:serviceaccount:ns:a',
    undefined,
    ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
  ],
  ['system:serviceaccount:ns:a', 'g', ['g', 'system:authenticated']],
]

for (const [name, group, groups] of impersonated) {
  test(`who impersonates ${name} with group ${group} is in ${groups.join(', ')}`, async () => {
    const { authenticator } = await setup()
    const headers = { 'impersonate-user': name, ...(group && { 'impersonate-group': group }) }
    assert.deepEqual(authenticator.authenticate({ ...asRoot, headers }), { name, groups })
  })
}

test('impersonation needs the verb for user, account, each group, uid and extra value', async () => {
  const { authenticator, store } = await setup()
  const authorization = 'Bearer dev-token'
  const attempt = (headers: Record<string, string>) => () => authenticator.authenticate({ authorization, headers })
  const user = { 'impersonate-user': 'bob' }
  assert.equal(
    refusal(attempt(user)).message,
    'users "bob" is forbidden: User "dev" cannot impersonate resource "users" in API group "" at the cluster scope',
  )
  assert.equal(
    refusal(attempt({ 'impersonate-user': 'system:serviceaccount:ns:a' })).message,
    'serviceaccounts "a" is forbidden: User "dev" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "ns"',
  )
  await put(store, bind('b', '', 'ClusterRole/r', toUser('dev')))
  await put(store, clusterRole('r', rule(['impersonate'], ['users'], { resourceNames: ['bob'] })))
  assert.equal(attempt(user)().name, 'bob')
  const refused: readonly [string, string, RegExp][] = [
    ['impersonate-group', 'g', /^groups "g" is forbidden/],
    ['impersonate-uid', '1', /^uids.authentication.k8s.io "1" is forbidden/],
    ['impersonate-extra-Scope', 'x', /^userextras.authentication.k8s.io "x" is forbidden.*"userextras\/scope"/],
  ]
  for (const [header, value, message] of refused) {
    assert.match(refusal(attempt({ ...user, [header.toLowerCase()]: value })).message, message)
  }
})

test('groups without a user are refused, and so is an extra key that is badly encoded', async () => {
  const { authenticator } = await setup()
  const code = (headers: Record<string, string>) =>
    refusal(() => authenticator.authenticate({ ...asRoot, headers })).code
  assert.equal(code({ 'impersonate-group': 'g' }), 500)
  assert.equal(code({ 'impersonate-extra-a': 'b' }), 500)
  for (const key of ['%zz', '', '__proto__']) {
    assert.equal(code({ 'impersonate-user': 'u', [`impersonate-extra-${key}`]: 'b' }), 400)
  }
})

test('anonymous callers impersonate nobody', async () => {
  const { authenticator } = await setup()
  assert.equal(refusal(() => authenticator.authenticate({ headers: { 'impersonate-user': 'bob' } })).code, 403)
})

test('only bearer tokens are read from the Authorization header', () => {
  assert.equal(bearerToken('Bearer a.b.c'), 'a.b.c')
  assert.equal(bearerToken('Basic a'), undefined)
  assert.equal(bearerToken(undefined), undefined)
})
