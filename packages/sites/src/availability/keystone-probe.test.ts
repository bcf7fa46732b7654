import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpAnswer, HttpExchange, HttpRequest } from '../http/exchange.ts'
import { KeystoneProbe } from './keystone-probe.ts'

const subcloud = { name: 's1', region: 'r1', address: '192.168.1.2' }
const signal = new AbortController().signal

/** A subcloud that gives tokens for one password, and takes them until they are forgotten. */
class FakeSubcloud {
  readonly seen: string[] = []
  password = 'right'
  availability = 'online'
  tokens = new Set<string>()
  audit: (() => HttpAnswer) | undefined

  readonly exchange: HttpExchange = async request => {
    this.seen.push(`${request.method} ${request.url}`)
    if (request.url.endsWith('/v3/auth/tokens')) return this.#token(request)
    if (!this.tokens.has(request.headers['x-auth-token'] ?? '')) return answer(401, {})
    return this.audit?.() ?? answer(200, { base_audit: { availability: this.availability, inactive_sg: [] } })
  }

  #token({ body }: HttpRequest): HttpAnswer {
    const { auth } = JSON.parse(Buffer.from(body ?? []).toString())
    if (auth.identity.password.user.password !== this.password) return answer(401, {})
    const token = `token-${this.seen.length}`
    this.tokens.add(token)
    return { ...answer(201, {}), headers: { 'x-subject-token': token } }
  }
}

const answer = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
})
const probeOf = ({ exchange }: FakeSubcloud, password = 'right') =>
  new KeystoneProbe({ exchange, username: 'dcmanager', password })

test('a token is asked for once, and anew when it is refused', async () => {
  const fake = new FakeSubcloud()
  const probe = probeOf(fake)
  assert.equal(await probe.presence(subcloud, signal), 'online')
  assert.equal(await probe.presence(subcloud, signal), 'online')
  const [token, audit] = ['POST https://192.168.1.2:5001/v3/auth/tokens', 'PATCH https://192.168.1.2:8326/v1/dcaudit']
  assert.deepEqual(fake.seen, [token, audit, audit])
  fake.tokens.clear()
  assert.equal(await probe.presence(subcloud, signal), 'online')
  assert.deepEqual(fake.seen.slice(3), [audit, token, audit])
})

test('a subcloud that trusts another site is told from one that does not answer', async () => {
  const fake = new FakeSubcloud()
  assert.equal(await probeOf(fake, 'of another home').presence(subcloud, signal), 'unauthorized')
  const silent = new KeystoneProbe({
    exchange: () => Promise.reject(new Error('no route')),
    username: 'u',
    password: 'p',
  })
  assert.equal(await silent.presence(subcloud, signal), 'offline')
})

test('whatever is not said to be online is offline', async () => {
  const fake = new FakeSubcloud()
  fake.availability = 'offline'
  assert.equal(await probeOf(fake).presence(subcloud, signal), 'offline')
  for (const audit of [
    answer(200, {}),
    answer(200, 'x'),
    answer(503, {}),
    { ...answer(200, {}), body: Buffer.from('<') },
  ]) {
    fake.audit = () => audit
    assert.equal(await probeOf(fake).presence(subcloud, signal), 'offline')
  }
})

test('an address of IPv6 is written in brackets', async () => {
  const fake = new FakeSubcloud()
  await probeOf(fake).presence({ ...subcloud, address: 'fd00::2' }, signal)
  assert.equal(fake.seen[0], 'POST https://[fd00::2]:5001/v3/auth/tokens')
})
