/**
 * Input that means harm: a recorded corpus and random mutations of good requests. HOSTILE_RUNS and HOSTILE_SEED make the
 * random part longer or different.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type { Answer, Body } from './api.ts'
import { type HostileRequest, hostileRequest } from './hostile-bodies.ts'
import { type HostileCall, type HostileConnection, hostileCalls, hostileConnections } from './hostile-corpus.ts'
import { HostileServer } from './hostile-server.ts'
import { type Target, targets } from './hostile-targets.ts'
import { type RawAnswer, RawClient } from './raw-client.ts'

const runs = Number(process.env['HOSTILE_RUNS'] ?? 1000)
const seed = Number(process.env['HOSTILE_SEED'] ?? 1)

/** The real server's own surprises: the only bad input that is answered with 500. */
const surprises = [
  /^failed to create typed patch object/,
  /^Internal error occurred: couldn't get version\/kind/,
  /^Internal error occurred: resourceVersion should not be set on objects to be created$/,
]

let server: HostileServer
before(async () => {
  server = await HostileServer.start()
})
after(() => server.stop())

function assertRefusal(status: number, text: string): void {
  const body = parse(text)
  const isText = status === 404 && text === '404 page not found\n'
  if (isText) return
  assert.equal(body?.kind, 'Status', `${status}: ${text.slice(0, 500)}`)
  assert.equal(body.status, 'Failure')
  assert.equal(body.code, status)
  assert.notEqual(body.message, '')
  if (status >= 500)
    assert.ok(
      surprises.some(surprise => surprise.test(body.message)),
      text.slice(0, 500),
    )
}

function parse(text: string): Body | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function assertAnswer({ wants }: HostileCall, status: number, text: string): void {
  assert.ok(wants.includes(status), `wanted ${wants.join(' or ')}, got ${status} ${text.slice(0, 500)}`)
  if (status >= 400) assertRefusal(status, text)
}

function inProcess({ method, path, headers, body }: HostileCall): Promise<Answer> {
  return server.api.send(method, path, undefined, {
    headers,
    ...(body && { raw: body, type: headers['content-type'] ?? '' }),
  })
}

async function overSocket({ method, path, headers, body }: HostileCall): Promise<RawAnswer> {
  const client = await RawClient.open(server.port)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = body ? `content-length: ${body.length}\r\n` : ''
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${lines.join('')}${length}\r\n`
  await client.send(Buffer.from(head, 'latin1'), ...(body ? [body] : []))
  const [answer] = await client.answers(1)
  client.destroy()
  assert.ok(answer, 'the connection was closed without an answer')
  return answer
}

async function exchange({ sends, ends, wants }: HostileConnection) {
  const client = await RawClient.open(server.port)
  await client.send(...sends)
  if (ends) client.end()
  return { client, answers: await client.answers(wants.length) }
}

async function assertNothingStored<T>(act: () => Promise<T>): Promise<T> {
  const version = await server.version()
  const result = await act()
  await server.assertSound()
  assert.equal(await server.version(), version, 'something was stored')
  return result
}

describe('the recorded corpus', () => {
  for (const call of hostileCalls)
    test(`is refused inside the process: ${call.name}`, () =>
      assertNothingStored(async () => {
        const { status, text } = await inProcess(call)
        assertAnswer(call, status, text)
      }))

  for (const call of hostileCalls.filter(({ path }) => !/[^\x21-\x7e]/.test(path)))
    test(`is refused over a socket: ${call.name}`, () =>
      assertNothingStored(async () => {
        const { status, body } = await overSocket(call)
        assertAnswer(call, status, body)
      }))

  for (const connection of hostileConnections)
    test(`is answered on a connection of its own: ${connection.name}`, () =>
      assertNothingStored(async () => {
        const { client, answers } = await exchange(connection)
        const { wants, closes } = connection
        assert.deepEqual(
          answers.map(({ status }) => status),
          wants,
        )
        for (const { status, body } of answers) if (status >= 400 && body !== '') assertRefusal(status, body)
        if (closes) await client.closed()
        client.destroy()
      }))
})

describe('random harm', () => {
  test('the requests it is made from are good ones', async () => {
    for (const target of targets) {
      await server.standUp(target)
      const answer = await ask({ target, body: Buffer.from(JSON.stringify(target.body)) })
      assert.ok(answer.status < 300, `${target.method} ${target.path}: ${answer.text}`)
      await cleanUp(target, answer)
    }
    await server.assertSound()
  })

  test('is refused and stores nothing, or is stored whole', async () => {
    await fc.assert(fc.asyncProperty(hostileRequest, harm), { numRuns: runs, seed })
    await server.assertSound()
  })

  test('leaves nothing behind that a disk would not give back', async () => {
    const before = await server.everything()
    server = await server.restarted()
    assert.deepEqual(await server.everything(), before)
    await server.assertSound()
  })
})

function ask({ target, body }: HostileRequest): Promise<Answer> {
  const raw = server.withVersion(target, body)
  return server.api.send(target.method, target.path, undefined, { raw, type: target.type })
}

async function harm(request: HostileRequest): Promise<void> {
  await server.standUp(request.target)
  const before = await server.version()
  const answer = await ask(request)
  await server.assertSound()
  if (answer.status < 400) return cleanUp(request.target, answer)
  assertRefusal(answer.status, answer.text)
  assert.equal(await server.version(), before, 'something was stored')
}

/** What was made is there as it was answered, and goes. */
async function cleanUp({ method, path }: Target, answer: Answer): Promise<void> {
  const [collection = ''] = path.split(/\/hostile|\?/)
  if (path.includes('/hostile')) await server.remove(`${collection}/hostile`)
  if (method !== 'POST' || /reviews$|\/token$/.test(path)) return
  await assertShown(collection, answer)
  await server.remove(`${collection}/${encodeURIComponent(answer.body.metadata.name)}`)
}

/** Alone, in the list and in a table. */
async function assertShown(collection: string, { body }: Answer): Promise<void> {
  const { uid, name } = body.metadata
  const shown = (await server.api.get(`${collection}/${encodeURIComponent(name)}`)).body
  assert.equal(shown.metadata.uid, uid)
  // Definitions and namespaces are completed by controllers.
  if (!/definitions$|namespaces$/.test(collection)) assert.deepEqual(shown, body)
  const listed = await server.api.get(collection)
  assert.ok(listed.body.items.some(item => item.metadata.uid === uid))
  const table = await server.api.get(collection, {}, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
  assert.equal(table.body.rows.length, listed.body.items.length)
}

test('memory does not grow with the number of attacks', async () => {
  // Everything has happened twice by now: what is kept once is there.
  const heaps = [liveBytes()]
  for (let round = 0; round < 2; round++) {
    for (const call of hostileCalls) await inProcess(call)
    for (const connection of hostileConnections) (await exchange(connection)).client.destroy()
    heaps.push(liveBytes())
  }
  const [first = 0, ...later] = heaps
  assert.ok(Math.max(...later) < first + 16 * 2 ** 20, `live bytes after each round: ${heaps.join(', ')}`)
})

function liveBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
