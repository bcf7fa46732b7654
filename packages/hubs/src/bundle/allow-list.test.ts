import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { ALLOWED, allowedFor } from './allow-list.ts'

const apiVersionOf = ({ group, version }: { readonly group: string; readonly version: string }) =>
  group ? `${group}/${version}` : version

const isRefused = (why: RegExp) => (error: unknown) =>
  error instanceof Terminal && error.code === 'BundleRefused' && why.test(error.message)

describe('each kind that migrates', () => {
  for (const { resource, naming } of ALLOWED) {
    const { kind, namespaced } = resource
    const base = { apiVersion: apiVersionOf(resource), kind }
    const object = (name: string, namespace?: string) => ({
      ...base,
      metadata: { name, ...(namespace && { namespace }) },
    })
    const own = (name: string) => object(name, namespaced ? 'c1' : undefined)

    test(`${kind}: the cluster's own is let in`, () => assert.equal(allowedFor('c1', own('c1')).resource.kind, kind))

    test(`${kind}: one of another cluster is refused`, () => {
      assert.throws(() => allowedFor('c1', object('c1', namespaced ? 'kube-system' : 'c1')), isRefused(/namespace/))
      if (namespaced) assert.throws(() => allowedFor('c1', object('c1')), isRefused(/namespace none/))
      if (naming === 'cluster') assert.throws(() => allowedFor('c1', own('c2')), isRefused(/called like the cluster/))
    })

    test(`${kind}: another API version of it is refused`, () =>
      assert.throws(
        () => allowedFor('c1', { ...own('c1'), apiVersion: 'example.com/v9' }),
        isRefused(/may not be migrated/),
      ))
  }
})

const FOREIGN: readonly (readonly [string, string])[] = [
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['v1', 'ServiceAccount'],
  ['v1', 'Namespace'],
  ['v1', 'Pod'],
  ['apps/v1', 'Deployment'],
  ['work.open-cluster-management.io/v1', 'ManifestWork'],
  ['cluster.open-cluster-management.io/v1beta2', 'ManagedClusterSet'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
]
for (const [apiVersion, kind] of FOREIGN)
  test(`a ${kind} never comes in by a bundle`, () =>
    assert.throws(
      () => allowedFor('c1', { apiVersion, kind, metadata: { name: 'c1', namespace: 'c1' } }),
      isRefused(/may not be migrated/),
    ))

test('an object without kind, name or metadata is refused, not passed over', () => {
  assert.throws(() => allowedFor('c1', {}), isRefused(/may not be migrated/))
  assert.throws(() => allowedFor('c1', { apiVersion: 'v1', kind: 'Secret' }), isRefused(/no name/))
  assert.throws(
    () => allowedFor('c1', { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'c1' } }),
    isRefused(/no name/),
  )
})
