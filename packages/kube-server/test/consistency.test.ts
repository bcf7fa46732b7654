/**
 * Several writers and several watchers whose connections break: nobody loses anything. CONSISTENCY_SEED and
 * CONSISTENCY_STEPS make it different or longer.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Random, seededRandom } from '@godwit/ports'
import { KubeServer, type KubeServerOptions, type Transport } from '../src/index.ts'
import { type Answer, Api, eventually } from './api.ts'
import { EventRules } from './event-rules.ts'
import { isObjectAnswer, type Operation, type Playground, perform, randomOperation } from './operations.ts'
import { Replayer, type ReplayerOptions } from './replayer.ts'
import { socketTransport } from './socket-transport.ts'
import { serve } from './widgets.ts'

const seed = Number(process.env['CONSISTENCY_SEED'] ?? 1)
const steps = Number(process.env['CONSISTENCY_STEPS'] ?? 120)
const writers = 6

const playground: Playground = { group: 'test.example.com', namespaces: ['default', 'other'], names: 6 }
const collections = ['/apis/test.example.com/v1/widgets', '/api/v1/configmaps']

interface Acknowledged {
  readonly operation: Operation
  readonly answer: Answer
}

/** Each writer waits for an answer before it goes on. */
async function write(api: Api, random: Random, acknowledged: Acknowledged[]): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const operation = randomOperation(random, playground)
    const answer = await perform(api, playground.group, operation)
    assert.ok(answer.status < 500, `${JSON.stringify(operation)}: ${answer.text}`)
    acknowledged.push({ operation, answer })
  }
}

/** Watchers of every scope; the last two see everything and are never cut. */
function watchersOf(transport: Transport, random: Random, rules: EventRules): readonly Replayer[] {
  const [widgets = '', configMaps = ''] = collections
  const inOther = widgets.replace('/widgets', '/namespaces/other/widgets')
  const scopes: readonly Omit<ReplayerOptions, 'transport' | 'random'>[] = [
    { path: widgets, cutAfter: 3 },
    { path: widgets, cutAfter: 25 },
    { path: inOther, cutAfter: 10 },
    { path: configMaps, cutAfter: 10 },
    { path: widgets, cutAfter: 5, labelSelector: 'parity=odd' },
    { path: configMaps, cutAfter: 5, labelSelector: 'parity!=odd' },
    { path: widgets, onEvent: event => rules.take(event) },
    { path: configMaps, onEvent: event => rules.take(event) },
  ]
  return scopes.map(scope => new Replayer({ transport, random, ...scope }))
}

/** Every state that somebody was shown after a write is part of the story. */
function checkAcknowledged({ operation, answer }: Acknowledged, rules: EventRules, firstVersion: number): void {
  const { act } = operation
  if (answer.status >= 300 || act === 'dryRun' || act === 'get') return
  if (!isObjectAnswer(answer)) {
    assert.ok(
      rules.isGone(String(answer.body.details['uid'])),
      `${JSON.stringify(operation)}: deleted, but not for others`,
    )
    return
  }
  const { uid, resourceVersion, finalizers } = answer.body.metadata
  const isLastOfIt = answer.body.metadata['deletionTimestamp'] !== undefined && (finalizers ?? []).length === 0
  if (isLastOfIt) assert.ok(rules.isGone(uid), 'the last finalizer went, the object did not')
  else if (Number(resourceVersion) > firstVersion)
    assert.deepEqual(rules.states.get(resourceVersion), answer.body, `${JSON.stringify(operation)}: lost`)
}

async function assertConsistent(server: KubeServer, transport: Transport, random: Random) {
  const api = new Api(transport)
  await serve(api)
  await api.create('/api/v1/namespaces', { metadata: { name: 'other' } })
  await server.idle()
  const rules = new EventRules()
  const watchers = watchersOf(transport, random, rules)
  await eventually(
    async () => watchers.every(one => one.isListed) || undefined,
    () => 'a watcher could not list',
  )
  const firstVersion = Number((await api.get('/api/v1/namespaces')).body.metadata.resourceVersion)
  const acknowledged: Acknowledged[] = []
  const seeds = Array.from({ length: writers }, () => Math.floor(random.next() * 2 ** 32))
  await Promise.all(seeds.map(one => write(api, seededRandom(one), acknowledged)))
  await server.idle()
  for (const watcher of watchers) await assertCaughtUp(watcher)
  await Promise.all(watchers.map(watcher => watcher.stop()))
  for (const one of acknowledged) checkAcknowledged(one, rules, firstVersion)
  return { acknowledged, watchers, rules }
}

async function assertCaughtUp(watcher: Replayer): Promise<void> {
  const list = await watcher.listed()
  const isEqual = () => JSON.stringify(watcher.copy) === JSON.stringify(list?.items)
  await eventually(
    async () => isEqual() || undefined,
    () => `a watcher has ${JSON.stringify(watcher.copy)}, the server ${JSON.stringify(list?.items)}`,
  )
}

/** How often something happened that the test is about: it must not pass because nothing did. */
function assertTried({ acknowledged, watchers, rules }: Awaited<ReturnType<typeof assertConsistent>>): string {
  const sum = (of: (watcher: Replayer) => number) => watchers.reduce((total, watcher) => total + of(watcher), 0)
  const codes = new Set(acknowledged.map(({ answer }) => answer.status))
  for (const code of [200, 201, 404, 409, 422]) assert.ok(codes.has(code), `no write was answered with ${code}`)
  const counts = {
    writes: rules.states.size,
    reconnects: sum(one => one.counts.reconnects),
    lists: sum(one => one.counts.lists),
    compared: sum(one => one.counts.compared),
  }
  assert.ok(counts.writes > steps && counts.reconnects > steps / 2 && counts.compared > 10, JSON.stringify(counts))
  return JSON.stringify(counts)
}

async function withServer(options: KubeServerOptions, run: (server: KubeServer) => Promise<void>): Promise<void> {
  const server = await KubeServer.start(options)
  try {
    await run(server)
  } finally {
    await server.stop()
  }
}

describe('writers and watchers agree', () => {
  test('inside the process', t =>
    withServer({ listen: false }, async server => {
      t.diagnostic(assertTried(await assertConsistent(server, server.transport(), seededRandom(seed))))
    }))

  test('over sockets, when history is so short that watchers must list again', t =>
    withServer({ historyEvents: 8 }, async server => {
      const transport = socketTransport(server.url)
      const tried = await assertConsistent(server, transport, seededRandom(seed + 1))
      await transport.close()
      t.diagnostic(assertTried(tried))
      assert.ok(
        tried.watchers.some(({ counts }) => counts.lists > 1),
        'nobody had to list again',
      )
    }))

  test('over sockets, with a server that keeps everything on a disk', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'consistency-'))
    await withServer({ storage: { folder } }, async server => {
      const transport = socketTransport(server.url)
      const tried = await assertConsistent(server, transport, seededRandom(seed + 2))
      await transport.close()
      t.diagnostic(assertTried(tried))
    })
    rmSync(folder, { recursive: true, force: true })
  })
})
