import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { seededRandom, VirtualClock } from '@godwit/ports'
import { Api } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { KubeServer, type TransportError } from '../index.ts'
import { FaultSwitch } from './fault-switch.ts'

const at = inProcess()
const secrets = '/api/v1/namespaces/default/secrets'
const configMaps = '/api/v1/namespaces/default/configmaps'

beforeEach(() => at.server.faults.clear())

test('a fault strikes the requests it names, as often as it may', async () => {
  at.server.faults.add({
    verbs: ['create'],
    resources: ['secrets'],
    skip: 1,
    count: 1,
    effect: { kind: 'status', code: 500 },
  })
  const create = async (path: string, name: string) => (await at.api.send('POST', path, { metadata: { name } })).status
  assert.equal(await create(secrets, 'a'), 201)
  assert.equal(await create(configMaps, 'a'), 201)
  assert.equal(await create(secrets, 'b'), 500)
  assert.equal(await create(secrets, 'b'), 201)
  assert.equal(at.server.faults.strikes, 1)
})

test('too many requests come as text with a time to wait', async () => {
  const off = at.server.faults.add({ effect: { kind: 'status', code: 429, retryAfterSeconds: 3 } })
  const answer = await at.api.get(secrets)
  assert.equal(answer.status, 429)
  assert.equal(answer.headers['retry-after'], '3')
  assert.equal(answer.text, 'Too many requests, please try again later.\n')
  off()
  assert.equal((await at.api.get(secrets)).status, 200)
})

test('an applied fault does the work and lies about it', async () => {
  at.server.faults.add({ verbs: ['create'], count: 1, effect: { kind: 'status', code: 503, applied: true } })
  assert.equal((await at.api.send('POST', secrets, { metadata: { name: 'lied' } })).status, 503)
  assert.equal((await at.api.get(`${secrets}/lied`)).status, 200)
  at.server.faults.add({ verbs: ['delete'], count: 1, effect: { kind: 'cut', applied: true } })
  await assert.rejects(at.api.delete(`${secrets}/lied`), (error: TransportError) => error.reason === 'ConnectionError')
  assert.equal((await at.api.get(`${secrets}/lied`)).status, 404)
})

test('silence lasts until the client gives up', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({
    listen: false,
    clock,
    faults: [{ verbs: ['list'], effect: { kind: 'silence', applied: false } }],
  })
  const waiting = server.transport().request({ method: 'GET', path: secrets, headers: {}, timeoutMs: 1000 })
  const refusal = assert.rejects(waiting, (error: TransportError) => error.reason === 'Timeout')
  await Promise.resolve()
  clock.advance(1000)
  await refusal
  await server.stop()
})

test('a delay holds a request back on the clock of the server', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock, faults: [{ effect: { kind: 'delay', delayMs: 500 } }] })
  let isAnswered = false
  const waiting = new Api(server.transport()).get(secrets).then(() => {
    isAnswered = true
  })
  clock.advance(499)
  await Promise.resolve()
  assert.equal(isAnswered, false)
  clock.advance(1)
  await waiting
  await server.stop()
})

test('stale reads show the past, writes do not', async () => {
  await at.api.create(secrets, { metadata: { name: 'stale' } })
  await at.api.merge(`${secrets}/stale`, { metadata: { labels: { step: '1' } } })
  at.server.faults.add({ verbs: ['get', 'list'], effect: { kind: 'stale', versions: 1 } })
  assert.equal((await at.api.get(`${secrets}/stale`)).body.metadata.labels, undefined)
  const listed = (await at.api.get(secrets)).body.items.find(item => item.metadata.name === 'stale')
  assert.equal(listed?.metadata.labels, undefined)
  assert.deepEqual((await at.api.merge(`${secrets}/stale`, {})).body.metadata.labels, { step: '1' })
})

test('watches end, break, expire, stall or lag when told to', async () => {
  const watch = async (effect: Parameters<typeof at.server.faults.add>[0]['effect']) => {
    at.server.faults.clear()
    at.server.faults.add({ verbs: ['watch'], effect })
    return at.api.watch(configMaps, { resourceVersion: (await at.api.get(configMaps)).body.metadata.resourceVersion })
  }
  let step = 0
  const change = () => at.api.create(configMaps, { metadata: { name: `change-${step++}` } })

  const ending = await watch({ kind: 'end-watch', afterEvents: 1, how: 'end' })
  await change()
  assert.equal(await ending.ended(), 'ended')
  assert.equal(ending.seen.length, 1)

  const breaking = await watch({ kind: 'end-watch', afterEvents: 1, how: 'cut' })
  await change()
  assert.equal(await breaking.ended(), 'broken')

  const expiring = await watch({ kind: 'end-watch', afterEvents: 1, how: 'expire' })
  await change()
  assert.equal(await expiring.ended(), 'ended')
  assert.deepEqual(
    expiring.seen.map(one => one.type),
    ['ADDED', 'ERROR'],
  )
  assert.equal(expiring.seen[1]?.object.code, 410)

  const brief = await watch({ kind: 'end-watch', afterEvents: 0, how: 'expire' })
  assert.equal(await brief.ended(), 'ended')
  assert.deepEqual(
    brief.seen.map(one => one.type),
    ['ERROR'],
  )

  const stalling = await watch({ kind: 'stall-watch', afterEvents: 1 })
  const honest = await watch({ kind: 'delay-watch', delayMs: 1 })
  await change()
  await change()
  await honest.take(2)
  assert.equal(stalling.seen.length, 1)
  assert.equal(stalling.state, 'open')
  stalling.stop()
  honest.stop()
})

test('chance is drawn from the seeded source: the same seed, the same strikes', () => {
  const strikes = (seed: number) => {
    const faults = new FaultSwitch(seededRandom(seed), [{ probability: 0.5, effect: { kind: 'status', code: 500 } }])
    const subject = { verb: 'get', plural: 'secrets', group: '', subresource: '', namespace: '', name: '', user: '' }
    return Array.from({ length: 40 }, () => faults.strike(subject).length)
  }
  assert.deepEqual(strikes(1), strikes(1))
  assert.notDeepEqual(strikes(1), strikes(2))
  assert.ok(strikes(1).includes(0) && strikes(1).includes(1))
})
