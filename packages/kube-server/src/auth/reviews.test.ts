import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from './access-reviews.ts'
import { bind, clusterRole, newCluster, put, rule, toGroup, toUser, user } from './cluster-fixture.ts'
import { selfSubjectReview, tokenReview } from './identity-reviews.ts'
import { newSigningKeyPem } from './jwt.ts'
import { openAuthorizer } from './rbac-authorizer.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import { requestToken, type TokenRequestContext } from './token-request.ts'

const bob = user('bob', 'g')

async function authorizerOf(...subjects: JsonObject[]) {
  const { store, authorizer } = newCluster()
  await put(store, clusterRole('r', rule(['list'], ['secrets']), { verbs: ['get'], nonResourceURLs: ['/metrics'] }))
  await put(store, bind('b', '', 'ClusterRole/r', ...subjects))
  return authorizer
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

const listSecrets = { resourceAttributes: { namespace: 'ns', verb: 'list', resource: 'secrets' } }
const reason = 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "bob"'

test('a self access review echoes the question with the answer', async () => {
  const authorizer = await authorizerOf(toUser('bob'))
  assert.deepEqual(selfSubjectAccessReview({ spec: listSecrets }, bob, authorizer), {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec: listSecrets,
    status: { allowed: true, reason },
  })
})

test('a denial without anything to say has no reason', async () => {
  const authorizer = await authorizerOf(toUser('eve'))
  assert.deepEqual(selfSubjectAccessReview({ spec: listSecrets }, bob, authorizer)['status'], { allowed: false })
})

test('access reviews know paths', async () => {
  const authorizer = await authorizerOf(toUser('bob'))
  const ask = (path: string) =>
    selfSubjectAccessReview({ spec: { nonResourceAttributes: { verb: 'get', path } } }, bob, authorizer)['status']
  assert.deepEqual(ask('/metrics'), { allowed: true, reason })
  assert.deepEqual(ask('/other'), { allowed: false })
})

test('a subject access review answers for the user and the groups it names', async () => {
  const authorizer = await authorizerOf(toUser('bob'), toGroup('readers'))
  const ask = (subject: JsonObject) =>
    (subjectAccessReview({ spec: { ...listSecrets, ...subject } }, authorizer)['status'] as JsonObject)['allowed']
  assert.equal(ask({ user: 'bob' }), true)
  assert.equal(ask({ user: 'nobody' }), false)
  assert.equal(ask({ groups: ['x', 'readers'] }), true)
  assert.equal(ask({ user: 'nobody', uid: '1', extra: { a: ['b'] }, groups: [] }), false)
})

const invalidReviews: readonly [string, JsonObject, string][] = [
  ['nothing to ask', { spec: { user: 'bob' } }, 'spec.resourceAttributes'],
  [
    'two things to ask',
    { spec: { user: 'bob', ...listSecrets, nonResourceAttributes: { path: '/a' } } },
    'spec.nonResourceAttributes',
  ],
  ['nobody to ask about', { spec: listSecrets }, 'spec.user'],
  ['a name', { metadata: { name: 'x' }, spec: { user: 'bob', ...listSecrets } }, 'metadata'],
]

for (const [what, body, field] of invalidReviews) {
  test(`a subject access review with ${what} is 422 at ${field}`, () => {
    const error = refusal(() => subjectAccessReview(body, openAuthorizer))
    assert.equal(error.code, 422)
    assert.deepEqual(
      error.details?.causes?.map(cause => cause.field),
      [field],
    )
  })
}

test('members of the wrong type are 400', () => {
  for (const spec of [
    { user: 1, ...listSecrets },
    { groups: 'g', ...listSecrets },
    { groups: [1], ...listSecrets },
    { user: 'u', extra: { a: 'b' }, ...listSecrets },
    { user: 'u', resourceAttributes: [] },
    { user: 'u', resourceAttributes: { verb: 1 } },
  ] as JsonObject[]) {
    assert.equal(refusal(() => subjectAccessReview({ spec }, openAuthorizer)).code, 400, JSON.stringify(spec))
  }
  assert.equal(refusal(() => selfSubjectAccessReview({ spec: 'x' }, bob, openAuthorizer)).code, 400)
})

test('metadata that says nothing, as typed clients send it, is fine', async () => {
  const metadata = { creationTimestamp: null, managedFields: [{}], name: '', labels: {} } as JsonObject
  assert.ok(selfSubjectAccessReview({ metadata, spec: listSecrets }, bob, openAuthorizer))
})

test('a local review asks in its own namespace and for no path', async () => {
  const spec = { user: 'bob', ...listSecrets }
  const answered = localSubjectAccessReview({ metadata: { namespace: 'ns' }, spec }, 'ns', openAuthorizer)
  assert.deepEqual(answered['metadata'], { namespace: 'ns', creationTimestamp: null })
  assert.deepEqual(answered['status'], { allowed: true })
  const code = (body: JsonObject) => refusal(() => localSubjectAccessReview(body, 'other', openAuthorizer)).code
  assert.equal(code({ spec }), 422)
  assert.equal(code({ spec: { user: 'bob', nonResourceAttributes: { path: '/a', verb: 'get' } } }), 422)
  assert.equal(code({ metadata: { namespace: 'ns' }, spec }), 400)
})

test('a rules review lists what holds in a namespace', async () => {
  const authorizer = await authorizerOf(toUser('bob'))
  assert.deepEqual(selfSubjectRulesReview({ spec: { namespace: 'ns' } }, bob, authorizer)['status'], {
    resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['secrets'] }],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
    incomplete: false,
  })
  assert.equal(refusal(() => selfSubjectRulesReview({ spec: {} }, bob, authorizer)).code, 400)
})

