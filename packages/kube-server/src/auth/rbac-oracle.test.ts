import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../api/object.ts'
import type { User } from '../api/user.ts'
import type { Store } from '../store/index.ts'
import type { Access } from './access.ts'
import { bind, clusterRole, type FixtureObject, newCluster, put, remove, role, user } from './cluster-fixture.ts'

// An oracle that reads every object for every question, written from the documentation and not from the index.

const texts = (value: unknown): string[] => (Array.isArray(value) ? value : [])
const has = (list: unknown, wanted: string) => texts(list).some(item => item === '*' || item === wanted)

function ruleMatches(rule: JsonObject, access: Access): boolean {
  if (!has(rule['verbs'], access.verb)) return false
  if (access.path !== undefined) {
    const { path } = access
    return texts(rule['nonResourceURLs']).some(
      url => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
    )
  }
  const { group, resource, subresource, name, verb } = access
  if (!has(rule['apiGroups'], group)) return false
  const full = subresource ? `${resource}/${subresource}` : resource
  const isCovered =
    has(rule['resources'], full) || (subresource && texts(rule['resources']).includes(`*/${subresource}`))
  if (!isCovered) return false
  const names = texts(rule['resourceNames'])
  if (names.length === 0) return true
  const isNameless = verb === 'deletecollection' || (verb === 'create' && !subresource)
  return !isNameless && name !== undefined && name !== '' && names.includes(name)
}

function subjectMatches(subject: JsonObject, who: User, namespace: string): boolean {
  if (subject['kind'] === 'User') return subject['name'] === who.name
  if (subject['kind'] === 'Group') return who.groups.includes(String(subject['name']))
  const home = subject['namespace'] ?? namespace
  return home !== '' && who.name === `system:serviceaccount:${home}:${subject['name']}`
}

function oracle(store: Store, access: Access): boolean {
  if (access.user.groups.includes('system:masters')) return true
  const wanted = access.path === undefined ? (access.namespace ?? '') : ''
  for (const collection of ['clusterrolebindings', 'rolebindings']) {
    for (const { object, key } of store.scan(`${collection}.rbac.authorization.k8s.io`)) {
      if (collection === 'rolebindings' && key.namespace !== wanted) continue
      const subjects = (object['subjects'] ?? []) as JsonObject[]
      if (!subjects.some(subject => subjectMatches(subject, access.user, key.namespace))) continue
      const ref = object['roleRef'] as { kind: string; name: string }
      const home = ref.kind === 'Role' ? key.namespace : ''
      const roles = `${ref.kind === 'Role' ? 'roles' : 'clusterroles'}.rbac.authorization.k8s.io`
      const rules = store.get({ collection: roles, namespace: home, name: ref.name })?.object['rules']
      if (Array.isArray(rules) && rules.some(rule => ruleMatches(rule as JsonObject, access))) return true
    }
  }
  return false
}

const some = (...from: string[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 3 })
const resourceRule = fc
  .record({
    verbs: some('get', 'create', 'deletecollection', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', '*/log', 'secrets', '*'),
    resourceNames: fc.constantFrom<string[]>([], [], ['a'], ['b']),
  })
  .map((rule): JsonObject => rule)
const pathRule = fc
  .record({ verbs: some('get', '*'), nonResourceURLs: some('/a', '/a/*', '*') })
  .map((rule): JsonObject => rule)
const rules = fc.array(fc.oneof(resourceRule, resourceRule, pathRule), { minLength: 1, maxLength: 3 })
const subject = fc.constantFrom<JsonObject>(
  { kind: 'User', name: 'u' },
  { kind: 'User', name: 'system:serviceaccount:n1:sa' },
  { kind: 'Group', name: 'g' },
  { kind: 'Group', name: 'h' },
  { kind: 'ServiceAccount', name: 'sa', namespace: 'n1' },
  { kind: 'ServiceAccount', name: 'sa' },
)
const names = fc.constantFrom('x', 'y')
const namespaces = fc.constantFrom('n1', 'n2')
const roleRef = fc.constantFrom('Role/x', 'Role/y', 'ClusterRole/x', 'ClusterRole/y')
const subjects = fc.array(subject, { minLength: 1, maxLength: 4 })

const object: fc.Arbitrary<FixtureObject> = fc.oneof(
  fc.tuple(names, rules).map(([name, list]) => clusterRole(name, ...list)),
  fc.tuple(names, namespaces, rules).map(([name, namespace, list]) => role(name, namespace, ...list)),
  fc.tuple(names, roleRef, subjects).map(([name, ref, list]) => bind(name, '', ref, ...list)),
  fc
    .tuple(names, namespaces, roleRef, subjects)
    .map(([name, namespace, ref, list]) => bind(name, namespace, ref, ...list)),
)
const change = fc.record({ object, isRemoval: fc.nat(3).map(value => value === 0) })

const who = fc.constantFrom(
  user('u'),
  user('v', 'g', 'h'),
  user('system:serviceaccount:n1:sa', 'system:serviceaccounts'),
  user('system:serviceaccount:n2:sa'),
  user('root', 'system:masters'),
)
const access: fc.Arbitrary<Access> = fc.oneof(
  fc.record({
    user: who,
    verb: fc.constantFrom('get', 'create', 'deletecollection'),
    group: fc.constantFrom('', 'apps'),
    resource: fc.constantFrom('pods', 'secrets'),
    subresource: fc.constantFrom(undefined, 'log'),
    name: fc.constantFrom(undefined, '', 'a', 'c'),
    namespace: fc.constantFrom(undefined, '', 'n1', 'n2'),
  }),
  fc.record({ user: who, verb: fc.constantFrom('get', 'post'), path: fc.constantFrom('/a', '/a/b', '/b') }),
)

test('after any changes the index answers every question as a scan of all objects would', async () => {
  let granted = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 12, maxLength: 40 }),
      fc.array(access, { minLength: 10, maxLength: 20 }),
      async (changes, questions) => {
        const { store, authorizer } = newCluster()
        for (const [index, { object: one, isRemoval }] of changes.entries()) {
          // Removals only make sense once there is something; early ones put instead.
          if (isRemoval && index > 10) await remove(store, one)
          else await put(store, one)
        }
        for (const question of questions) {
          const { allowed } = authorizer.authorize(question)
          if (allowed && question.user.name !== 'root') granted++
          assert.equal(allowed, oracle(store, question), JSON.stringify(question))
        }
      },
    ),
    { numRuns: 300 },
  )
  assert.ok(granted > 50, `the questions must be able to succeed, only ${granted} did`)
})
