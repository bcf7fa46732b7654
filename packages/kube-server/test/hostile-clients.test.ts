/** Clients that dawdle, stop in the middle or never listen: they cost others nothing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KubeServer } from '../src/index.ts'
import { eventually } from './api.ts'
import { RawClient } from './raw-client.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const host = 'Host: x\r\n'
const post = `POST ${configMaps} HTTP/1.1\r\n${host}Content-Type: application/json\r\n`
const halves = [
  '',
  'GET /heal',
  `GET /healthz HTTP/1.1\r\n${host}`,
  `${post}Content-Length: 3000000\r\n\r\n{"metadata":`,
  `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n{"me`,
  `GET ${configMaps}?watch=1 HTTP/1.1\r\n${host}\r\n`,
]

let server: KubeServer
let port: number
before(async () => {
  server = await KubeServer.start()
  port = Number(new URL(server.url).port)
})
after(() => server.stop())

async function sendText(client: RawClient, text: string): Promise<void> {
  await client.send(Buffer.from(text))
}

/** A request of its own connection that goes well. */
async function assertAnswers(): Promise<void> {
  const client = await RawClient.open(port)
  await sendText(client, `GET /healthz HTTP/1.1\r\n${host}\r\n`)
  const [answer] = await client.answers(1)
  assert.equal(answer?.body, 'ok')
  client.destroy()
}

test('three hundred half requests keep nobody else waiting, and leave nothing behind', async () => {
  const clients = await Promise.all(Array.from({ length: 300 }, () => RawClient.open(port)))
  for (const [i, client] of clients.entries()) await sendText(client, halves[i % halves.length] ?? '')
  await assertAnswers()
  for (const client of clients) client.destroy()
  await assertAnswers()
  const { body } = await server.handle({ method: 'GET', url: configMaps, headers: {} }).then(whole)
  assert.deepEqual(
    JSON.parse(body).items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ['kube-root-ca.crt'],
  )
})

test('a body that comes byte by byte is read once it is whole, and stored', async () => {
  const slow = await RawClient.open(port)
  const body = '{"metadata":{"name":"slow"},"data":{"a":"ü"}}'
  await slow.send({ slowly: Buffer.from(`${post}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`) })
  const [answer] = await slow.answers(1)
  assert.equal(answer?.status, 201)
  assert.equal(JSON.parse(answer.body).data.a, 'ü')
  slow.destroy()
})

test('a client that stops sending in the middle of a body has written nothing', async () => {
  const half = await RawClient.open(port)
  await sendText(half, `${post}Content-Length: 100\r\n\r\n{"metadata":{"name":"half"},"data":{}}`)
  half.end()
  const [answer] = await half.answers(1)
  assert.equal(answer?.status, 400)
  await half.closed()
  const { status } = await server.handle({ method: 'GET', url: `${configMaps}/half`, headers: {} }).then(whole)
  assert.equal(status, 404)
})

test('a body that goes on for ever is cut off', async () => {
  const endless = await RawClient.open(port)
  await sendText(endless, `${post}Transfer-Encoding: chunked\r\n\r\n`)
  const mebibyte = Buffer.from(`100000\r\n${'x'.repeat(2 ** 20)}\r\n`)
  await eventually(
    async () => {
      if (endless.isClosed) return true
      await endless.send(mebibyte)
      return undefined
    },
    () => 'the server is still listening',
  )
  await assertAnswers()
})

test('a selector that names a thousand objects fits into the URL, as on the real server', async () => {
  const client = await RawClient.open(port)
  const names = Array.from({ length: 1000 }, (_, i) => `a-rather-long-label-value-${i}`).join(',')
  await sendText(client, `GET ${configMaps}?labelSelector=a%20in%20(${names}) HTTP/1.1\r\n${host}\r\n`)
  const [answer] = await client.answers(1)
  assert.equal(answer?.status, 200)
  client.destroy()
})

test('a server with half requests and watches open stops all the same', async () => {
  const second = await KubeServer.start()
  const clients = await Promise.all(halves.map(() => RawClient.open(Number(new URL(second.url).port))))
  for (const [i, client] of clients.entries()) await sendText(client, halves[i] ?? '')
  await second.stop()
  for (const client of clients) await client.closed()
})

function whole(response: Awaited<ReturnType<KubeServer['handle']>>): { status: number; body: string } {
  if (response.kind === 'whole') return response
  assert.equal(response.kind, 'pieces')
  return { status: response.status, body: [...response.pieces].join('') }
}