test('a rules review says when a role is missing', async () => {
  const { store, authorizer } = newCluster()
  await put(store, bind('b', '', 'ClusterRole/gone', toUser('bob')))
  assert.deepEqual(selfSubjectRulesReview({ spec: { namespace: 'ns' } }, bob, authorizer)['status'], {
    resourceRules: [],
    nonResourceRules: [],
    incomplete: true,
    evaluationError: 'clusterrole.rbac.authorization.k8s.io "gone" not found',
  })
})

test('a self review tells everything about the caller', () => {
  const caller = { name: 'bob', uid: '7', groups: ['g'], extra: { a: ['b'] } }
  const status = selfSubjectReview({}, caller, '2026-01-01T00:00:00Z')['status']
  assert.deepEqual(status, { userInfo: { username: 'bob', uid: '7', groups: ['g'], extra: { a: ['b'] } } })
})

const identifier = {
  identifyToken: (token: string, audiences: readonly string[] = ['api']) =>
    token === 'good' ? { user: bob, audiences } : undefined,
}

test('a token review answers for good and bad tokens alike, and asks for the audiences it was given', () => {
  const ask = (spec: JsonObject) => tokenReview({ spec }, identifier)['status']
  const user = { username: 'bob', groups: ['g'] }
  assert.deepEqual(ask({ token: 'good' }), { authenticated: true, user, audiences: ['api'] })
  assert.deepEqual(ask({ token: 'good', audiences: ['x'] }), { authenticated: true, user, audiences: ['x'] })
  assert.deepEqual(ask({ token: 'bad' }), { user: {}, error: 'invalid bearer token' })
  assert.equal(refusal(() => ask({})).code, 400)
})

async function accountContext(): Promise<TokenRequestContext> {
  const cluster = newCluster()
  await put(cluster.store, { kind: 'ServiceAccount', name: 'agent', namespace: 'ns', uid: 'u' })
  await put(cluster.store, { kind: 'Secret', name: 's', namespace: 'ns', uid: 'su' })
  const pod = (name: string, serviceAccountName: string) =>
    put(cluster.store, { kind: 'Pod', name, namespace: 'ns', uid: `${name}u`, body: { spec: { serviceAccountName } } })
  await pod('mine', 'agent')
  await pod('other', 'default')
  const tokens = new ServiceAccountTokens({ ...cluster, signingKey: newSigningKeyPem() })
  return { ...cluster, tokens, namespace: 'ns', name: 'agent', nowMs: cluster.clock.now() }
}

