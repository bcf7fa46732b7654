import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, type MultiClusterHub } from '../api/index.ts'
import { presenceOf, renderBootstrapSecret, renderKlusterletConfig } from './klusterlet-config.ts'

const hub = (currentVersion?: string): MultiClusterHub => ({
  apiVersion: 'operator.open-cluster-management.io/v1',
  kind: 'MultiClusterHub',
  metadata: { name: 'multiclusterhub' },
  ...(currentVersion !== undefined && { status: { currentVersion } }),
})
const bootstrap = {
  type: 'LocalSecrets',
  localSecretsConfig: { kubeConfigSecrets: [{ name: 'bootstrap-hub2' }] },
}

for (const version of ['2.14.0', '2.15.3', '2.16.0', undefined])
  test(`the current hub is included by name of the strategy when the hub is ${version ?? 'of no known version'}`, () =>
    assert.deepEqual(renderKlusterletConfig('hub2', 'u', hub(version)).spec, {
      multipleHubsConfig: { genBootstrapKubeConfigStrategy: 'IncludeCurrentHub', bootstrapKubeConfigs: bootstrap },
    }))

test('a hub of version 2.13 knows the older shape only', () =>
  assert.deepEqual(renderKlusterletConfig('hub2', 'u', hub('2.13.4')).spec, { bootstrapKubeConfigs: bootstrap }))

test('both objects are called after the target hub and carry the mark of the migration', () => {
  const config = renderKlusterletConfig('hub2', 'u', hub())
  const secret = renderBootstrapSecret('hub2', 'u', 'a3ViZQ==')
  assert.deepEqual([config.metadata.name, secret.metadata.name], ['migration-hub2', 'bootstrap-hub2'])
  assert.equal(secret.metadata.namespace, 'multicluster-engine')
  assert.deepEqual(secret.data, { kubeconfig: 'a3ViZQ==' })
  for (const { metadata } of [config, secret]) assert.deepEqual(metadata.annotations, { [annotations.migration]: 'u' })
})

test('an object is ours, outdated, somebody else’s or absent', () => {
  const marked = (uid?: string) => ({
    metadata: { name: 'x', ...(uid !== undefined && { annotations: { [annotations.migration]: uid } }) },
  })
  assert.equal(presenceOf(undefined, 'u', true), 'absent')
  assert.equal(presenceOf(marked('u'), 'u', true), 'ours')
  assert.equal(presenceOf(marked('u'), 'u', false), 'outdated')
  assert.equal(presenceOf(marked('other'), 'u', true), 'outdated')
  assert.equal(presenceOf(marked(), 'u', true), 'foreign')
})
