import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SharedRecord } from '../api/index.ts'
import type { ItemFacts } from './item-table.ts'
import type { MigrationFacts } from './migration-facts.ts'
import { firstRecord, stepMigration } from './step-migration.ts'

const NOW = Date.UTC(2026, 0, 1)
const context = { nowMs: NOW, deadlineMs: () => 300_000 }

const hub = (name: string) => ({
  name,
  hasLocalAgent: false,
  cluster: {
    apiVersion: 'v1',
    kind: 'ManagedCluster',
    metadata: { name, annotations: { 'addon.open-cluster-management.io/on-multicluster-hub': 'true' } },
    spec: { managedClusterClientConfigs: [{ url: 'https://hub' }] },
    status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'True' }] },
  },
})

const side = (name: string) => ({ hub: name, task: undefined, wish: undefined, progress: undefined })
const facts = (over: Partial<MigrationFacts> = {}): MigrationFacts => ({
  migration: {
    apiVersion: 'v1',
    kind: 'ManagedClusterMigration',
    metadata: { name: 'm' },
    spec: { from: 'hub1', to: 'hub2', includedManagedClusters: ['c1'] },
  },
  uid: 'u',
  isCancelled: false,
  attempt: 0,
  rival: undefined,
  from: hub('hub1'),
  to: hub('hub2'),
  installNamespace: 'addons',
  serviceAccount: undefined,
  token: undefined,
  hasCredential: false,
  source: side('hub1'),
  target: side('hub2'),
  clusters: ['c1'],
  items: [],
  unassigned: 1,
  isResultWritten: true,
  leftovers: { tasks: 0, bundles: 0 },
  ...over,
})
const at = (stage: string, over: Partial<SharedRecord> = {}): SharedRecord => ({
  stage,
  direction: 'Forward',
  entered: true,
  since: '2026-01-01T00:00:00Z',
  deadline: '2026-01-01T00:05:00Z',
  ...over,
})
const item = (outcome: 'Completed' | 'RolledBack' | 'Stuck', hasSettled: boolean): ItemFacts => ({
  name: 'c1',
  source: { hub: 'hub1', wish: { stage: 'Cleaning', direction: 'Forward', outcome }, progress: undefined },
  target: {
    hub: 'hub2',
    wish: undefined,
    progress: hasSettled
      ? { stage: 'Cleaning', direction: 'Forward', state: 'Done', entered: true, since: '' }
      : undefined,
  },
  isBundleDelivered: () => true,
})

test('a migration waits for one that goes before it, and names it and what both want', () => {
  const step = stepMigration(
    facts({ rival: { name: 'first', shares: 'has cluster c1 as well' } }),
    firstRecord(context),
    context,
  )
  assert.deepEqual(
    [step.record.stage, step.waitsFor?.who, step.waitsFor?.what],
    ['Pending', 'first', 'migration first to finish, which has cluster c1 as well'],
  )
})

test('a migration whose turn it is starts with both hubs at once', () => {
  const { record, effects } = stepMigration(facts(), firstRecord(context), context)
  assert.deepEqual([record.stage, record.entered, effects[0]?.kind], ['Validating', true, 'wishShared'])
})

test('a migration that cannot be validated is taken back, and its failure stays in the record until its end', () => {
  const step = stepMigration(facts({ from: { ...hub('hub1'), cluster: undefined } }), firstRecord(context), context)
  assert.deepEqual(
    [step.isFinished, step.record.stage, step.record.failure?.code],
    [true, 'Retiring', 'HubClusterInvalid'],
  )
})

test('the credential is kept while a cluster may need it, and with it the tasks that tell how to go on (H-32)', () => {
  for (const [outcome, hasSettled] of [
    ['Stuck', false],
    ['Completed', false],
  ] as const) {
    const seen = facts({ items: [item(outcome, hasSettled)], unassigned: 0, leftovers: { tasks: 4, bundles: 1 } })
    const step = stepMigration(seen, at('Moving', { deadline: undefined as never }), context)
    assert.deepEqual([step.isFinished, step.record.stage, step.effects], [true, 'Revoking', []])
    assert.match(step.debt ?? '', /CredentialInUse: 1 clusters may still need the credential/)
  }
})

test('when all clusters have settled the credential goes first, then bundles and tasks', () => {
  const settled = facts({ items: [item('Completed', true)], unassigned: 0, leftovers: { tasks: 4, bundles: 1 } })
  assert.equal(stepMigration(settled, at('Moving'), context).record.stage, 'Revoking')
  const revoked = stepMigration(settled, at('Retiring'), context)
  assert.deepEqual(revoked.effects, [{ kind: 'deleteBundles' }])
  const last = stepMigration({ ...settled, leftovers: { tasks: 4, bundles: 0 } }, at('Retiring'), context)
  assert.deepEqual(last.effects, [{ kind: 'deleteTasks' }])
})