test('a token request gives an hour and the audience of the server unless it asks otherwise', async () => {
  const context = await accountContext()
  const answered = requestToken({}, context)
  const status = answered['status'] as { token: string; expirationTimestamp: string }
  assert.equal(status.expirationTimestamp, '2026-01-01T01:00:00Z')
  assert.equal(context.tokens.verify(status.token)?.user.name, 'system:serviceaccount:ns:agent')
  assert.deepEqual(answered['metadata'], { name: 'agent', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' })
  assert.deepEqual(answered['spec'], {
    audiences: ['https://kubernetes.default.svc.cluster.local'],
    expirationSeconds: 3600,
    boundObjectRef: null,
  })
})

test('a token request with its own audience and lifetime gets them', async () => {
  const context = await accountContext()
  const spec = { audiences: ['vault'], expirationSeconds: 600 }
  const { token, expirationTimestamp } = requestToken({ spec }, context)['status'] as Record<string, string>
  assert.equal(expirationTimestamp, '2026-01-01T00:10:00Z')
  assert.equal(context.tokens.verify(token ?? ''), undefined)
  assert.ok(context.tokens.verify(token ?? '', ['vault']))
})

test('a token can be bound to a secret or a pod of the account', async () => {
  const context = await accountContext()
  for (const [kind, name] of [
    ['Secret', 's'],
    ['Pod', 'mine'],
  ] as const) {
    const boundObjectRef = { apiVersion: 'v1', kind, name }
    const { token } = requestToken({ spec: { boundObjectRef } }, context)['status'] as Record<string, string>
    assert.ok(context.tokens.verify(token ?? ''), kind)
  }
})

const ref = (more: JsonObject) => ({
  spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's', ...more } },
})
const refusedRequests: readonly [string, JsonObject, number, RegExp][] = [
  [
    '60 seconds',
    { spec: { expirationSeconds: 60 } },
    422,
    /^TokenRequest.authentication.k8s.io "agent" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes$/,
  ],
  ['200 years', { spec: { expirationSeconds: 2 ** 33 } }, 422, /larger than 2\^32 seconds$/],
  ['half a second', { spec: { expirationSeconds: 600.5 } }, 400, /integer/],
  ['another name', { metadata: { name: 'x' } }, 400, /does not match the name on the URL/],
  ['another namespace', { metadata: { namespace: 'x' } }, 400, /does not match the namespace/],
  ['an object of another kind', ref({ kind: 'ConfigMap' }), 400, /to object of type ConfigMap$/],
  ['an object of another version', ref({ apiVersion: 'v2' }), 400, /to object of type/],
  ['a secret that does not exist', ref({ name: 'gone' }), 404, /^secrets "gone" not found$/],
  ['no name of the bound object', ref({ name: '' }), 422, /spec.boundObjectRef.name: Required value/],
  ['another uid', ref({ uid: 'x' }), 409, /the UID in the bound object reference \(x\) does not match/],
  ['the pod of another account', ref({ kind: 'Pod', name: 'other' }), 400, /different serviceaccount name/],
]

for (const [what, body, code, message] of refusedRequests) {
  test(`a token request with ${what} is ${code}`, async () => {
    const context = await accountContext()
    const error = refusal(() => requestToken(body, context))
    assert.equal(error.code, code)
    assert.match(error.message, message)
  })
}

test('a token request for an account that does not exist is 404', async () => {
  const context = await accountContext()
  const error = refusal(() => requestToken({}, { ...context, name: 'none' }))
  assert.deepEqual([error.code, error.message], [404, 'serviceaccounts "none" not found'])
})

test('a dry run checks everything and gives no token', async () => {
  const context = { ...(await accountContext()), isDryRun: true }
  assert.equal((requestToken({}, context)['status'] as JsonObject)['token'], '')
  assert.equal(refusal(() => requestToken({ spec: { expirationSeconds: 1 } }, context)).code, 422)
})
