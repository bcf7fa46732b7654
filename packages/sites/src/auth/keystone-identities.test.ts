import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable } from '@godwit/core'
import { silentLogger, VirtualClock } from '@godwit/ports'
import { apiExchange } from '../http/api.ts'
import type { HttpRequest } from '../http/exchange.ts'
import { EmbeddedKeystone, type EmbeddedUser } from './embedded-keystone.ts'
import { ownIdentities } from './identities.ts'
import { KeystoneIdentities } from './keystone-identities.ts'
import type { Identity } from './policies.ts'
import { Tokens } from './tokens.ts'

const PEER_UUID = 'ac62f555-9386-42f1-a047-93b7a5d2c7e2'
const user = (name: string): EmbeddedUser => ({ user: name, password: 'pw', project: 'admin', roles: ['reader'] })
const HOUR_MS = 3_600_000

/** Keystone as another process has it, and what it was asked. */
function setUp(given: Partial<ConstructorParameters<typeof KeystoneIdentities>[0]> = {}) {
  const clock = new VirtualClock()
  const tokens = new Tokens({ key: 'k'.repeat(32), clock, lifeMs: HOUR_MS })
  const keystone = new EmbeddedKeystone([user('service'), user('anna'), user('site-b')], tokens)
  const database = { transaction: () => Promise.reject(new Error('none')), close: async () => undefined }
  const api = apiExchange({ database, routes: [], identities: ownIdentities(tokens), keystone, logger: silentLogger })
  const asked: string[] = []
  const exchange = async (request: HttpRequest) => {
    asked.push(request.method)
    const { status, headers, body } = await api(request)
    return { status, headers: { ...headers, date: new Date(clock.now()).toUTCString() }, body }
  }
  const identities = new KeystoneIdentities({
    exchange,
    clock,
    url: 'http://keystone/v3/',
    login: { username: 'service', password: 'pw', project: 'admin' },
    peers: { 'site-b': PEER_UUID },
    ...given,
  })
  const tokenOf = (name: string, rest: Partial<Identity> = {}) => tokens.issue({ ...user(name), ...rest }).token
  return { clock, identities, tokenOf, asked }
}

test('a token is that of its user, with its roles; a user that another site logs in as is that site', async () => {
  const { identities, tokenOf } = setUp()
  const anna = { user: 'anna', project: 'admin', roles: ['reader'] }
  assert.deepEqual(await identities.identify(tokenOf('anna')), anna)
  const peer = { user: 'site-b', project: 'admin', roles: ['reader'], peerUuid: PEER_UUID }
  assert.deepEqual(await identities.identify(tokenOf('site-b')), peer)
})

test('a token that keystone does not know is nobody', async () => {
  const { identities } = setUp()
  assert.equal(await identities.identify('forged'), undefined)
})

test('a token is asked about once by however many calls, again after five minutes, and never believed after its end', async () => {
  const { identities, tokenOf, clock, asked } = setUp()
  const token = tokenOf('anna')
  await Promise.all([1, 2, 3].map(() => identities.identify(token)))
  await identities.identify(token)
  assert.deepEqual(asked, ['POST', 'GET'])
  clock.advance(300_000)
  await identities.identify(token)
  assert.deepEqual(asked, ['POST', 'GET', 'GET'])
  clock.advance(HOUR_MS - 301_000)
  assert.ok(await identities.identify(token))
  clock.advance(1_000)
  assert.equal(await identities.identify(token), undefined)
})

test("the service's own token is renewed when it is over", async () => {
  const { identities, tokenOf, clock, asked } = setUp()
  await identities.identify(tokenOf('anna'))
  clock.advance(2 * HOUR_MS)
  assert.ok(await identities.identify(tokenOf('anna')))
  assert.deepEqual(asked, ['POST', 'GET', 'GET', 'POST', 'GET'])
})

test('a keystone that fails, refuses the service or does not answer says nothing about a token', async () => {
  const answer = (status: number) => async () => ({ status, headers: {}, body: Buffer.from('{}') })
  for (const status of [500, 401, 403])
    await assert.rejects(setUp({ exchange: answer(status) }).identities.identify('t'), Retryable)
  await assert.rejects(setUp({ exchange: () => Promise.reject(new Error('no')) }).identities.identify('t'), Retryable)
  const { identities, clock } = setUp({ exchange: () => new Promise(() => undefined) })
  const asked = assert.rejects(identities.identify('t'), /keystone cannot be reached/)
  clock.advance(10_000)
  await asked
})
