import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { eventually } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { TransportError } from './transport.ts'

const at = inProcess()
const configMaps = '/api/v1/namespaces/default/configmaps'
const get = (path: string) => ({ method: 'GET', path, headers: {} })
async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}
const failsWith = (reason: string, wasSent: boolean) => (error: unknown) =>
  error instanceof TransportError && error.reason === reason && error.wasSent === wasSent

test('a request travels without sockets, repeated headers included', async () => {
  const response = await at.server.transport().request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: { 'Impersonate-User': 'bob', 'Impersonate-Group': ['a', 'b,c'] },
    body: '{}',
  })
  const { status } = JSON.parse(await response.text())
  assert.deepEqual(status.userInfo, { username: 'bob', groups: ['a', 'b,c', 'system:authenticated'] })
})

test('a body over 3 MiB is refused as it is over sockets, and nothing is stored', async () => {
  const transport = at.server.transport()
  const send = (length: number) => {
    const body = JSON.stringify({ metadata: { name: 'large', annotations: {} }, data: { a: 'x'.repeat(length) } })
    return transport.request({ method: 'POST', path: configMaps, headers: {}, body })
  }
  const response = await send(3 * 1024 * 1024)
  const { reason, message } = JSON.parse(await response.text())
  assert.deepEqual([response.status, reason], [413, 'RequestEntityTooLarge'])
  assert.equal(message, 'Request entity too large: limit is 3145728')
  assert.equal((await transport.request(get(`${configMaps}/large`))).status, 404)
  assert.equal((await send(1000)).status, 201)
})

test('an aborted request is not sent; an aborted watch breaks off and leaves nothing behind', async () => {
  const transport = at.server.transport()
  await assert.rejects(
    transport.request({ ...get(configMaps), signal: AbortSignal.abort() }),
    failsWith('Aborted', false),
  )
  const stop = new AbortController()
  const response = await transport.request({
    ...get(`${configMaps}?watch=1&resourceVersion=999999`),
    signal: stop.signal,
    stream: true,
  })
  const reading = (async () => {
    for await (const _line of response.lines());
  })()
  stop.abort()
  await assert.rejects(reading, failsWith('Aborted', true))
})

test('leaving the loop over the lines ends the watch', async () => {
  const response = await at.server.transport().request({ ...get(`${configMaps}?watch=1`), stream: true })
  for await (const line of response.lines()) {
    assert.equal(JSON.parse(line).type, 'ADDED')
    break
  }
  assert.deepEqual(await collect(response.lines()), [])
})

test('a closed transport refuses requests and breaks its watches', async () => {
  const transport = at.server.transport()
  const response = await transport.request({ ...get(`${configMaps}?watch=1&resourceVersion=999999`), stream: true })
  const reading = collect(response.lines())
  await transport.close()
  await assert.rejects(reading, failsWith('ConnectionError', true))
  await assert.rejects(transport.request(get(configMaps)), failsWith('ConnectionError', false))
})

test('everything runs on the clock of the server: nothing waits for real time', async () => {
  const { KubeServer } = await import('../index.ts')
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock })
  const response = await server
    .transport()
    .request({ ...get(`${configMaps}?watch=1&timeoutSeconds=3600`), stream: true })
  let isOver = false
  const reading = collect(response.lines()).then(() => {
    isOver = true
  })
  clock.advance(3_599_000)
  assert.equal(isOver, false)
  clock.advance(1000)
  await reading
  await server.stop()
})

test('a reader inside the process that does not read is cut off as well', async () => {
  const response = await at.server
    .transport()
    .request({ ...get(`${configMaps}?watch=1&resourceVersion=999999`), stream: true })
  const start = (await (await at.server.transport().request(get(configMaps))).text()).match(
    /"resourceVersion":"(\d+)"/,
  )?.[1]
  const lazy = await at.server
    .transport()
    .request({ ...get(`${configMaps}?watch=1&resourceVersion=${start}`), stream: true })
  const pad = 'x'.repeat(900_000)
  for (let i = 0; i < 10; i++)
    await at.server.transport().request({
      method: 'POST',
      path: configMaps,
      headers: {},
      body: JSON.stringify({ metadata: { name: `lazy-${i}` }, data: { pad } }),
    })
  await eventually(
    () =>
      collect(lazy.lines()).then(
        () => undefined,
        (error: TransportError) => error.reason,
      ),
    () => 'the lazy reader was not cut off',
  )
  assert.equal(response.status, 200)
})
