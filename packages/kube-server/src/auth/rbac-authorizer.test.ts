import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access, ResourceAccess } from './access.ts'
import {
  bind,
  type Cluster,
  clusterRole,
  type FixtureObject,
  newCluster,
  put,
  remove,
  role,
  rule,
  toAccount,
  toGroup,
  toUser,
  user,
} from './cluster-fixture.ts'
import { openAuthorizer } from './rbac-authorizer.ts'

const bob = user('bob', 'devs', 'system:authenticated')

async function clusterOf(...objects: readonly FixtureObject[]): Promise<Cluster> {
  const cluster = newCluster()
  for (const object of objects) await put(cluster.store, object)
  return cluster
}

const ask = (verb: string, resource: string, more: Partial<ResourceAccess> = {}): Access => ({
  user: bob,
  verb,
  group: '',
  resource,
  namespace: 'ns',
  ...more,
})

interface Case {
  readonly title: string
  readonly rule: Parameters<typeof clusterRole>[1]
  readonly allowed: readonly Access[]
  readonly denied: readonly Access[]
}

const cases: readonly Case[] = [
  {
    title: 'verbs, groups and resources must all match',
    rule: { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] },
    allowed: [ask('get', 'deployments', { group: 'apps' })],
    denied: [
      ask('list', 'deployments', { group: 'apps' }),
      ask('get', 'deployments'),
      ask('get', 'replicasets', { group: 'apps' }),
      { user: bob, verb: 'get', path: 'deployments' },
    ],
  },
  {
    title: 'a star stands for all verbs, groups and resources, subresources too, but for no path',
    rule: { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    allowed: [ask('get', 'a'), ask('x', 'b', { group: 'c', subresource: 'status', name: 'n', namespace: '' })],
    denied: [{ user: bob, verb: 'get', path: '/metrics' }],
  },
  {
    title: 'a subresource is a resource of its own',
    rule: rule(['get'], ['pods', 'pods/log']),
    allowed: [ask('get', 'pods'), ask('get', 'pods', { subresource: 'log' })],
    denied: [ask('get', 'pods', { subresource: 'exec' }), ask('get', 'log')],
  },
  {
    title: 'a rule for a subresource does not permit the resource',
    rule: rule(['update'], ['pods/status']),
    allowed: [ask('update', 'pods', { subresource: 'status' })],
    denied: [ask('update', 'pods'), ask('update', 'pods/status', { subresource: 'x' })],
  },
  {
    title: 'star slash subresource permits it for every resource',
    rule: rule(['update'], ['*/scale']),
    allowed: [ask('update', 'a', { subresource: 'scale' }), ask('update', 'b', { subresource: 'scale' })],
    denied: [ask('update', 'a'), ask('update', 'a', { subresource: 'status' })],
  },
  {
    title: 'resourceNames match by name, and never a request without one',
    rule: rule(['*'], ['secrets', 'serviceaccounts/token'], { resourceNames: ['a', 'b'] }),
    allowed: [
      ask('get', 'secrets', { name: 'a' }),
      ask('delete', 'secrets', { name: 'b' }),
      ask('list', 'secrets', { name: 'a' }),
      ask('watch', 'secrets', { name: 'a' }),
      ask('create', 'serviceaccounts', { subresource: 'token', name: 'a' }),
    ],
    denied: [
      ask('get', 'secrets', { name: 'c' }),
      ask('get', 'secrets', { name: '' }),
      ask('list', 'secrets'),
      ask('create', 'secrets'),
      ask('create', 'secrets', { name: 'a' }),
      ask('deletecollection', 'secrets', { name: 'a' }),
    ],
  },
  {
    title: 'paths match exactly or by a star at their end',
    rule: { verbs: ['get'], nonResourceURLs: ['/healthz', '/logs/*', '/a*b'] },
    allowed: ['/healthz', '/logs/', '/logs/x/y', '/a*b'].map(path => ({ user: bob, verb: 'get', path })),
    denied: [
      ...['/healthz/x', '/logs', '/', '/aXb'].map(path => ({ user: bob, verb: 'get', path })),
      { user: bob, verb: 'post', path: '/healthz' },
      ask('get', '/healthz'),
    ],
  },
  {
    title: 'a rule that is not well formed permits nothing',
    rule: { verbs: 'get', apiGroups: { '*': '*' }, resources: null },
    allowed: [],
    denied: [ask('get', 'pods'), ask('get', '')],
  },
]

