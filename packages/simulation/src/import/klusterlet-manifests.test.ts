import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CURRENT_HUB_BOOTSTRAP, SINGLE_BOOTSTRAP } from '../foreign/names.ts'
import { renderKubeconfig } from '../klusterlet/kubeconfig.ts'
import { isReadOnly, readDelivery, readOnlyConfigs, renderKlusterlet, resourceId } from './klusterlet-manifests.ts'

const encode = (text: string) => Buffer.from(text).toString('base64')
const kubeconfig = (server: string, contextCluster: string) =>
  encode(renderKubeconfig({ server, caData: '', contextCluster, token: `token of ${server}` }))
const own = kubeconfig('https://hub1', 'default-cluster')
const bootstraps = [{ name: 'bootstrap-hub2', data: kubeconfig('https://hub2', 'hub2') }]

describe('klusterlet manifests', () => {
  test('one hub: the agent bootstraps with the single Secret', () => {
    const delivery = readDelivery(renderKlusterlet({ cluster: 'c1', own }), 1000)
    assert.equal(delivery.config?.multipleHubs, false)
    assert.deepEqual(delivery.config?.bootstrapSecrets, [SINGLE_BOOTSTRAP])
    assert.equal(delivery.secrets[SINGLE_BOOTSTRAP]?.server, 'https://hub1')
    assert.equal(delivery.config?.evictionGraceMs, 1000)
  })

  test('several hubs: the current one comes last', () => {
    const severalHubs = { bootstraps, isCurrentHubIncluded: true, timeoutSeconds: 180 }
    const delivery = readDelivery(renderKlusterlet({ cluster: 'c1', own, severalHubs }), 1000)
    assert.deepEqual(delivery.config, {
      multipleHubs: true,
      bootstrapSecrets: ['bootstrap-hub2', CURRENT_HUB_BOOTSTRAP],
      hubConnectionTimeoutMs: 180_000,
      evictionGraceMs: 1000,
    })
    assert.equal(delivery.secrets['bootstrap-hub2']?.server, 'https://hub2')
    assert.equal(delivery.secrets[CURRENT_HUB_BOOTSTRAP]?.server, 'https://hub1')
  })

  test('the eviction grace period travels with the Klusterlet', () => {
    const manifests = renderKlusterlet({ cluster: 'c1', own, evictionGracePeriod: '90m' })
    assert.equal(readDelivery(manifests, 1000).config?.evictionGraceMs, 90 * 60_000)
  })

  test('a Secret without a kubeconfig is no bootstrap', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
      data: { kubeconfig: encode('nonsense') },
    }
    assert.deepEqual(readDelivery([secret], 1000), { secrets: {} })
  })

  test('ReadOnly holds for the exact identifier only', () => {
    const manifests = renderKlusterlet({ cluster: 'c1', own })
    const configs = readOnlyConfigs(manifests)
    assert.ok(manifests.every(manifest => isReadOnly(manifest, configs)))
    const misspelt = configs.map(config => ({
      ...config,
      resourceIdentifier: { ...config.resourceIdentifier, resource: '' },
    }))
    assert.ok(manifests.every(manifest => !isReadOnly(manifest, misspelt)))
    assert.deepEqual(manifests.map(resourceId), [
      `secrets/open-cluster-management-agent/${SINGLE_BOOTSTRAP}`,
      'klusterlets/klusterlet',
    ])
  })
})
