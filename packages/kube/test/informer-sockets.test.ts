import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { seededRandom, systemClock } from '@godwit/ports'
import { httpTransport, Informer, KubeClient, until } from '../src/index.ts'
import { ChangeLog } from './change-log.ts'
import { FakeCollection, type Thing } from './fake-collection.ts'
import { things } from './informer-world.ts'
import { reset, socketServer } from './socket-server.ts'

/** Puts the collection on a socket. A broken stream ends in the middle of a line, with RST. */
const onSocket =
  (collection: FakeCollection): RequestListener =>
  async (request, response) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    try {
      const asked = { method: 'GET', path: request.url ?? '/', headers: {}, signal: gone.signal }
      const answer = await collection.request(asked)
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      if (asked.path.includes('watch=')) await stream(answer.lines(), response)
      response.end(await answer.text())
    } catch {
      reset(response)
    }
  }

async function stream(lines: AsyncIterable<string>, response: ServerResponse): Promise<void> {
  response.flushHeaders()
  try {
    for await (const line of lines)
      response.write(line.startsWith('{"type":"MODIFIED","object":{"metadata":{"na') ? line : `${line}\n`)
  } catch (error) {
    await new Promise(resolve => response.write('{"type":"MODIFIED","object":{"meta', resolve))
    throw error
  }
}

test('an informer on a real socket misses nothing through resets inside a line, half lines, refusals and restarts', async () => {
  const collection = new FakeCollection()
  let server = await socketServer(onSocket(collection))
  const client = new KubeClient({ transport: httpTransport({ server: server.url }) })
  const random = seededRandom(1)
  const backoff = { baseMs: 2, maxMs: 20 }
  const informer = new Informer<Thing>({ client, resource: things, clock: systemClock, random, backoff })
  const log = new ChangeLog<Thing>()
  informer.onChange(log.handle)
  informer.start()
  const disturbances = ['reset', 'half', 'junk', 'end', 'expired', 'restart'] as const
  for (let round = 0; round < 60; round++) {
    collection.put(`t-${round % 7}`, round)
    if (round % 5 === 4) collection.remove(`t-${(round * 3) % 7}`)
    const how = disturbances[round % disturbances.length] ?? 'end'
    if (how === 'restart') {
      await server.close()
      server = await socketServer(onSocket(collection), server.port)
    } else collection.disturb(how)
    if (round % 4 === 3) {
      const isThere = () =>
        informer.get({ namespace: 'x', name: `t-${round % 7}` })?.spec.value === round || round % 5 === 4
      await until(informer, isThere, { timeoutMs: 20_000 })
    }
  }
  const stateOf = (objects: Iterable<Thing>) =>
    JSON.stringify([...objects].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort())
  const wanted = stateOf(collection.objects())
  await until(informer, () => stateOf(informer.list()) === wanted, { timeoutMs: 20_000 })
  assert.equal(stateOf(log.state.values()), wanted)
  assert.deepEqual(log.complaints, [])
  await informer.stop()
  await client.close()
  await server.close()
})
