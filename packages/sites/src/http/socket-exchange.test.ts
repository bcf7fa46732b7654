import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { socketExchange } from './socket-exchange.ts'

async function serverOf(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?query=1`
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const get = (url: string) => ({ method: 'GET', url, headers: {}, body: undefined })

test('what is sent arrives, and what is answered comes back, over one connection', async t => {
  const connections = new Set<unknown>()
  const url = await serverOf(t, async (request, response) => {
    connections.add(request.socket)
    const { method, url: path, headers } = request
    const seen = {
      method,
      path,
      name: headers['x-name'],
      length: headers['content-length'],
      body: await textOf(request),
    }
    response.writeHead(201, { 'X-Answer': 'yes' }).end(JSON.stringify(seen))
  })
  const exchange = socketExchange()
  const request = { method: 'PATCH', url, headers: { 'x-name': 'n' }, body: Buffer.from('späť') }
  for (let count = 0; count < 3; count++) {
    const { status, headers, body } = await exchange(request)
    assert.deepEqual([status, headers['x-answer']], [201, 'yes'])
    const seen = { method: 'PATCH', path: '/path?query=1', name: 'n', length: '6', body: 'späť' }
    assert.deepEqual(JSON.parse(Buffer.from(body).toString()), seen)
  }
  assert.equal(connections.size, 1)
})

test('a redirect is an answer and not followed', async t => {
  const url = await serverOf(
    t,
    (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  )
  const { status, headers } = await socketExchange()(get(url))
  assert.deepEqual([status, headers['location']], [302, 'http://127.0.0.1:1/'])
})

test('a request that is aborted ends, before it is sent and while it is answered', async t => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  const url = await serverOf(t, (request, response) => {
    response.writeHead(200).write('a beginning')
    arrived.resolve(request)
  })
  const exchange = socketExchange()
  await assert.rejects(exchange(get(url), AbortSignal.abort()), { name: 'AbortError' })
  const stopping = new AbortController()
  const asked = assert.rejects(exchange(get(url), stopping.signal), { name: 'AbortError' })
  const request = await arrived.promise
  const closed = new Promise(resolve => request.socket.once('close', resolve))
  stopping.abort()
  await asked
  await closed
})

test('an answer that breaks off or is too long is an error, and so is nobody there', async t => {
  const broken = await serverOf(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('a beginning')
    setImmediate(() => response.destroy())
  })
  await assert.rejects(socketExchange()(get(broken)))
  const long = await serverOf(t, (_, response) => void response.end('x'.repeat(100)))
  await assert.rejects(socketExchange({ maxAnswerBytes: 99 })(get(long)), /more than 99 bytes/)
  await assert.rejects(socketExchange()(get('http://127.0.0.1:1/')), { code: 'ECONNREFUSED' })
})
