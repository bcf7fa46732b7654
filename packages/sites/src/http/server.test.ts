import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, VirtualClock } from '@godwit/ports'
import type { HttpAnswer } from './exchange.ts'
import { startSitesServer } from './server.ts'

const answer: HttpAnswer = { status: 200, headers: {}, body: Buffer.from('done') }

async function setUp() {
  const clock = new VirtualClock()
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<HttpAnswer>()
  const exchange = () => {
    asked.resolve()
    return gate.promise
  }
  const server = await startSitesServer({
    exchange,
    logger: silentLogger,
    port: 0,
    drain: { clock, graceMs: 10_000 },
  })
  return { server, clock, asked: asked.promise, finish: () => gate.resolve(answer) }
}

test('what was asked before the stop is answered, and its connection is not kept', async () => {
  const { server, asked, finish } = await setUp()
  const call = fetch(server.url)
  await asked
  const stopped = server.stop()
  await assert.rejects(fetch(server.url))
  finish()
  const response = await call
  assert.equal(await response.text(), 'done')
  assert.equal(response.headers.get('connection'), 'close')
  await stopped
})

test('a call that takes too long does not hold up the stop', async () => {
  const { server, clock, asked } = await setUp()
  const call = assert.rejects(fetch(server.url))
  await asked
  const stopped = server.stop()
  clock.advance(10_000)
  await stopped
  await call
})
