import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../api/object.ts'
import { type Cluster, type FixtureObject, newCluster, put, remove } from './cluster-fixture.ts'
import { loadSigningKey, newSigningKeyPem, signToken } from './jwt.ts'
import { memoryKeyStore } from './key-store.ts'
import { defaultIssuer, ServiceAccountTokens } from './service-account-tokens.ts'

const signingKeyPem = newSigningKeyPem()
const account: FixtureObject = { kind: 'ServiceAccount', name: 'agent', namespace: 'ns', uid: 'uid-1' }

interface Setup extends Cluster {
  readonly tokens: ServiceAccountTokens
  /** Makes a token for the stored account. */
  issue(more?: Partial<Parameters<ServiceAccountTokens['issue']>[0]>): string
}

async function setup(pem = signingKeyPem): Promise<Setup> {
  const cluster = newCluster()
  await put(cluster.store, account)
  const tokens = new ServiceAccountTokens({ ...cluster, signingKey: pem })
  return {
    ...cluster,
    tokens,
    issue: more => {
      const serviceAccount = cluster.store.get({ collection: 'serviceaccounts', namespace: 'ns', name: 'agent' })
      assert.ok(serviceAccount)
      return tokens.issue({ serviceAccount, expirationSeconds: 600, ...more }).token
    },
  }
}

const part = (token: string, index: number): JsonObject =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())

test('a token carries the claims that clients read', async () => {
  const { issue, clock } = await setup()
  const claims = part(issue(), 1)
  const now = clock.now() / 1000
  assert.match(String(claims['jti']), /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    { ...claims, jti: '' },
    {
      aud: [defaultIssuer],
      exp: now + 600,
      iat: now,
      iss: defaultIssuer,
      jti: '',
      'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'agent', uid: 'uid-1' } },
      nbf: now,
      sub: 'system:serviceaccount:ns:agent',
    },
  )
})

test('a token stands for its account, its groups and its own id', async () => {
  const { tokens, issue } = await setup()
  const token = issue()
  assert.deepEqual(tokens.verify(token), {
    user: {
      name: 'system:serviceaccount:ns:agent',
      uid: 'uid-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${part(token, 1)['jti']}`] },
    },
    audiences: [defaultIssuer],
  })
})

test('a token signed by an RSA key verifies', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { tokens, issue } = await setup(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  const token = issue()
  assert.equal(part(token, 0)['alg'], 'RS256')
  assert.ok(tokens.verify(token))
})

test('keys of other kinds are not taken', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  assert.throws(() => loadSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), /RSA or EC P-256/)
})

test('a token is good until the moment it expires, seen before or not', async () => {
  const { tokens, issue, clock } = await setup()
  const [seen, unseen] = [issue(), issue()]
  assert.ok(tokens.verify(seen))
  clock.advance(599_999)
  assert.ok(tokens.verify(seen))
  clock.advance(1)
  assert.equal(tokens.verify(seen), undefined)
  assert.equal(tokens.verify(unseen), undefined)
})

test('a token from the future is not good yet', async () => {
  const { tokens, issue, clock } = await setup()
  clock.advance(60_000)
  const token = issue()
  const earlier = new ServiceAccountTokens({ ...(await setup()), signingKey: signingKeyPem })
  assert.ok(tokens.verify(token))
  assert.equal(earlier.verify(token), undefined)
})

const endings: readonly [string, (cluster: Cluster) => Promise<void>][] = [
  ['is gone', ({ store }) => remove(store, account)],
  ['was made again with another uid', ({ store }) => put(store, { ...account, uid: 'uid-2' })],
  [
    'has been terminating for a minute',
    async ({ store, clock }) => {
      await put(store, { ...account, deletionTimestamp: new Date(clock.now()).toISOString() })
      clock.advance(60_000)
    },
  ],
]

for (const [what, end] of endings) {
  test(`a token whose account ${what} is refused, seen before or not`, async () => {
    const cluster = await setup()
    const [seen, unseen] = [cluster.issue(), cluster.issue()]
    assert.ok(cluster.tokens.verify(seen))
    await end(cluster)
    assert.equal(cluster.tokens.verify(seen), undefined)
    assert.equal(cluster.tokens.verify(unseen), undefined)
  })
}

test('an account that has just begun to terminate still vouches for its tokens', async () => {
  const { store, clock, tokens, issue } = await setup()
  const token = issue()
  await put(store, { ...account, deletionTimestamp: new Date(clock.now()).toISOString() })
  clock.advance(59_000)
  assert.ok(tokens.verify(token))
})

test('an account that comes back with its uid makes its tokens good again', async () => {
  const { store, tokens, issue } = await setup()
  const token = issue()
  await remove(store, account)
  assert.equal(tokens.verify(token), undefined)
  await put(store, account)
  assert.ok(tokens.verify(token))
})

