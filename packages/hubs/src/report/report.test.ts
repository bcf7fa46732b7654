import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, VirtualClock } from '@godwit/ports'
import type { ClusterCounts, ItemWish, ManagedClusterMigration, MigrationStatus, SharedRecord } from '../api/index.ts'
import { progressOf } from './progress.ts'
import { renderStatus } from './read-status.ts'
import { Reports, reportPages } from './reports.ts'
import { rowsOfSteps, rowsOfTasks, sayRow } from './rows.ts'

const T0 = '2026-01-01T00:00:00Z'
const t0 = Date.parse(T0)
const counts = (over: Partial<ClusterCounts>): ClusterCounts => ({
  total: 10,
  waiting: 0,
  validating: 0,
  initializing: 0,
  deploying: 0,
  registering: 0,
  cleaning: 0,
  completed: 0,
  rollingBack: 0,
  failed: 0,
  ...over,
})
const moving: SharedRecord = { stage: 'Moving', direction: 'Forward', entered: true, since: T0 }
const progress = (over: Partial<Parameters<typeof progressOf>[0]>) =>
  progressOf({
    counts: counts({}),
    record: moving,
    slowest: 'Deploying',
    before: undefined,
    isHeld: false,
    nowMs: t0 + 60_000,
    ...over,
  })

const wish = (over: Partial<ItemWish>): ItemWish => ({
  stage: 'Deploying',
  direction: 'Forward',
  cursor: { stage: 'Deploying', direction: 'Forward', entered: true, since: T0, deadline: '2026-01-01T00:05:00Z' },
  ...over,
})

const migration = {
  apiVersion: 'a/v1',
  kind: 'ManagedClusterMigration',
  metadata: { name: 'm', namespace: 'default', uid: 'u1' },
  spec: { from: 'hub1', to: 'hub2' },
} as ManagedClusterMigration

test('an estimate comes from clusters that have settled, and there is none before three have', () => {
  assert.equal(progress({ counts: counts({ completed: 2 }) }).estimatedCompletion, undefined)
  const five = progress({ counts: counts({ completed: 4, failed: 1 }) })
  assert.deepEqual([five.settled, five.percent, five.estimatedCompletion], [5, 50, '2026-01-01T00:02:00Z'])
  assert.equal(progress({ counts: counts({ completed: 10 }) }).estimatedCompletion, undefined)
})

test('an estimate stays until another cluster settles, and goes when its time has passed', () => {
  const before = progress({ counts: counts({ completed: 5 }) })
  const later = (nowMs: number, completed = 5) => progress({ counts: counts({ completed }), before, nowMs })
  assert.deepEqual(later(t0 + 90_000), before)
  assert.equal(later(t0 + 130_000).estimatedCompletion, undefined)
  assert.equal(later(t0 + 120_000, 6).estimatedCompletion, '2026-01-01T00:03:20Z')
})

test('whoever is held back is given no estimate', () => {
  assert.equal(progress({ counts: counts({ completed: 5 }), isHeld: true }).estimatedCompletion, undefined)
})

test('what comes next is told from the stage tables, forward and back', () => {
  assert.match(progress({}).next ?? '', /^Registering, when the target has applied the resources by digest/)
  const record: SharedRecord = { ...moving, stage: 'Initializing' }
  assert.match(progress({ record }).next ?? '', /^Moving, when credentials, approval and RBAC are in place/)
  const undo: SharedRecord = { ...record, direction: 'Undo' }
  assert.match(progress({ record: undo }).next ?? '', /^back from Initializing when credentials, .* are gone/)
})

test('a line tells where a cluster is, why it waits and how it ended', () => {
  const failure = { stage: 'Deploying', code: 'Timeout', message: 'late' } as const
  const rows = rowsOfSteps([
    { name: 'a', step: { source: wish({}), target: undefined, waitsFor: { what: 'x', who: 'y' } } },
    { name: 'b', step: { source: wish({ outcome: 'Stuck', failure, residue: ['left'] }), target: undefined } },
  ])
  assert.deepEqual(rows.map(sayRow), [
    `deploying (Deploying) since ${T0}; until 2026-01-01T00:05:00Z; waits for x (y)`,
    `failed (Deploying) since ${T0}; Deploying: Timeout: late; left`,
  ])
})

test('the same lines come from the tasks, those of other migrations left out', () => {
  const task = (role: 'Source' | 'Target', uid: string, over: object) => ({
    apiVersion: 'godwit.dev/v1alpha1',
    kind: 'MigrationTask',
    metadata: { name: role },
    spec: { migration: { name: 'm', namespace: 'default', uid }, role, scope: 'Items', peer: '', epoch: 1, ...over },
    status: {
      items: {
        a: {
          stage: 'Deploying',
          direction: 'Forward',
          state: 'Acting',
          entered: true,
          since: T0,
          waitsFor: 'x',
          who: 'y',
        },
      },
    },
  })
  const tasks = [
    task('Source', 'u1', { items: { b: wish({ outcome: 'Completed' }), a: wish({}) } }),
    task('Target', 'u1', { items: { a: wish({}) } }),
    task('Source', 'u2', { items: { c: wish({}) } }),
  ] as Parameters<typeof rowsOfTasks>[1]
  const rows = rowsOfTasks(migration, tasks)
  assert.deepEqual(
    rows.map(({ cluster, state, waitsFor }) => [cluster, state, waitsFor]),
    [
      ['a', 'deploying', 'x'],
      ['b', 'completed', undefined],
    ],
  )
  const status = { ...migration, status: { phase: 'Deploying', waitingFor: [{ what: 'x', who: 'y', since: T0 }] } }
  const text = renderStatus({ migration: status as ManagedClusterMigration, clusters: rows, report: {} })
  assert.match(text, /^m: hub1 -> hub2: Deploying\n {2}waits for x \(y\) since 2026-01-01T00:00:00Z\n\na {2}deploying/)
})

test('a report is written when clusters have settled and now and then before, and not for every change', async () => {
  const clock = new VirtualClock(t0)
  const written: string[] = []
  const client = {
    create: async (_: unknown, { data }: { data: Record<string, string> }) => written.push(data['a'] ?? ''),
  }
  const reports = new Reports({ client: client as never, clock, logger: silentLogger })
  const items = [{ name: 'a', step: { source: wish({}), target: undefined } }]
  const publish = (stage: string) =>
    reports.publish(migration, { phase: 'Deploying', shared: { ...moving, stage } } as MigrationStatus, items)
  await publish('Moving')
  await publish('Moving')
  assert.equal(written.length, 0)
  clock.advance(20_000)
  await publish('Moving')
  await publish('Moving')
  assert.equal(written.length, 1)
  await publish('Revoking')
  await publish('Revoking')
  await publish('Retiring')
  assert.equal(written.length, 2)
})

test('a report that cannot be written is tried again later and stops nothing', async () => {
  const clock = new VirtualClock(t0)
  let calls = 0
  const create = async () => {
    calls++
    throw new Error('no')
  }
  const client = { create }
  const reports = new Reports({ client: client as never, clock, logger: silentLogger })
  const status = { phase: 'Cleaning', shared: { ...moving, stage: 'Revoking' } } as MigrationStatus
  const items = [{ name: 'a', step: { source: wish({}), target: undefined } }]
  await reports.publish(migration, status, items)
  await reports.publish(migration, status, items)
  assert.equal(calls, 2)
  assert.equal(Object.keys(reportPages(migration, status, items)[0]?.data ?? {}).length, 2)
})
