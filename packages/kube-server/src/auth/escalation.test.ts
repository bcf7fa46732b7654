import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import {
  bind,
  clusterRole,
  type FixtureObject,
  newCluster,
  put,
  role,
  rule,
  toGroup,
  toUser,
  user,
} from './cluster-fixture.ts'
import { assertMayWriteRbac, type RbacWrite } from './escalation.ts'
import { rbacGroup } from './rbac-objects.ts'

const dev = user('dev', 'devs', 'system:authenticated')
const plurals: Readonly<Record<string, string>> = {
  Role: 'roles',
  ClusterRole: 'clusterroles',
  RoleBinding: 'rolebindings',
  ClusterRoleBinding: 'clusterrolebindings',
}

type Write = (object: FixtureObject, previous?: FixtureObject, by?: User) => void

/** A cluster where dev holds some rules; the returned function checks a write of his. */
async function clusterOf(...objects: readonly FixtureObject[]): Promise<Write> {
  const { store, authorizer } = newCluster()
  for (const object of objects) await put(store, object)
  return (object, previous, by = dev) => {
    const write: RbacWrite = {
      authorizer,
      user: by,
      plural: plurals[object.kind] ?? '',
      name: object.name,
      namespace: object.namespace ?? '',
    }
    assertMayWriteRbac(write, object.body ?? {}, previous && (previous.body as KubeObject))
  }
}

const holding = (...rules: JsonObject[]): FixtureObject[] => [
  clusterRole('held', ...rules),
  bind('held', '', 'ClusterRole/held', toUser('dev')),
]

function refusal(run: () => void): StatusError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof StatusError, `not a StatusError: ${error}`)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('a role may grant what its author holds', async () => {
  const write = await clusterOf(...holding(rule(['get', 'list'], ['pods', 'secrets'])))
  write(role('r', 'ns', rule(['get'], ['secrets']), rule(['list'], ['pods'], { resourceNames: ['x'] })))
})

test('a role that grants more is refused with the missing rights, one resource a line', async () => {
  const write = await clusterOf(...holding(rule(['get'], ['pods'])))
  const granted = role('r', 'ns', rule(['get', 'list', 'watch'], ['pods', 'secrets']))
  const { code, message } = refusal(() => write(granted))
  assert.equal(code, 403)
  assert.equal(
    message,
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "dev" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}',
  )
})

test('rights held in one namespace cannot be granted in another', async () => {
  const write = await clusterOf(role('h', 'ns', rule(['get'], ['pods'])), bind('h', 'ns', 'Role/h', toUser('dev')))
  write(role('r', 'ns', rule(['get'], ['pods'])))
  assert.equal(refusal(() => write(role('r', 'other', rule(['get'], ['pods'])))).code, 403)
  assert.equal(refusal(() => write(clusterRole('r', rule(['get'], ['pods'])))).code, 403)
})

const coverage: readonly [held: JsonObject, wanted: JsonObject, isCovered: boolean][] = [
  [rule(['x'], ['*'], { apiGroups: ['*'] }), rule(['x'], ['y', 'y/z'], { apiGroups: ['*'] }), true],
  [rule(['get'], ['*']), rule(['*'], ['pods']), false],
  [rule(['*'], ['pods']), rule(['get'], ['*']), false],
  [rule(['get'], ['pods']), rule(['get'], ['pods'], { apiGroups: ['', '*'] }), false],
  [rule(['get'], ['*/scale']), rule(['get'], ['a/scale', '*/scale']), true],
  [rule(['get'], ['*/scale']), rule(['get'], ['a']), false],
  [rule(['get'], ['pods'], { resourceNames: ['a'] }), rule(['get'], ['pods'], { resourceNames: ['a'] }), true],
  [rule(['get'], ['pods'], { resourceNames: ['a'] }), rule(['get'], ['pods'], { resourceNames: ['a', 'b'] }), false],
  [rule(['get'], ['pods'], { resourceNames: ['a'] }), rule(['get'], ['pods']), false],
  [
    { verbs: ['get'], nonResourceURLs: ['/a/*'] },
    { verbs: ['get'], nonResourceURLs: ['/a/b', '/a/*', '/a/b/*'] },
    true,
  ],
  [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }, { verbs: ['get'], nonResourceURLs: ['/*'] }, false],
  [rule(['get'], ['*'], { apiGroups: ['*'] }), { verbs: ['get'], nonResourceURLs: ['/a'] }, false],
]

for (const [held, wanted, isCovered] of coverage) {
  test(`${JSON.stringify(held)} ${isCovered ? 'covers' : 'does not cover'} ${JSON.stringify(wanted)}`, async () => {
    const write = await clusterOf(...holding(held))
    if (isCovered) write(clusterRole('r', wanted))
    else assert.equal(refusal(() => write(clusterRole('r', wanted))).code, 403)
  })
}