for (const kind of ['Pod', 'Secret'] as const) {
  test(`a token bound to a ${kind} lives as long as that very object`, async () => {
    const { store, tokens, issue } = await setup()
    const object: FixtureObject = { kind, name: 'x', namespace: 'ns', uid: 'one' }
    await put(store, object)
    const token = issue({ bound: { kind, name: 'x', uid: 'one' } })
    const { extra } = tokens.verify(token)?.user ?? {}
    const uidKey = 'authentication.kubernetes.io/pod-uid'
    assert.deepEqual(extra?.[uidKey], kind === 'Pod' ? ['one'] : undefined)
    await put(store, { ...object, uid: 'two' })
    assert.equal(tokens.verify(token), undefined)
    await remove(store, object)
    assert.equal(tokens.verify(token), undefined)
  })
}

test('a token is good for its audiences only', async () => {
  const { tokens, issue } = await setup()
  const vault = issue({ audiences: ['vault', 'store'] })
  assert.equal(tokens.verify(vault), undefined)
  assert.deepEqual(tokens.verify(vault, ['store', 'x'])?.audiences, ['store'])
  assert.ok(tokens.verify(issue({ audiences: [] })))
})

test('tokens of a server that keeps its key outlive its restart, those of another server mean nothing', async () => {
  const keys = memoryKeyStore()
  const cluster = await setup()
  const serviceAccount = cluster.store.get({ collection: 'serviceaccounts', namespace: 'ns', name: 'agent' })
  assert.ok(serviceAccount)
  const before = await ServiceAccountTokens.open({ ...cluster, keys })
  const { token } = before.issue({ serviceAccount, expirationSeconds: 600 })
  assert.ok((await ServiceAccountTokens.open({ ...cluster, keys })).verify(token))
  assert.equal((await ServiceAccountTokens.open({ ...cluster, keys: memoryKeyStore() })).verify(token), undefined)
})

test('the published key set verifies tokens with nothing but standard means', async () => {
  const { tokens, issue } = await setup()
  const [head = '', body = '', signature = ''] = issue().split('.')
  const [jwk] = tokens.keySet()['keys'] as Record<string, string>[]
  assert.ok(jwk)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
  const bytes = Buffer.from(`${head}.${body}`)
  assert.ok(
    await crypto.subtle.verify({ ...algorithm, hash: 'SHA-256' }, key, Buffer.from(signature, 'base64url'), bytes),
  )
  assert.equal(part(`${head}.`, 0)['kid'], jwk['kid'])
  assert.equal(jwk['d'], undefined)
  assert.equal(tokens.discovery('https://x')['jwks_uri'], 'https://x/openid/v1/jwks')
})

const forgeries: readonly [string, (token: string) => string][] = [
  ['no signature', token => token.split('.').slice(0, 2).join('.')],
  ['an empty signature', token => `${token.split('.').slice(0, 2).join('.')}.`],
  ['a fourth part', token => `${token}.x`],
  ['padding', token => `${token}=`],
  ['a space', token => `${token} `],
  ['algorithm none', token => reheaded(token, { alg: 'none' })],
  ['algorithm HS256', token => reheaded(token, { alg: 'HS256' })],
  ['another key id', token => reheaded(token, { kid: 'x' })],
  ['critical extensions', token => reheaded(token, { crit: ['exp'] })],
  [
    'other claims',
    token => {
      const [head, , tail] = token.split('.')
      const claims = { ...part(token, 1), sub: 'system:serviceaccount:kube-system:admin' }
      return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${tail}`
    },
  ],
  ['a length of 1 MB', token => `${token}${'A'.repeat(1_000_000)}`],
]

function reheaded(token: string, change: JsonObject): string {
  const [, body, tail] = token.split('.')
  return `${Buffer.from(JSON.stringify({ ...part(token, 0), ...change })).toString('base64url')}.${body}.${tail}`
}

for (const [what, forge] of forgeries) {
  test(`a token with ${what} is refused`, async () => {
    const { tokens, issue } = await setup()
    const token = issue()
    assert.equal(tokens.verify(forge(token)), undefined)
    assert.ok(tokens.verify(token))
  })
}

test('a token with any character changed is refused', async () => {
  const { tokens, issue } = await setup()
  const token = issue()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...alphabet), (at, character) => {
      fc.pre(token[at] !== character)
      assert.equal(tokens.verify(token.slice(0, at) + character + token.slice(at + 1)), undefined)
    }),
    { numRuns: 1000 },
  )
})

const wrongClaims: readonly [string, JsonObject][] = [
  ['another issuer', { iss: 'https://elsewhere' }],
  ['a subject that is not the account', { sub: 'system:serviceaccount:ns:other' }],
  ['no expiry', { exp: undefined }],
  ['an expiry that is text', { exp: '9999999999' }],
  ['no account', { 'kubernetes.io': { namespace: 'ns' } }],
  ['no uid', { 'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'agent' } } }],
  [
    'a bound pod without uid',
    { 'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'agent', uid: 'uid-1' }, pod: { name: 'p' } } },
  ],
  ['no audience', { aud: undefined }],
]

for (const [what, change] of wrongClaims) {
  test(`a well signed token with ${what} is refused`, async () => {
    const { tokens, issue } = await setup()
    const key = loadSigningKey(signingKeyPem)
    const claims = part(issue(), 1)
    assert.ok(tokens.verify(signToken(key, claims)))
    assert.equal(tokens.verify(signToken(key, { ...claims, ...change })), undefined)
  })
}
