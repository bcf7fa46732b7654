/**
 * Kills a process that writes to a durable store, again and again in the same folder, and checks after each kill that
 * nothing acknowledged is lost. CRASH_ROUNDS and CRASH_SEED make it longer or different.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { type Random, seededRandom, sleep, systemClock } from '@godwit/ports'
import { sqliteStore } from '../src/store/index.ts'
import { CrashLedger, type Found } from './crash-ledger.ts'

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 20)
const seed = Number(process.env['CRASH_SEED'] ?? 1)

interface KillPlan {
  /** Kill when so many answers have been seen … */
  readonly answers: number
  /** … or after this time, whatever comes first: hits the opening of the store too. */
  readonly withinMs: number
}

/** Most rounds die under load; one in five dies soon after its start. */
function planKill(random: Random, round: number): KillPlan {
  if (round % 5 === 4) return { answers: Number.POSITIVE_INFINITY, withinMs: Math.floor(random.next() * 400) }
  return { answers: 1 + Math.floor(random.next() * 600), withinMs: 20_000 }
}

function spawnLoad(folder: string, childSeed: number): ChildProcessByStdio<null, Readable, Readable> {
  const program = join(import.meta.dirname, 'crash-child.ts')
  return spawn(process.execPath, [program, folder, String(childSeed)], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The whole lines that the child wrote before it was killed. */
async function runUntilKilled(folder: string, childSeed: number, plan: KillPlan): Promise<string[]> {
  const child = spawnLoad(folder, childSeed)
  let output = ''
  let errors = ''
  let answers = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    answers += text.split('\ndone ').length - 1
    if (answers >= plan.answers) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const closed = once(child, 'close')
  const cancelled = new AbortController()
  closed.then(() => cancelled.abort())
  await sleep(systemClock, plan.withinMs, cancelled.signal)
  child.kill('SIGKILL')
  await closed
  assert.equal(child.signalCode, 'SIGKILL', `the child ended by itself: ${errors}`)
  return output.split('\n').slice(0, -1)
}

async function reopen(folder: string): Promise<Found> {
  const store = sqliteStore({ clock: systemClock, folder })
  const states = store.list('configmaps', {}).items.map(({ key, version, object }) => ({
    name: key.name,
    value: String(object['value']),
    version,
  }))
  const found = { version: store.version, states }
  await store.close()
  return found
}

function checkIntegrity(folder: string): void {
  const db = new DatabaseSync(join(folder, 'store.sqlite'))
  assert.deepEqual(
    db
      .prepare('pragma integrity_check')
      .all()
      .map(row => row['integrity_check']),
    ['ok'],
  )
  db.close()
}

test(`a store whose process is killed ${rounds} times loses nothing it acknowledged and reuses no version`, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crash-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const random = seededRandom(seed)
  const ledger = new CrashLedger()
  for (let round = 0; round < rounds; round++) {
    const lines = await runUntilKilled(folder, seed * 1000 + round, planKill(random, round))
    for (const line of lines) ledger.read(line)
    ledger.check(await reopen(folder))
    checkIntegrity(folder)
  }
  const { acknowledged, unanswered } = ledger.totals
  t.diagnostic(`${rounds} kills, ${acknowledged} acknowledged writes, ${unanswered} unanswered, seed ${seed}`)
  assert.ok(acknowledged > rounds && unanswered > 0, 'the kills hit a store at work')
})

test('a folder is refused while another process has it open, and free as soon as that one is killed', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crash-lock-'))
  const child = spawnLoad(folder, seed)
  t.after(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  child.stdout.setEncoding('utf8')
  for (let output = ''; !output.includes('\ndone '); ) output += (await once(child.stdout, 'data')).join('')
  assert.throws(() => sqliteStore({ clock: systemClock, folder, lockWaitMs: 0 }), {
    problem: 'InUse',
    message: new RegExp(`in use by process ${child.pid} since .*; stop that server`),
  })
  child.stdout.resume()
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.ok((await reopen(folder)).version > 0)
})
