import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChallenge } from './challenge.ts'

test('a challenge is read with quoted and bare values', () => {
  const challenge = parseChallenge(
    'Bearer realm="https://auth/token",service=r.example.com, scope="repository:a/b:pull,delete"',
  )
  assert.equal(challenge?.scheme, 'bearer')
  assert.deepEqual(Object.fromEntries(challenge.parameters), {
    realm: 'https://auth/token',
    service: 'r.example.com',
    scope: 'repository:a/b:pull,delete',
  })
  assert.equal(parseChallenge('Basic realm="a \\"b\\""')?.parameters.get('realm'), 'a "b"')
})

test('no header is no challenge, and a huge one is read only so far', () => {
  assert.equal(parseChallenge(undefined), undefined)
  assert.equal(parseChallenge('nonsense'), undefined)
  assert.equal(parseChallenge(`Bearer ${'a="b",'.repeat(10_000)}late="yes"`)?.parameters.has('late'), false)
})
