import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { renderKubeconfig } from './kubeconfig.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a file for https carries the authority and the token', () => {
  const text = renderKubeconfig({
    server: 'https://127.0.0.1:6443',
    cluster: 'hub',
    user: 'admin',
    namespace: 'ns',
    caPem: 'CA',
    token: 'a.b-c_d',
  })
  assert.deepEqual(parse(text), {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'hub', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': base64('CA') } },
    ],
    users: [{ name: 'admin', user: { token: 'a.b-c_d' } }],
    contexts: [{ name: 'admin@hub', context: { cluster: 'hub', user: 'admin', namespace: 'ns' } }],
    'current-context': 'admin@hub',
  })
})

test('a file for plain http asks for no TLS, needs no user and leaves the authority out', () => {
  const { clusters, users } = parse(
    renderKubeconfig({ server: 'http://localhost:80', cluster: 'c', user: 'u', caPem: 'CA' }),
  )
  assert.deepEqual(clusters[0].cluster, { server: 'http://localhost:80', 'insecure-skip-tls-verify': true })
  assert.deepEqual(users[0], { name: 'u', user: {} })
})

test('a client certificate goes in with its key', () => {
  const { users } = parse(
    renderKubeconfig({ server: 'https://x', cluster: 'c', user: 'u', clientCertPem: 'CERT', clientKeyPem: 'KEY' }),
  )
  assert.deepEqual(users[0].user, { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') })
})

test('names with every character that YAML knows stay names', () => {
  const user = 'system:admin "x" #y\n- z: {}'
  const parsed = parse(renderKubeconfig({ server: 'https://x', cluster: '*c', user, token: 'yes' }))
  assert.equal(parsed.users[0].name, user)
  assert.equal(parsed['current-context'], `${user}@*c`)
  assert.equal(parsed.users[0].user.token, 'yes')
})
