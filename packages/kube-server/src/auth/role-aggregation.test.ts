import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import type { Store } from '../store/index.ts'
import { bootstrapPolicy } from './bootstrap-policy.ts'
import { clusterRole, type FixtureObject, newCluster, put, remove, rule } from './cluster-fixture.ts'
import { RbacAuthorizer } from './rbac-authorizer.ts'
import { clusterRoleCollection } from './rbac-objects.ts'
import { RoleAggregation } from './role-aggregation.ts'

const fail = (error: unknown) => assert.fail(String(error))

const aggregated = (name: string, ...selectors: JsonObject[]): FixtureObject => ({
  kind: 'ClusterRole',
  name,
  body: { rules: [], aggregationRule: { clusterRoleSelectors: selectors } },
})

const labelled = (name: string, labels: { [key: string]: string }, ...resources: string[]): FixtureObject => ({
  ...clusterRole(name, ...resources.map(resource => rule(['get'], [resource]))),
  labels,
})

const stored = (store: Store, name: string) => store.get({ collection: clusterRoleCollection, namespace: '', name })

function resources(store: Store, name: string): Json[] {
  const rules = stored(store, name)?.object['rules'] as JsonObject[]
  return rules.flatMap(one => one['resources'] as Json[])
}

test('an aggregated role has the rules of the roles it selects, by name, each once', async () => {
  const { store } = newCluster()
  const aggregation = new RoleAggregation(store, fail)
  await put(store, labelled('b', { team: 'x' }, 'pods', 'secrets'))
  await put(store, labelled('a', { team: 'x' }, 'nodes', 'pods'))
  await put(store, labelled('c', { team: 'y' }, 'leases'))
  await put(store, aggregated('all', { matchLabels: { team: 'x' } }))
  await aggregation.idle()
  assert.deepEqual(resources(store, 'all'), ['nodes', 'pods', 'secrets'])
  await aggregation.stop()
})

test('it follows new, changed, relabelled and deleted roles, and changes of its own selectors', async () => {
  const { store } = newCluster()
  await put(store, aggregated('all', { matchLabels: { team: 'x' } }))
  const aggregation = new RoleAggregation(store, fail)
  const steps: readonly [string, () => Promise<void>, readonly string[]][] = [
    ['a role comes', () => put(store, labelled('a', { team: 'x' }, 'pods')), ['pods']],
    ['its rules change', () => put(store, labelled('a', { team: 'x' }, 'nodes')), ['nodes']],
    ['it loses the label', () => put(store, labelled('a', {}, 'nodes')), []],
    ['it gets it back', () => put(store, labelled('a', { team: 'x' }, 'nodes')), ['nodes']],
    ['the selector changes', () => put(store, aggregated('all', { matchLabels: { team: 'y' } })), []],
    ['and back', () => put(store, aggregated('all', { matchLabels: { team: 'x' } })), ['nodes']],
    [
      'somebody writes rules by hand',
      () =>
        put(store, {
          ...aggregated('all', { matchLabels: { team: 'x' } }),
          body: {
            rules: [rule(['*'], ['*'])],
            aggregationRule: { clusterRoleSelectors: [{ matchLabels: { team: 'x' } }] },
          },
        }),
      ['nodes'],
    ],
    ['the role goes', () => remove(store, labelled('a', {})), []],
  ]
  for (const [what, change, expected] of steps) {
    await change()
    await aggregation.idle()
    assert.deepEqual(resources(store, 'all'), expected, what)
  }
  await aggregation.stop()
})

