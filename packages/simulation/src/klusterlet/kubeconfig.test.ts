import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashCa, parseKubeconfig, renderKubeconfig } from './kubeconfig.ts'

const parts = { server: 'https://hub2:6443', caData: 'Q0E=', contextCluster: 'hub2', token: 'secret' }

test('a rendered kubeconfig is read back', () => {
  assert.deepEqual(parseKubeconfig(renderKubeconfig(parts)), {
    server: 'https://hub2:6443',
    caHash: hashCa('Q0E='),
    contextCluster: 'hub2',
    token: 'secret',
  })
})

test('the current context decides which cluster and user count', () => {
  const file = JSON.parse(renderKubeconfig(parts))
  file.clusters.unshift({ name: 'other', cluster: { server: 'https://other' } })
  file.users.unshift({ name: 'other', user: { token: 'other' } })
  assert.equal(parseKubeconfig(JSON.stringify(file))?.server, 'https://hub2:6443')
  file['current-context'] = 'missing'
  assert.equal(parseKubeconfig(JSON.stringify(file)), undefined)
})

test('what is not a kubeconfig is no bootstrap', () => {
  for (const text of ['', 'null', '[]', '{}', 'server: x']) assert.equal(parseKubeconfig(text), undefined, text)
})
