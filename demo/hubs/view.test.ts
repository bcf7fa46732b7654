import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stagesOf, viewOf } from './view.ts'

const counts = {
  total: 10,
  waiting: 0,
  validating: 0,
  initializing: 1,
  deploying: 2,
  registering: 3,
  cleaning: 1,
  completed: 2,
  rollingBack: 1,
  failed: 0,
}

test('a stage is done for every cluster that is in a later one', () => {
  assert.deepEqual(
    stagesOf(counts).map(({ name, done, acting, failed }) => [name, done, acting, failed]),
    [
      ['Validating', 9, 0, 0],
      ['Initializing', 8, 1, 0],
      ['Deploying', 6, 2, 0],
      ['Registering', 3, 3, 0],
      ['Cleaning', 2, 1, 1],
    ],
  )
})

test('a wait names how many wait, for what, for whom, since when, and for instance which', () => {
  const waitingFor = [{ what: 'the lease', who: 'klusterlet', since: '2026-01-01T10:20:30Z', items: 3, example: 'c1' }]
  const migration = {
    apiVersion: 'v',
    kind: 'k',
    metadata: { name: 'm' },
    status: { phase: 'Registering', waitingFor },
  } as const
  const view = viewOf({
    migration: { ...migration, status: { ...migration.status, waitingFor } },
    startedAt: 0,
    nowMs: 1500,
    items: 10,
    log: [],
  })
  assert.deepEqual(view.waitingFor, ['3 × the lease (klusterlet), since 10:20:30, for instance c1'])
  assert.deepEqual([view.phase, view.elapsedMs], ['Registering', 1500])
})