test('two rules together cover what neither does alone', async () => {
  const write = await clusterOf(...holding(rule(['get'], ['pods']), rule(['list'], ['pods'])))
  write(role('r', 'ns', rule(['get', 'list'], ['pods'])))
})

test('escalate on the role lifts the check, by name too', async () => {
  const escalate = { apiGroups: [rbacGroup], resources: ['roles'], verbs: ['escalate'], resourceNames: ['r'] }
  const write = await clusterOf(...holding(escalate))
  write(role('r', 'ns', rule(['*'], ['secrets'])))
  assert.equal(refusal(() => write(role('other', 'ns', rule(['*'], ['secrets'])))).code, 403)
})

test('masters may grant anything', async () => {
  const write = await clusterOf()
  write(clusterRole('r', rule(['*'], ['*'])), undefined, user('root', 'system:masters'))
})

test('a binding may give a role whose rules its author holds, or that he may bind', async () => {
  const write = await clusterOf(
    ...holding(rule(['get'], ['pods']), {
      apiGroups: [rbacGroup],
      resources: ['clusterroles'],
      verbs: ['bind'],
      resourceNames: ['open'],
    }),
    clusterRole('small', rule(['get'], ['pods'])),
    clusterRole('open', rule(['*'], ['*'])),
    clusterRole('big', rule(['*'], ['*'])),
  )
  write(bind('b', 'ns', 'ClusterRole/small', toGroup('x')))
  write(bind('b', '', 'ClusterRole/open', toGroup('x')))
  const { message } = refusal(() => write(bind('b', '', 'ClusterRole/big', toGroup('x'))))
  assert.match(
    message,
    /^clusterrolebindings.rbac.authorization.k8s.io "b" is forbidden: user "dev" .*\n\{APIGroups:\[""\], Resources:\["\*"\], Verbs:\["\*"\]\}$/,
  )
})

test('only masters and those who may bind it can bind a role that does not exist', async () => {
  const write = await clusterOf()
  const { code, message } = refusal(() => write(bind('b', 'ns', 'Role/gone', toGroup('x'))))
  assert.equal(code, 404)
  assert.equal(message, 'role.rbac.authorization.k8s.io "gone" not found')
  write(bind('b', 'ns', 'Role/gone', toGroup('x')), undefined, user('root', 'system:masters'))
})

test('a binding of a role in the same namespace is checked with the rules of that role', async () => {
  const write = await clusterOf(
    role('r', 'ns', rule(['get'], ['pods'])),
    role('h', 'ns', rule(['get'], ['*'])),
    bind('h', 'ns', 'Role/h', toUser('dev')),
  )
  write(bind('b', 'ns', 'Role/r', toGroup('x')))
})

test('an update of labels, rules or subjects is checked, one of owners and finalizers is not', async () => {
  const write = await clusterOf()
  const before = role('r', 'ns', rule(['get'], ['pods']))
  const meta = (metadata: JsonObject): FixtureObject => ({ ...before, body: { ...before.body, metadata } })
  write(meta({ finalizers: ['a/b'], ownerReferences: [] }), meta({}))
  assert.equal(refusal(() => write(meta({ labels: { a: 'b' } }), meta({}))).code, 403)
  assert.equal(refusal(() => write(role('r', 'ns', rule(['get'], ['pods', 'secrets'])), before)).code, 403)
})

test('only who holds everything may use an aggregation rule, in an update also to get rid of it', async () => {
  const aggregated: FixtureObject = {
    ...clusterRole('r'),
    body: { rules: [], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } },
  }
  const write = await clusterOf(...holding(rule(['get'], ['*'], { apiGroups: ['*'] })))
  assert.match(
    refusal(() => write(aggregated)).message,
    /must have cluster-admin privileges to use an aggregationRule$/,
  )
  assert.equal(refusal(() => write(clusterRole('r'), aggregated)).code, 403)
  const all = await clusterOf(
    ...holding(rule(['*'], ['*'], { apiGroups: ['*'] }), { verbs: ['*'], nonResourceURLs: ['*'] }),
  )
  all(aggregated)
})

test('a role that unfolds into millions of rights is refused without counting them out', async () => {
  const write = await clusterOf(...holding(rule(['get'], ['pods'])))
  const many = Array.from({ length: 2000 }, (_, index) => `r${index}`)
  const { message } = refusal(() => write(role('r', 'ns', rule(many, many))))
  assert.match(message, /more than 100000 single rights/)
})
