import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { nextTurn, VirtualClock } from '@godwit/ports'
import { httpTransport } from '../src/http-transport.ts'
import type { HttpTransportOptions, Transport, TransportRequest } from '../src/index.ts'
import { bodyOf, reset, type SocketServer, sendJson, socketServer } from './socket-server.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function serve(...parameters: Parameters<typeof socketServer>): Promise<SocketServer> {
  const server = await socketServer(...parameters)
  open.push(server)
  return server
}

function transportTo(server: string, options: Partial<HttpTransportOptions> = {}): Transport {
  const transport = httpTransport({ server, ...options })
  open.push(transport)
  return transport
}

const ask = (transport: Transport, request: Partial<TransportRequest> = {}) =>
  transport.request({ method: 'GET', path: '/', headers: {}, ...request })

const read = async (transport: Transport, request: Partial<TransportRequest> = {}) =>
  (await ask(transport, request)).text()

test('requests travel with prefix, query, repeated headers and body, over one connection', async () => {
  const server = await serve(async (request, response) => {
    const { method, url, headers, rawHeaders } = request
    const groups = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'impersonate-group')
    sendJson(response, { method, url, groups, type: headers['content-type'], body: await bodyOf(request) }, 201)
  })
  const transport = transportTo(`${server.url}/prefix/`)
  const headers = { 'impersonate-group': ['a', 'b'], 'content-type': 'text/x', 'content-length': '2' }
  for (let turn = 0; turn < 3; turn++) {
    const response = await ask(transport, { method: 'POST', path: '/p?q=1', headers, body: 'ä' })
    assert.equal(response.status, 201)
    assert.deepEqual(JSON.parse(await response.text()), {
      method: 'POST',
      url: '/prefix/p?q=1',
      groups: ['a', 'b'],
      type: 'text/x',
      body: 'ä',
    })
  }
  assert.equal(server.connections, 1)
})

test('requests under way are limited in number, and watches do not use up the limit', async () => {
  let current = 0
  let highest = 0
  const waiting: (() => void)[] = []
  const server = await serve((request, response) => {
    if (request.url === '/watch') return void response.writeHead(200).write('{}\n')
    current += 1
    highest = Math.max(highest, current)
    waiting.push(() => {
      current -= 1
      response.end('{}')
    })
  })
  const transport = transportTo(server.url, { maxSockets: 2 })
  const stop = new AbortController()
  const watches = Array.from({ length: 5 }, () => ask(transport, { path: '/watch', stream: true, signal: stop.signal }))
  await Promise.all(watches)
  let isDone = false
  const all = Promise.all(Array.from({ length: 6 }, () => read(transport))).finally(() => {
    isDone = true
  })
  while (!isDone) {
    if (waiting.length === 2) for (const answer of waiting.splice(0)) answer()
    await nextTurn()
  }
  await all
  stop.abort()
  assert.equal(highest, 2)
})

test('a read on a kept connection that the server just closed is asked again on a new one', async () => {
  let isRude = false
  const server = await serve((_, response) => {
    if (isRude) {
      isRude = false
      reset(response)
    } else response.end('fine')
  })
  const transport = transportTo(server.url)
  assert.equal(await read(transport), 'fine')
  isRude = true
  assert.equal(await read(transport), 'fine')
  assert.equal(server.connections, 2)
})

test('a write on a kept connection that was reset is not sent again, and says that it may have happened', async () => {
  let isRude = false
  const server = await serve((_, response) => (isRude ? reset(response) : response.end('fine')))
  const transport = transportTo(server.url)
  await read(transport)
  isRude = true
  await assert.rejects(read(transport, { method: 'POST' }), { reason: 'ConnectionError', wasSent: true })
  assert.deepEqual(server.requests, ['GET /', 'POST /'])
})

test('a read that is reset on a new connection is an error: nothing says that the next one would do better', async () => {
  const server = await serve((_, response) => reset(response))
  await assert.rejects(read(transportTo(server.url)), { reason: 'ConnectionError', wasSent: true })
  assert.equal(server.requests.length, 1)
})

test('a server that is not there was certainly not reached', async () => {
  const { url, close } = await socketServer((_, response) => response.end())
  await close()
  await assert.rejects(read(transportTo(url), { method: 'POST' }), { reason: 'ConnectionError', wasSent: false })
})

test('a request that waits for a connection in vain was not sent', async () => {
  const clock = new VirtualClock()
  const server = await serve(() => undefined)
  const transport = transportTo(server.url, { maxSockets: 1, clock })
  const first = assert.rejects(read(transport, { method: 'POST', timeoutMs: 2000 }), {
    reason: 'Timeout',
    wasSent: true,
  })
  const second = assert.rejects(read(transport, { method: 'POST', timeoutMs: 1000 }), {
    reason: 'Timeout',
    wasSent: false,
  })
  while (server.requests.length === 0) await nextTurn()
  clock.advance(1000)
  await second
  clock.advance(1000)
  await first
  assert.equal(server.requests.length, 1)
})

test('a request that waited in the queue and was then sent says so when its answer is lost', async () => {
  const clock = new VirtualClock()
  let release = () => {}
  const server = await serve((request, response) => {
    if (request.method === 'GET') release = () => void response.end('first')
  })
  const transport = transportTo(server.url, { maxSockets: 1, clock })
  const first = read(transport)
  const lost = assert.rejects(read(transport, { method: 'POST', timeoutMs: 1000 }), {
    reason: 'Timeout',
    wasSent: true,
  })
  while (server.requests.length < 1) await nextTurn()
  release()
  assert.equal(await first, 'first')
  while (server.requests.length < 2) await nextTurn()
  clock.advance(1000)
  await lost
})