const selectors: readonly [JsonObject, readonly string[]][] = [
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['x', 'y'] }] }, ['a', 'b']],
  [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['x'] }] }, ['b', 'c']],
  [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, ['a', 'b']],
  [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, ['c']],
  [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, []],
  [{ matchExpressions: [{ key: 'team', operator: 'Near' }] }, []],
  [{ matchLabels: { team: 'x' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, []],
  [{}, ['a', 'b', 'c']],
]

for (const [selector, expected] of selectors) {
  test(`the selector ${JSON.stringify(selector)} finds ${expected.join() || 'nothing'}`, async () => {
    const { store } = newCluster()
    await put(store, labelled('a', { team: 'x' }, 'a'))
    await put(store, labelled('b', { team: 'y' }, 'b'))
    await put(store, labelled('c', { other: 'x' }, 'c'))
    await put(store, aggregated('all', selector))
    const aggregation = new RoleAggregation(store, fail)
    await aggregation.idle()
    assert.deepEqual(resources(store, 'all'), expected)
    await aggregation.stop()
  })
}

/** The same store, with each call of `scan` counted. */
function countingScans(store: Store, onScan: () => void): Store {
  return new Proxy(store, {
    get(target, member) {
      if (member === 'scan') onScan()
      const value: unknown = Reflect.get(target, member, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('roles that nobody aggregates cause no pass', async () => {
  const { store } = newCluster()
  let scans = 0
  await put(store, aggregated('all', { matchLabels: { team: 'x' } }))
  const aggregation = new RoleAggregation(
    countingScans(store, () => scans++),
    fail,
  )
  await aggregation.idle()
  const before = scans
  for (let index = 0; index < 20; index++) await put(store, labelled(`r${index}`, { other: 'x' }, 'pods'))
  await aggregation.idle()
  assert.equal(scans, before)
  await put(store, labelled('seen', { team: 'x' }, 'pods'))
  await aggregation.idle()
  assert.ok(scans > before)
  await aggregation.stop()
})

test('a write that throws before it begins is reported too', async () => {
  const { store } = newCluster()
  const errors: unknown[] = []
  const refuse = () => {
    throw new Error('closed')
  }
  await put(store, aggregated('all', { matchLabels: { team: 'x' } }))
  await put(store, labelled('a', { team: 'x' }, 'pods'))
  const aggregation = new RoleAggregation(store, error => errors.push(error), refuse)
  await aggregation.stop()
  assert.equal(errors.length, 0, 'nothing is written after the stop')
  const again = new RoleAggregation(store, error => errors.push(error), refuse)
  await again.idle()
  await again.stop()
  assert.match(String(errors[0]), /closed/)
})

test('a failed write is reported and tried again with the next change', async () => {
  const { store } = newCluster()
  const errors: unknown[] = []
  let isBroken = true
  const aggregation = new RoleAggregation(
    store,
    error => errors.push(error),
    async (role, rules) => {
      if (isBroken) throw new Error('disk full')
      await store.mutate(role.key, () => ({ put: { ...role.object, rules } }))
    },
  )
  await put(store, aggregated('all', { matchLabels: { team: 'x' } }))
  await put(store, labelled('a', { team: 'x' }, 'pods'))
  await aggregation.idle()
  assert.ok(errors.length > 0)
  assert.deepEqual(resources(store, 'all'), [])
  isBroken = false
  await put(store, labelled('b', { team: 'x' }, 'nodes'))
  await aggregation.idle()
  assert.deepEqual(resources(store, 'all'), ['pods', 'nodes'])
  await aggregation.stop()
})

test('the default policy lets each level do what its name says', async () => {
  const { store } = newCluster()
  const authorizer = new RbacAuthorizer(store)
  const aggregation = new RoleAggregation(store, fail)
  for (const { kind, metadata, apiVersion: _, ...body } of bootstrapPolicy()) {
    await put(store, { kind, name: metadata.name, labels: metadata.labels, body })
  }
  for (const level of ['view', 'edit', 'admin', 'cluster-admin']) {
    const subjects = [{ kind: 'User', name: level }]
    await put(store, {
      kind: 'RoleBinding',
      name: level,
      namespace: 'ns',
      body: { roleRef: { kind: 'ClusterRole', name: level }, subjects },
    })
  }
  await aggregation.idle()
  const levels = (verb: string, resource: string, group = '') =>
    ['view', 'edit', 'admin', 'cluster-admin'].filter(
      name => authorizer.authorize({ user: { name, groups: [] }, verb, group, resource, namespace: 'ns' }).allowed,
    )
  assert.deepEqual(levels('list', 'configmaps'), ['view', 'edit', 'admin', 'cluster-admin'])
  assert.deepEqual(levels('get', 'secrets'), ['edit', 'admin', 'cluster-admin'])
  assert.deepEqual(levels('create', 'rolebindings', 'rbac.authorization.k8s.io'), ['admin', 'cluster-admin'])
  assert.deepEqual(levels('create', 'widgets', 'example.com'), ['cluster-admin'])
  assert.deepEqual(levels('create', 'namespaces'), ['cluster-admin'])
  const path = (name: string, group: string, asked: string) =>
    authorizer.authorize({ user: { name, groups: [group] }, verb: 'get', path: asked }).allowed
  assert.ok(path('system:anonymous', 'system:unauthenticated', '/version'))
  assert.ok(!path('system:anonymous', 'system:unauthenticated', '/apis'))
  assert.ok(path('bob', 'system:authenticated', '/apis/apps/v1'))
  assert.ok(!path('bob', 'system:authenticated', '/metrics'))
  const self = { verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' }
  assert.ok(authorizer.authorize({ user: { name: 'bob', groups: ['system:authenticated'] }, ...self }).allowed)
  await aggregation.stop()
})

test('the default policy is made afresh, names are unique, roles come before their bindings', () => {
  const [first, second] = [bootstrapPolicy(), bootstrapPolicy()]
  assert.deepEqual(first, second)
  assert.notEqual(first[0], second[0])
  const ids = first.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  assert.equal(new Set(ids).size, ids.length)
  const roles = new Set<string>()
  for (const object of first) {
    if (object.kind === 'ClusterRole') roles.add(object.metadata.name)
    else assert.ok(roles.has((object['roleRef'] as { name: string }).name), object.metadata.name)
  }
})
