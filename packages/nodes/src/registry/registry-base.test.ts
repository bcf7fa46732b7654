import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRegistryBase } from './registry-base.ts'

test('a base is a host and a path, over https', () => {
  const expected = { origin: 'https://r.example.com:5000', host: 'r.example.com:5000', prefix: 'team/vms' }
  assert.deepEqual(parseRegistryBase('r.example.com:5000/team/vms'), expected)
  assert.deepEqual(parseRegistryBase(' https://r.example.com:5000/team/vms/ '), expected)
  assert.equal(parseRegistryBase('r.example.com').prefix, '')
})

test('registries on this machine are reached over plain http, others never', () => {
  for (const host of ['localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000'])
    assert.equal(parseRegistryBase(`${host}/x`).origin, `http://${host}`)
  assert.equal(parseRegistryBase('https://localhost:5000').origin, 'https://localhost:5000')
  assert.throws(() => parseRegistryBase('http://r.example.com/x'), /plain http is for registries on this machine/)
  assert.throws(() => parseRegistryBase('http://127.0.0.1.example.com/x'), /plain http/)
})

test('what cannot be a registry is refused with the part that is wrong', () => {
  assert.throws(() => parseRegistryBase(''), /"" is not a host/)
  assert.throws(() => parseRegistryBase('user:pw@host/x'), /is not a host/)
  assert.throws(() => parseRegistryBase('host/Upper'), /"Upper" cannot be part/)
  assert.throws(() => parseRegistryBase('host/a//b'), /"" cannot be part/)
  assert.throws(() => parseRegistryBase('host/..'), /".." cannot be part/)
})
