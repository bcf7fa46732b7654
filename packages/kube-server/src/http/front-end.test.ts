import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { eventually } from '../../test/api.ts'
import { KubeServer } from '../index.ts'

let server: KubeServer
let port: number
before(async () => {
  server = await KubeServer.start()
  port = Number(new URL(server.url).port)
})
after(() => server.stop())

const configMaps = '/api/v1/namespaces/default/configmaps'

interface Received {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

function send(method: string, path: string, body?: string, headers: http.OutgoingHttpHeaders = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, method, path, headers: { 'content-type': 'application/json', ...headers } },
      response => {
        let text = ''
        response.on('data', chunk => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

test('a body over 3 MiB is refused with 413, and the client gets to read it', async () => {
  const body = JSON.stringify({ metadata: { name: 'large' }, data: { k: 'x'.repeat(3.3 * 1024 * 1024) } })
  const answer = await send('POST', configMaps, body)
  assert.equal(answer.status, 413)
  assert.equal(JSON.parse(answer.text).message, 'Request entity too large: limit is 3145728')
  const chunked = await send('POST', configMaps, body, { 'transfer-encoding': 'chunked' })
  assert.equal(chunked.status, 413)
})

test('the headers of a watch come before its first event', async () => {
  const status = await new Promise<number>((resolve, reject) => {
    const request = http.get({ port, path: `${configMaps}?watch=1&resourceVersion=999999` }, response => {
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    request.on('error', () => undefined)
    request.on('timeout', () => reject(new Error('no headers')))
  })
  assert.equal(status, 200)
})

test('a list of thousands arrives whole, in pieces', async () => {
  const api = server.transport()
  const pad = 'x'.repeat(500)
  const create = (i: number) =>
    api.request({
      method: 'POST',
      path: '/api/v1/namespaces/kube-public/configmaps',
      headers: {},
      body: JSON.stringify({ metadata: { name: `m-${i}` }, data: { pad } }),
    })
  await Promise.all(Array.from({ length: 2500 }, (_, i) => create(i)))
  const answer = await send('GET', '/api/v1/namespaces/kube-public/configmaps')
  assert.equal(answer.headers['transfer-encoding'], 'chunked')
  assert.equal(JSON.parse(answer.text).items.length, 2501)
})

test('a reader that does not read is cut off, the server goes on', async () => {
  const socket = net.connect(port)
  socket.on('error', () => undefined)
  await new Promise<void>(resolve => socket.once('connect', () => resolve()))
  socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`)
  await new Promise<void>(resolve => socket.once('data', () => resolve()))
  socket.pause()
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  await send('POST', configMaps, JSON.stringify({ metadata: { name: 'noisy' } }))
  const pad = 'x'.repeat(900_000)
  for (let i = 0; i < 30; i++)
    await send('PATCH', `${configMaps}/noisy`, JSON.stringify({ data: { pad: `${i}${pad}` } }), {
      'content-type': 'application/merge-patch+json',
    })
  socket.resume()
  await eventually(
    async () => isClosed || undefined,
    () => 'the slow reader is still connected',
  )
  assert.equal((await send('GET', `${configMaps}/noisy`)).status, 200)
})

test('what is no HTTP is told so and dropped, what is half a request does not disturb others', async () => {
  const garbage = net.connect(port)
  let told = ''
  garbage.on('data', chunk => {
    told += chunk
  })
  garbage.write('\x16\x03\x01 nonsense\r\n\r\n')
  await eventually(
    async () => garbage.destroyed || undefined,
    () => 'garbage is still connected',
  )
  assert.match(told, /^HTTP\/1.1 400 [\s\S]*"reason":"BadRequest","code":400}\n$/)
  const half = net.connect(port)
  half.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`)
  assert.equal((await send('GET', configMaps)).status, 200)
  half.destroy()
})

test('HEAD has no body, odd methods are refused, odd escapes harm nobody', async () => {
  assert.equal((await send('HEAD', configMaps)).text, '')
  assert.equal((await send('OPTIONS', configMaps)).status, 405)
  assert.equal((await send('GET', `${configMaps}/%zz`)).status, 404)
  assert.equal((await send('GET', `${configMaps}/..%2f..%2fsecrets`)).status, 404)
})

test('stopping ends watches cleanly and frees the port', async () => {
  const second = await KubeServer.start()
  const url = new URL(second.url)
  const ended = new Promise<boolean>((resolve, reject) => {
    http.get({ port: url.port, path: `${configMaps}?watch=1` }, response => {
      response.resume()
      response.on('end', () => resolve(response.complete))
      response.on('error', reject)
      void second.stop()
    })
  })
  assert.equal(await ended, true)
  await second.stop()
  const third = await KubeServer.start({ port: Number(url.port) })
  await third.stop()
})

test('with TLS, clients are told which authority to trust and may show a certificate', async () => {
  const secure = await KubeServer.start({ tls: true, auth: {} })
  const url = new URL(secure.url)
  const socket = tls.connect({ port: Number(url.port), host: '127.0.0.1', ca: secure.caPem, servername: 'localhost' })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => resolve())
    socket.once('error', reject)
  })
  assert.equal(socket.authorized, true)
  socket.destroy()
  assert.match(secure.kubeconfig(), /certificate-authority-data: \S+[\s\S]*token: \S+/)
  assert.throws(() => secure.kubeconfig('nobody'), /known are: admin/)
  await secure.stop()
})

test('a client that opened a connection and never shook hands does not hold up the end of the server', async () => {
  const guarded = await KubeServer.start({ tls: true, auth: {} })
  const socket = net.connect(Number(new URL(guarded.url).port))
  const gone = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', () => undefined)
  await new Promise(resolve => socket.once('connect', resolve))
  await guarded.stop()
  await gone
})
