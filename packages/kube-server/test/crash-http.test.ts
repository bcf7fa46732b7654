/**
 * Kills a server that answers requests over HTTP, again and again on the same folder. CRASH_ROUNDS, CRASH_SEED and
 * CRASH_OBJECTS make it longer, different or larger, for instance CRASH_ROUNDS=60 CRASH_OBJECTS=10000.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { type Random, seededRandom, sleep, systemClock } from '@godwit/ports'
import { Api } from './api.ts'
import { HttpCrashTarget } from './crash-http-target.ts'
import { CrashLedger, type Found } from './crash-ledger.ts'
import { runLoad } from './crash-load.ts'
import { socketTransport } from './socket-transport.ts'

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 5)
const seed = Number(process.env['CRASH_SEED'] ?? 1)
const objects = Number(process.env['CRASH_OBJECTS'] ?? 2000)
const writers = 16

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, null>
  readonly url: string
  /** From the start of the process to its first answer. */
  readonly readyMs: number
}

async function start(folder: string): Promise<Running> {
  const startedAt = systemClock.now()
  const program = join(import.meta.dirname, 'crash-server.ts')
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  const transport = socketTransport(url)
  assert.equal((await new Api(transport).get('/readyz')).status, 200)
  await transport.close()
  return { child, url, readyMs: systemClock.now() - startedAt }
}

async function kill({ child }: Running): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

async function fill({ url }: Running): Promise<void> {
  const transport = socketTransport(url)
  const api = new Api(transport)
  for (const name of ['crash', 'ballast']) await api.create('/api/v1/namespaces', { metadata: { name } })
  let next = 0
  const work = async () => {
    for (let index = next++; index < objects; index = next++)
      await api.create('/api/v1/namespaces/ballast/configmaps', {
        metadata: { name: `ballast-${index}` },
        data: { value: 'x'.repeat(1000) },
      })
  }
  await Promise.all(Array.from({ length: writers }, work))
  await transport.close()
}

/** The lines of the load, up to the moment when the last request has failed. */
async function loadUntilKilled(running: Running, random: Random, round: number): Promise<string[]> {
  const transport = socketTransport(running.url)
  const target = new HttpCrashTarget(transport)
  const lines: string[] = []
  let left = 1 + Math.floor(random.next() * 400)
  const killed = Promise.withResolvers<void>()
  const report = (line: string) => {
    lines.push(line)
    if (line.startsWith('done') && --left === 0) kill(running).then(killed.resolve, killed.reject)
  }
  const load = runLoad(target, { random, writers, report, run: `${seed}-${round}` })
  await assert.rejects(load, error => !/the server answered/.test(String(error)))
  await killed.promise
  while (target.inFlight > 0) await sleep(systemClock, 5)
  await target.stop()
  await transport.close()
  return lines
}

async function found(running: Running): Promise<Found> {
  const transport = socketTransport(running.url)
  const api = new Api(transport)
  const list = await api.get('/api/v1/namespaces/crash/configmaps')
  const states = list.body.items
    .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
    .map(({ metadata, data }) => ({
      name: metadata.name,
      value: String(data['value']),
      version: Number(metadata.resourceVersion),
    }))
  const ballast = await api.get('/api/v1/namespaces/ballast/configmaps', { limit: '1' })
  const rest = Number(ballast.body.metadata['remainingItemCount'] ?? 0)
  // The certificate bundle that every namespace has is the one more.
  assert.equal(ballast.body.items.length + rest, objects + 1)
  await transport.close()
  return { version: Number(list.body.metadata.resourceVersion), states }
}

test(`a server that is killed ${rounds} times under load over HTTP loses nothing it acknowledged and reuses no version`, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crash-http-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const random = seededRandom(seed)
  const ledger = new CrashLedger()
  const readyMs: number[] = []
  let running = await start(folder)
  await fill(running)
  ledger.check(await found(running))
  for (let round = 0; round < rounds; round++) {
    for (const line of await loadUntilKilled(running, random, round)) ledger.read(line)
    running = await start(folder)
    readyMs.push(running.readyMs)
    ledger.check(await found(running))
  }
  await kill(running)
  const { acknowledged, unanswered } = ledger.totals
  readyMs.sort((a, b) => a - b)
  t.diagnostic(`${rounds} kills, ${acknowledged} acknowledged writes, ${unanswered} unanswered, seed ${seed}`)
  t.diagnostic(
    `${objects} objects; start to first answer: median ${readyMs[rounds >> 1]} ms, most ${readyMs.at(-1)} ms`,
  )
  assert.ok(acknowledged > rounds && unanswered > 0, 'the kills hit a server at work')
})