for (const { title, rule: only, allowed, denied } of cases) {
  test(title, async () => {
    const { authorizer } = await clusterOf(clusterRole('r', only), bind('b', '', 'ClusterRole/r', toUser('bob')))
    for (const access of allowed) assert.ok(authorizer.authorize(access).allowed, JSON.stringify(access))
    for (const access of denied) assert.ok(!authorizer.authorize(access).allowed, JSON.stringify(access))
  })
}

test('a role binding holds in its namespace only, also when it names a cluster role', async () => {
  const { authorizer } = await clusterOf(
    clusterRole('r', rule(['get'], ['pods'])),
    bind('b', 'ns', 'ClusterRole/r', toUser('bob')),
  )
  const allowed = ['ns', 'other', ''].map(namespace => authorizer.authorize(ask('get', 'pods', { namespace })).allowed)
  assert.deepEqual(allowed, [true, false, false])
})

test('a role is found in the namespace of its binding, never in another', async () => {
  const { authorizer } = await clusterOf(
    role('r', 'other', rule(['get'], ['pods'])),
    bind('b', 'ns', 'Role/r', toUser('bob')),
    bind('c', '', 'Role/r', toUser('bob')),
  )
  assert.ok(!authorizer.authorize(ask('get', 'pods')).allowed)
  assert.ok(!authorizer.authorize(ask('get', 'pods', { namespace: 'other' })).allowed)
})

test('paths are permitted by cluster role bindings alone', async () => {
  const { authorizer } = await clusterOf(
    clusterRole('r', { verbs: ['get'], nonResourceURLs: ['*'] }),
    bind('b', 'ns', 'ClusterRole/r', toUser('bob')),
  )
  assert.ok(!authorizer.authorize({ user: bob, verb: 'get', path: '/metrics' }).allowed)
})

test('subjects are users, groups and service accounts, and kinds are not mixed up', async () => {
  const { authorizer } = await clusterOf(
    clusterRole('r', rule(['get'], ['pods'])),
    bind('b', 'ns', 'ClusterRole/r', toUser('u'), toGroup('g'), toAccount('a', 'home'), toAccount('here')),
  )
  const allowed = (name: string, ...groups: string[]) =>
    authorizer.authorize(ask('get', 'pods', { user: user(name, ...groups) })).allowed
  assert.ok(allowed('u'))
  assert.ok(allowed('x', 'y', 'g'))
  assert.ok(allowed('system:serviceaccount:home:a'))
  assert.ok(allowed('system:serviceaccount:ns:here'), 'the namespace of a subject defaults to the binding')
  assert.ok(!allowed('g', 'u'))
  assert.ok(!allowed('a'))
  assert.ok(!allowed('system:serviceaccount:ns:a'))
})

test('the answer says which binding allowed the request', async () => {
  const { authorizer } = await clusterOf(
    clusterRole('r', rule(['get'], ['pods'])),
    role('r', 'ns', rule(['list'], ['pods'])),
    bind('everywhere', '', 'ClusterRole/r', toUser('bob')),
    bind('here', 'ns', 'Role/r', toGroup('devs')),
    bind('agent', 'ns', 'Role/r', toAccount('a')),
  )
  assert.equal(
    authorizer.authorize(ask('get', 'pods')).reason,
    'RBAC: allowed by ClusterRoleBinding "everywhere" of ClusterRole "r" to User "bob"',
  )
  assert.equal(
    authorizer.authorize(ask('list', 'pods')).reason,
    'RBAC: allowed by RoleBinding "here/ns" of Role "r" to Group "devs"',
  )
  assert.equal(
    authorizer.authorize(ask('list', 'pods', { user: user('system:serviceaccount:ns:a') })).reason,
    'RBAC: allowed by RoleBinding "agent/ns" of Role "r" to ServiceAccount "a/ns"',
  )
})

