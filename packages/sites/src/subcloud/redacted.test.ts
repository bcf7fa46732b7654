import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSecretName, redactor } from './redacted.ts'

const redacted = redactor()

test('members that hold secrets are left out at every depth, in lists too', () => {
  const values = {
    name: 's1',
    admin_password: 'x',
    docker_registries: { defaults: { username: 'u', password: 'x' }, mirrors: [{ url: 'r', token: 'x' }] },
    users: { sysinv: 1 },
    sc_ca_key: 'x',
    ports: [1, null, true],
  }
  assert.deepEqual(redacted(values), {
    name: 's1',
    docker_registries: { defaults: { username: 'u' }, mirrors: [{ url: 'r' }] },
    users: { sysinv: 1 },
    ports: [1, null, true],
  })
})

test('credentials in an address and private keys in a text are not shown', () => {
  assert.equal(redacted('see https://user:pw@host/a and ssh://root@b/c'), 'see https://host/a and ssh://b/c')
  assert.equal(redacted('a@b.example'), 'a@b.example')
  assert.equal(redacted('-----BEGIN RSA PRIVATE KEY-----\nx'), '')
})

test('what sounds like a secret is one, and what only resembles it is not', () => {
  const secret =
    'password bmc_password ansible_ssh_pass ansible_become_pass passphrase passwd clientSecret token api_key key'
  for (const name of secret.split(' ')) assert.equal(isSecretName(name), true, name)
  for (const name of ['compass', 'bypass', 'keyboard', 'bootstrap_address', 'monkey', 'name', 'dc_root_ca_cert'])
    assert.equal(isSecretName(name), false, name)
})