test('clean-up that does not come to its end is a debt, not a failure', () => {
  const seen = facts({ items: [item('Completed', true)], unassigned: 0, leftovers: { tasks: 4, bundles: 0 } })
  const step = stepMigration(seen, at('Retiring', { deadline: '2025-12-31T00:00:00Z' }), context)
  assert.deepEqual([step.isFinished, step.record.failure], [true, undefined])
  assert.match(step.debt ?? '', /Timeout/)
})

test('a migration that is deleted before clusters move is taken back; one whose clusters move is left to them', () => {
  const cancelled = stepMigration(facts({ isCancelled: true }), at('Validating'), context)
  assert.equal(cancelled.record.failure?.code, 'Cancelled')
  const moving = stepMigration(
    facts({ isCancelled: true, items: [{ ...item('Stuck', false), source: side('hub1') }] }),
    at('Moving'),
    context,
  )
  assert.deepEqual([moving.record.stage, moving.record.failure], ['Moving', undefined])
})

test('clusters that a placement chose are claimed when nobody else has them, without a deadline for the others', () => {
  const chosen = facts({ rival: { name: 'first', shares: 'has cluster c1 as well' } })
  const waiting = stepMigration(chosen, at('Claiming', { entered: false, deadline: undefined as never }), context)
  assert.deepEqual([waiting.record.stage, waiting.record.entered, waiting.effects], ['Claiming', false, []])
  assert.equal(waiting.waitsFor?.what, 'migration first to finish, which has cluster c1 as well')
  assert.equal(waiting.record.deadline, undefined)
  const claiming = stepMigration(facts(), waiting.record, context)
  assert.deepEqual([claiming.record.entered, claiming.effects], [true, [{ kind: 'makeItemTasks' }]])
})

const pausedMigration = { ...facts().migration, spec: { ...facts().migration.spec, paused: true } as never }

test('a paused migration begins no further row, whatever row it is in, and is not timed out by its pause', () => {
  const begun = stepMigration(facts({ migration: pausedMigration }), firstRecord(context), context)
  assert.deepEqual(
    [begun.record.stage, begun.effects, begun.waitsFor?.what],
    ['Pending', [], 'the migration to be resumed'],
  )
  const done = (stage: 'Validating' | 'Initializing') => ({
    ...side('hub'),
    progress: { stage, direction: 'Forward', state: 'Done', entered: true, since: '' } as const,
  })
  for (const stage of ['Validating', 'Initializing'] as const) {
    const seen = { source: done(stage), target: done(stage), migration: pausedMigration }
    const late = { ...context, nowMs: NOW + 3_600_000 }
    const step = stepMigration(facts(seen), at(stage), late)
    assert.deepEqual([step.record.stage, step.record.failure], [stage, undefined])
    const resumed = stepMigration(facts({ ...seen, migration: facts().migration }), at(stage), late)
    assert.notEqual(resumed.record.stage, stage)
  }
})

test('a paused migration whose clusters have all settled is cleaned up to its end', () => {
  const settled = facts({ migration: pausedMigration, items: [item('Completed', true)], unassigned: 0 })
  assert.notEqual(stepMigration(settled, at('Moving'), context).record.stage, 'Moving')
})

test('a paused migration that is given up is taken back', () => {
  const step = stepMigration(facts({ migration: pausedMigration, isCancelled: true }), at('Validating'), context)
  assert.deepEqual(
    [step.record.failure?.code, step.record.failure?.message],
    ['Cancelled', 'the migration was cancelled before any cluster had begun to move'],
  )
})

test('a cluster that was cancelled while it was validated does not refuse the others', () => {
  const validated = { stage: 'Validating', direction: 'Forward', state: 'Done', entered: true, since: '' } as const
  const good: ItemFacts = {
    ...item('Completed', false),
    source: { hub: 'hub1', wish: { stage: 'Validating', direction: 'Forward' }, progress: validated },
    target: { hub: 'hub2', wish: undefined, progress: validated },
  }
  const cancelled = (code: string): ItemFacts => ({
    ...good,
    source: {
      ...good.source,
      wish: {
        stage: 'Validating',
        direction: 'Forward',
        outcome: 'RolledBack',
        failure: { stage: 'Validating', code, message: 'x' },
      },
    },
  })
  const step = (code: string) =>
    stepMigration(facts({ items: [good, cancelled(code)], unassigned: 0 }), at('Claiming'), context)
  assert.equal(step('Cancelled').record.stage, 'Initializing')
  assert.equal(step('ClusterNotFound').record.failure?.code, 'ClusterNotFound')
})
