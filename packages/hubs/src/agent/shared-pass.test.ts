import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nothingToProve, type StageTable, waits } from '@godwit/core'
import type { MigrationTask, SharedProgress, StageName } from '../api/index.ts'
import type { TaskCache } from '../record/task-cache.ts'
import type { Remembered, Role } from './advance.ts'
import { passOverShared, type SharedPassOptions } from './shared-pass.ts'

const stage = {
  name: 'Validating' as const,
  deadlineMs: 1,
  guards: [],
  steps: [{ what: 'make it', missing: () => ['make'] }],
  proof: { what: 'it is made', check: () => waits('it', 'agent') },
  undo: [],
  undone: nothingToProve,
}
const table: StageTable<Remembered, string, StageName> = { party: 'test', scope: 'shared', stages: [stage] }
const role: Role<Remembered, string> = { table, journal: () => ({}), receipts: () => ({}) }
const acting: SharedProgress = {
  stage: 'Validating',
  direction: 'Forward',
  state: 'Acting',
  entered: true,
  since: 'then',
}

async function passOver(shared: SharedProgress | undefined, isCurrent: boolean) {
  const task = {
    metadata: { name: 't', namespace: 'hub1', generation: 1 },
    spec: { shared: { stage: 'Validating', direction: 'Forward' }, epoch: 1 },
    ...(shared && { status: { shared, observedGeneration: 1, epoch: 1 } }),
  } as unknown as MigrationTask
  const seen = { started: 0, looks: 0 }
  const runner = { isRunning: () => false, outcome: () => undefined, start: () => (seen.started += 1) }
  const options = {
    role,
    look: async () => {
      seen.looks += 1
      return { facts: (remembered: Remembered) => remembered }
    },
    runner,
    tasks: { patchStatus: async () => ({ ...task }), isCurrent: async () => isCurrent } as unknown as TaskCache,
    now: () => 'now',
  } as unknown as SharedPassOptions<Remembered, string>
  await passOverShared(options, task)
  return seen
}

const effectsOf = async (shared: SharedProgress | undefined, isCurrent: boolean) =>
  (await passOver(shared, isCurrent)).started

test('who goes on with what the record says already acts only while the record still says so', async () => {
  assert.equal(await effectsOf(acting, true), 1)
  assert.equal(await effectsOf(acting, false), 0, 'a process that stood still does nothing any more')
  assert.equal(await effectsOf(undefined, false), 1, 'a record that was written in this very pass is current')
})

test('rows are not read again when nothing depends on them any more', async () => {
  assert.equal((await passOver(undefined, true)).looks, 1)
  assert.equal((await passOver(acting, true)).looks, 1)
  assert.equal((await passOver({ ...acting, state: 'Done' }, true)).looks, 0)
  assert.equal((await passOver({ ...acting, state: 'Failed', code: 'X', message: 'x' }, true)).looks, 0)
})
