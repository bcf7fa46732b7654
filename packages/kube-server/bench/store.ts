/**
 * What the store can do on this machine: `node packages/kube-server/bench/store.ts [folder]`. Run by hand; prints
 * figures, judges nothing. Each store runs in a process of its own, so that its memory is its own.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '@godwit/ports'
import { memoryStore, type ObjectKey, type Store, sqliteStore } from '../src/store/index.ts'

const OBJECTS = 10_000
const WRITERS = 16
const text = (length: number, seed: number) => `${seed}`.padEnd(length, 'abcdefghijklmnopqrstuvwxyz')

function keyOf(index: number): ObjectKey {
  return { collection: 'configmaps', namespace: `ns-${index % 10}`, name: `object-${String(index).padStart(6, '0')}` }
}

/** About 1 KB of JSON with the usual metadata. */
function objectAt(key: ObjectKey, seed: number) {
  const fieldsV1 = { 'f:data': { '.': {}, 'f:first': {}, 'f:second': {} } }
  const creationTimestamp = '2026-01-01T00:00:00Z'
  const manager = { manager: 'bench', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 } as const
  const metadata = {
    name: key.name,
    namespace: key.namespace,
    uid: `00000000-0000-4000-8000-${String(seed).padStart(12, '0')}`,
    resourceVersion: '',
    creationTimestamp,
    labels: { app: 'bench', tier: `t${seed % 5}` },
    managedFields: [{ ...manager, time: creationTimestamp }],
  }
  const data = { first: text(250, seed), second: text(250, seed + 1) }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
}

const percentile = (sorted: readonly number[], share: number) =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)

/** `writers` loops, each awaiting its write before the next, as HTTP clients do; one loop turn between two writes. */
async function load(store: Store, label: string, writers: number, writes: number): Promise<void> {
  const times: number[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let next = 0
  delay.enable()
  const start = performance.now()
  const writer = async () => {
    while (next < writes) {
      const index = next++
      const key = keyOf(index % OBJECTS)
      const began = performance.now()
      await store.mutate(key, () => ({ put: objectAt(key, index) }))
      times.push(performance.now() - began)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  const seconds = (performance.now() - start) / 1000
  delay.disable()
  times.sort((a, b) => a - b)
  print(label, {
    'per s': Math.round(writes / seconds),
    'p50 ms': percentile(times, 0.5),
    'p99 ms': percentile(times, 0.99),
    'max ms': percentile(times, 1),
    'loop delay max ms': (delay.max / 1e6).toFixed(1),
  })
}

function measure(label: string, rounds: number, run: (round: number) => void): void {
  const start = performance.now()
  for (let round = 0; round < rounds; round++) run(round)
  print(label, { 'µs each': (((performance.now() - start) * 1000) / rounds).toFixed(1) })
}

function rss(label: string): void {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  print(label, { 'RSS MB': Math.round(rss / 2 ** 20), 'heap MB': Math.round(heapUsed / 2 ** 20) })
}

function print(label: string, figures: Readonly<Record<string, string | number>>): void {
  const columns = Object.entries(figures).map(([unit, value]) => `${unit} ${value}`)
  process.stdout.write(`  ${label.padEnd(52)} ${columns.join('   ')}\n`)
}

function reads(store: Store): void {
  measure('get', 200_000, round => store.get(keyOf((round * 7919) % OBJECTS)))
  measure('list, all 10,000', 50, () => store.list('configmaps', {}))
  const first = store.list('configmaps', { limit: 500 })
  measure('list, first page of 500', 500, () => store.list('configmaps', { limit: 500 }))
  measure('list, second page of 500, nothing changed', 500, () =>
    store.list('configmaps', { limit: 500, continue: first.next ?? '' }),
  )
}

async function pageAfterChanges(store: Store): Promise<void> {
  const { next = '' } = store.list('configmaps', { limit: 500 })
  const changes = Array.from({ length: 9_999 }, (_, index) => {
    const key = keyOf((index * 31) % OBJECTS)
    return store.mutate(key, () => ({ put: objectAt(key, index) }))
  })
  await Promise.all(changes)
  measure('list, second page of 500, after 9,999 changes', 50, () =>
    store.list('configmaps', { limit: 500, continue: next }),
  )
}

async function run(kind: string, folder: string): Promise<void> {
  const open = () =>
    kind === 'memory' ? memoryStore({ clock: systemClock }) : sqliteStore({ clock: systemClock, folder })
  const store = open()
  rss('started')
  await load(store, `create 10,000, ${WRITERS} writers`, WRITERS, OBJECTS)
  rss('with 10,000 new objects')
  await load(store, `update 20,000, ${WRITERS} writers`, WRITERS, 2 * OBJECTS)
  await load(store, 'update 3,000, 1 writer', 1, 3_000)
  rss('with 10,000 objects and a full history')
  reads(store)
  await pageAfterChanges(store)
  await store.close()
  if (kind === 'memory') return
  const start = performance.now()
  const again = open()
  print('open with 10,000 objects', { ms: (performance.now() - start).toFixed(0) })
  await again.close()
}

const [kind, folder] = process.argv.slice(2)
if ((kind === 'memory' || kind === 'sqlite') && folder !== undefined) await run(kind, folder)
else {
  const root = mkdtempSync(join(kind ?? tmpdir(), 'store-bench-'))
  for (const each of ['memory', 'sqlite']) {
    process.stdout.write(`${each}\n`)
    const self = ['--expose-gc', import.meta.filename, each, join(root, each)]
    spawnSync(process.execPath, self, { stdio: 'inherit' })
  }
  rmSync(root, { recursive: true, force: true })
}