test('a binding of a role that does not exist is told in the refusal', async () => {
  const { authorizer } = await clusterOf(bind('b', 'ns', 'Role/gone', toUser('bob')))
  assert.deepEqual(authorizer.authorize(ask('get', 'pods')), {
    allowed: false,
    reason: 'RBAC: role.rbac.authorization.k8s.io "gone" not found',
  })
})

test('members of system:masters may do everything without any role', async () => {
  const { authorizer } = await clusterOf()
  const root = user('root', 'system:masters')
  assert.ok(authorizer.authorize(ask('impersonate', 'users', { user: root })).allowed)
  assert.ok(authorizer.authorize({ user: root, verb: 'get', path: '/metrics' }).allowed)
  assert.ok(!authorizer.authorize(ask('get', 'pods')).allowed)
})

test('every change of roles and bindings is followed', async () => {
  const { store, authorizer } = newCluster()
  const allowed = () => authorizer.authorize(ask('get', 'pods')).allowed
  const reader = clusterRole('r', rule(['get'], ['pods']))
  const steps: readonly [string, () => Promise<void>, boolean][] = [
    ['a binding alone', () => put(store, bind('b', '', 'ClusterRole/r', toUser('bob'))), false],
    ['its role appears', () => put(store, reader), true],
    ['the role loses the rule', () => put(store, clusterRole('r', rule(['list'], ['pods']))), false],
    ['the role gets it back', () => put(store, reader), true],
    ['the subject changes', () => put(store, bind('b', '', 'ClusterRole/r', toUser('eve'))), false],
    ['a group of his comes in', () => put(store, bind('b', '', 'ClusterRole/r', toUser('eve'), toGroup('devs'))), true],
    ['the role goes', () => remove(store, reader), false],
    ['the role is back', () => put(store, reader), true],
    ['the binding goes', () => remove(store, bind('b', '', 'ClusterRole/r')), false],
  ]
  for (const [what, change, expected] of steps) {
    await change()
    assert.equal(allowed(), expected, what)
  }
})

test('a closed authorizer follows no longer', async () => {
  const { store, authorizer } = newCluster()
  authorizer.close()
  await put(store, clusterRole('r', rule(['get'], ['pods'])))
  await put(store, bind('b', '', 'ClusterRole/r', toUser('bob')))
  assert.ok(!authorizer.authorize(ask('get', 'pods')).allowed)
})

test('the rules of a user are those of each of his bindings, once, cluster-wide or in one namespace', async () => {
  const { authorizer } = await clusterOf(
    clusterRole('c', rule(['get'], ['nodes'])),
    role('r', 'ns', rule(['get'], ['pods'])),
    bind('c', '', 'ClusterRole/c', toUser('bob'), toGroup('devs')),
    bind('r', 'ns', 'Role/r', toGroup('devs')),
    bind('x', 'ns', 'Role/gone', toUser('bob')),
  )
  const resources = (namespace: string) => authorizer.rulesFor(bob, namespace).rules.flatMap(held => held.resources)
  assert.deepEqual(resources(''), ['nodes'])
  assert.deepEqual(resources('ns'), ['nodes', 'pods'])
  assert.deepEqual(authorizer.rulesFor(bob, 'ns').errors, ['role.rbac.authorization.k8s.io "gone" not found'])
})

test('an open server allows everything', () => {
  assert.ok(openAuthorizer.authorize(ask('get', 'pods')).allowed)
  assert.ok(openAuthorizer.rulesFor(bob, 'ns').rules.length > 0)
})