test('the time limit covers the whole answer, and of a stream only its beginning', async () => {
  const clock = new VirtualClock()
  let more = () => {}
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"half":1}\n')
    more = () => void response.write('{"second":2}\n')
  })
  const transport = transportTo(server.url, { clock })
  const response = await ask(transport, { timeoutMs: 1000 })
  const text = assert.rejects(response.text(), { reason: 'Timeout' })
  clock.advance(1000)
  await text
  const lines = (await ask(transport, { stream: true, timeoutMs: 1000 })).lines()[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, '{"half":1}')
  clock.advance(60_000)
  more()
  assert.equal((await lines.next()).value, '{"second":2}')
  await lines.return?.()
  assert.equal(clock.untilNext(), undefined, 'no timer is left behind')
})

test('an aborted request ends at once, before, while and after it is sent', async () => {
  const server = await serve((_, response) => response.writeHead(200).write('{'))
  const transport = transportTo(server.url)
  await assert.rejects(read(transport, { signal: AbortSignal.abort() }), { reason: 'Aborted' })
  const stop = new AbortController()
  const response = await ask(transport, { signal: stop.signal })
  const text = assert.rejects(response.text(), { reason: 'Aborted' })
  stop.abort()
  await text
})

test('a body that breaks off is an error, however the connection ended', async () => {
  for (const end of ['reset', 'close'] as const) {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => (end === 'reset' ? reset(response) : response.socket?.destroy()))
    })
    const response = await ask(transportTo(server.url))
    await assert.rejects(response.text(), { reason: 'ConnectionError', wasSent: true })
  }
})

test('a break between the headers and the first read of the body harms only the reader', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200).write('{}\n')
    setImmediate(() => reset(response))
  })
  const response = await ask(transportTo(server.url), { stream: true })
  for (let turn = 0; turn < 50; turn++) await nextTurn()
  await assert.rejects(async () => {
    for await (const line of response.lines()) assert.equal(line, '{}')
  })
})

test('lines of a stream arrive as they are sent; the end of the stream is no error', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200)
    response.write('{"a":1}\n{"b"')
    setImmediate(() => response.end(':2}\n{"c":3}'))
  })
  const lines: string[] = []
  for await (const line of (await ask(transportTo(server.url), { stream: true })).lines()) lines.push(line)
  assert.deepEqual(lines, ['{"a":1}', '{"b":2}', '{"c":3}'])
})

test('a reader that walks away closes its stream', async () => {
  const closed = Promise.withResolvers<void>()
  const server = await serve((_, response) => {
    response.on('close', () => closed.resolve())
    response.writeHead(200).write('1\n2\n3\n')
  })
  for await (const line of (await ask(transportTo(server.url), { stream: true })).lines()) if (line === '2') break
  await closed.promise
})

test('a token is asked for before each request, and one of the request itself goes first', async () => {
  const server = await serve((request, response) => response.end(request.headers.authorization ?? 'none'))
  let issued = 0
  const transport = transportTo(server.url, { tokenSource: () => `t${++issued}` })
  assert.equal(await read(transport), 'Bearer t1')
  assert.equal(await read(transport), 'Bearer t2')
  assert.equal(await read(transport, { headers: { authorization: 'Bearer own' } }), 'Bearer own')
  assert.equal(await read(transportTo(server.url)), 'none')
})

test('refused credentials are renewed once, also for a write, because 401 comes before any effect', async () => {
  const server = await serve((request, response) => {
    response.writeHead(request.headers.authorization === 'Bearer new' ? 200 : 401).end()
  })
  const refused: string[] = []
  const credentials = (renewed: string) => {
    let token = 'old'
    return {
      current: async () => ({ authorization: `Bearer ${token}` }),
      refuse() {
        refused.push(token)
        token = renewed
      },
    }
  }
  const status = async (renewed: string) => {
    const response = await ask(transportTo(server.url, { credentials: credentials(renewed) }), { method: 'POST' })
    await response.text()
    return response.status
  }
  assert.equal(await status('new'), 200)
  assert.equal(await status('still wrong'), 401)
  assert.deepEqual(refused, ['old', 'old'])
  assert.equal(server.requests.length, 4)
})

test('a token is not sent in the clear to another machine', async () => {
  assert.throws(() => httpTransport({ server: 'http://hub.example.com', token: 's3cret' }), /clear text/)
  assert.throws(() => httpTransport({ server: 'http://10.0.0.1:6443', tokenSource: () => 't' }), /clear text/)
  const transport = transportTo('http://127.0.0.1.example.com:1')
  await assert.rejects(ask(transport, { headers: { authorization: 'Bearer s3cret' } }), (error: Error) => {
    return /clear text/.test(error.message) && !error.message.includes('s3cret')
  })
  for (const server of ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://hub.example.com'])
    await httpTransport({ server, token: 't' }).close()
})

test('closing ends what is under way', async () => {
  const server = await serve(() => undefined)
  const transport = transportTo(server.url)
  const waiting = assert.rejects(read(transport), { reason: 'ConnectionError' })
  while (server.requests.length === 0) await nextTurn()
  await transport.close()
  await waiting
})

test('a server that comes back on the same port is reached again', async () => {
  const first = await socketServer((_, response) => response.end('first'))
  const transport = transportTo(first.url)
  assert.equal(await read(transport), 'first')
  await first.close()
  await assert.rejects(read(transport))
  const second = await serve((_, response) => response.end('second'), first.port)
  assert.equal(await read(transport), 'second')
  assert.equal(second.requests.length, 1)
})
