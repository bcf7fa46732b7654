import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, assertAllowed, forbidden } from './access.ts'
import { user } from './cluster-fixture.ts'
import { openAuthorizer } from './rbac-authorizer.ts'

const dev = user('dev')
const refusals: readonly [Access, string, object][] = [
  [
    { user: dev, verb: 'list', group: '', resource: 'secrets', namespace: 'x' },
    'secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" in the namespace "x"',
    { kind: 'secrets' },
  ],
  [
    { user: dev, verb: 'get', group: '', resource: 'configmaps', name: 'q', namespace: 'x' },
    'configmaps "q" is forbidden: User "dev" cannot get resource "configmaps" in API group "" in the namespace "x"',
    { name: 'q', kind: 'configmaps' },
  ],
  [
    { user: dev, verb: 'list', group: 'checks.example.com', resource: 'widgets', namespace: '' },
    'widgets.checks.example.com is forbidden: User "dev" cannot list resource "widgets" in API group "checks.example.com" at the cluster scope',
    { group: 'checks.example.com', kind: 'widgets' },
  ],
  [
    { user: dev, verb: 'update', group: 'g', resource: 'widgets', subresource: 'status', name: 'w', namespace: 'x' },
    'widgets.g "w" is forbidden: User "dev" cannot update resource "widgets/status" in API group "g" in the namespace "x"',
    { name: 'w', group: 'g', kind: 'widgets' },
  ],
  [{ user: dev, verb: 'get', path: '/metrics' }, 'forbidden: User "dev" cannot get path "/metrics"', {}],
  [
    { user: user('we"ird'), verb: 'get', group: '', resource: 'pods' },
    'pods is forbidden: User "we\\"ird" cannot get resource "pods" in API group "" at the cluster scope',
    { kind: 'pods' },
  ],
]

for (const [access, message, details] of refusals) {
  test(`a refusal reads: ${message}`, () => {
    const status = forbidden(access).toStatus()
    assert.deepEqual(
      [status['code'], status['reason'], status['message'], status['details']],
      [403, 'Forbidden', message, details],
    )
  })
}

test('a refusal ends with the reason of the authorizer', () => {
  const message = forbidden({ user: dev, verb: 'get', group: '', resource: 'pods' }, 'RBAC: gone').message
  assert.match(message, /at the cluster scope: RBAC: gone$/)
})

test('what is not allowed is thrown, what is allowed is not', () => {
  const access: Access = { user: dev, verb: 'get', group: '', resource: 'pods' }
  assertAllowed(openAuthorizer, access)
  const closed = { ...openAuthorizer, authorize: () => ({ allowed: false, reason: 'no' }) }
  assert.throws(() => assertAllowed(closed, access), /: no$/)
})
