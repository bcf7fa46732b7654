import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectionPath, defineResource, homePath, objectPath, resourceName, resources } from './resource.ts'

const widgets = defineResource('checks.example.com/v1', 'Widget', 'widgets', 'Namespaced')
const planets = defineResource('checks.example.com/v1beta1', 'Planet', 'planets', 'Cluster')

test('paths follow group, scope, name and subresource', () => {
  assert.equal(collectionPath(resources.secrets), '/api/v1/secrets')
  assert.equal(collectionPath(resources.secrets, 'x'), '/api/v1/namespaces/x/secrets')
  assert.equal(collectionPath(planets, 'ignored'), '/apis/checks.example.com/v1beta1/planets')
  assert.equal(
    objectPath(widgets, { namespace: 'x', name: 'a.b-c' }, 'status'),
    '/apis/checks.example.com/v1/namespaces/x/widgets/a.b-c/status',
  )
  assert.equal(objectPath(resources.namespaces, { name: 'x' }), '/api/v1/namespaces/x')
})

test('a resource is named as RBAC and people name it', () => {
  assert.equal(resourceName(resources.secrets), 'secrets')
  assert.equal(resourceName(widgets), 'widgets.checks.example.com')
})

test('a reference that could mean a collection or another object is refused', () => {
  for (const name of ['', '.', '..', 'a/b', '../secrets'])
    assert.throws(() => objectPath(resources.secrets, { namespace: 'x', name }), TypeError)
  assert.throws(() => objectPath(resources.secrets, { namespace: '', name: 'a' }), TypeError)
  assert.throws(() => objectPath(resources.secrets, { name: 'a' }), /metadata\.namespace is missing/)
  assert.throws(() => homePath(resources.secrets, undefined), TypeError)
})

test('a name is escaped, never taken for a query', () => {
  assert.equal(objectPath(planets, { name: 'a?b=c d' }), '/apis/checks.example.com/v1beta1/planets/a%3Fb%3Dc%20d')
})
