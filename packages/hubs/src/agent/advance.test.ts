import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import type { Progress, StageName, Wish } from '../api/index.ts'
import { advance, type Look, type Remembered, type Role } from './advance.ts'

interface World extends Remembered {
  readonly isClaimed: boolean
}
type Effect = 'claim' | 'release'

const idle = (name: StageName) => ({
  name,
  deadlineMs: 1,
  guards: [],
  steps: [],
  proof: nothingToProve,
  undo: [],
  undone: nothingToProve,
})
const table: StageTable<World, Effect, StageName> = {
  party: 'test',
  scope: 'item',
  stages: [
    idle('Validating'),
    {
      ...idle('Initializing'),
      steps: [{ what: 'claim', missing: ({ isClaimed }) => (isClaimed ? [] : ['claim']) }],
      proof: {
        what: 'claimed',
        check: ({ isClaimed, evidence }) => (isClaimed && evidence['seen'] ? holds : waits('the claim', 'agent')),
      },
      undo: [{ what: 'release', missing: ({ isClaimed }) => (isClaimed ? ['release'] : []) }],
    },
    idle('Deploying'),
    idle('Registering'),
    idle('Cleaning'),
  ],
}
const role: Role<World, Effect> = {
  table,
  journal: ({ isClaimed }, stage) => (stage === 'Initializing' ? { claimed: String(isClaimed) } : {}),
  receipts: ({ isClaimed }): Record<string, string> => (isClaimed ? { seen: 'yes' } : {}),
}

const look = (
  wish: Wish,
  progress: Progress | undefined,
  isClaimed: boolean,
  over: Partial<Look<World>> = {},
): Look<World> => ({
  wish,
  progress,
  facts: remembered => ({ ...remembered, isClaimed }),
  outcome: undefined,
  now: '2026-01-01T00:00:00Z',
  ...over,
})
const forward = (stage: StageName): Wish => ({ stage, direction: 'Forward' })
const undo = (stage: StageName): Wish => ({ stage, direction: 'Undo' })
const acting: Progress = {
  stage: 'Initializing',
  direction: 'Forward',
  state: 'Acting',
  entered: true,
  since: 'then',
  journal: { claimed: 'false' },
}
const done = (stage: StageName, direction: Wish['direction'] = 'Forward'): Progress => ({
  ...acting,
  stage,
  direction,
  state: 'Done',
})

test('the progress that is to be persisted carries the journal before the first effect of a stage', () => {
  const { progress, effects } = advance(role, look(forward('Cleaning'), undefined, false))
  assert.deepEqual(effects, ['claim'])
  assert.deepEqual(
    [progress?.stage, progress?.state, progress?.entered, progress?.journal],
    ['Initializing', 'Acting', true, { claimed: 'false' }],
  )
})

test('what is journalled once is never overwritten by our own values', () => {
  const { progress } = advance(role, look(undo('Initializing'), acting, true))
  assert.equal(progress?.journal?.['claimed'], 'false')
})

test('an item runs through every stage that has nothing to do, up to the wish and not beyond', () => {
  const { progress, effects } = advance(role, look(forward('Deploying'), acting, true))
  assert.deepEqual([progress?.stage, progress?.state, effects], ['Deploying', 'Done', []])
  assert.equal(progress?.evidence?.['seen'], 'yes')
})

test('a fulfilled wish changes nothing', () => {
  const progress = done('Deploying')
  assert.deepEqual(advance(role, look(forward('Deploying'), progress, true)), { progress, effects: [] })
})

test('receipts of effects go into the record with the very next progress', () => {
  const outcome = { kind: 'done', receipts: [{ bundle: 'b' }, { digest: 'd' }] } as const
  const { progress } = advance(role, look(forward('Initializing'), acting, false, { outcome }))
  assert.deepEqual(progress?.evidence, { bundle: 'b', digest: 'd' })
})

test('a terminal failure of the effects fails the item, and it stays failed until the controller decides', () => {
  const outcome = { kind: 'failed', code: 'ClusterConflict', message: 'taken' } as const
  const { progress } = advance(role, look(forward('Initializing'), acting, false, { outcome }))
  assert.deepEqual([progress?.state, progress?.code, progress?.message], ['Failed', 'ClusterConflict', 'taken'])
  assert.deepEqual(advance(role, look(forward('Initializing'), progress, true)), { progress, effects: [] })
})

test('an effect that is tried again says so, with the reason', () => {
  const outcome = { kind: 'retry', message: 'refused', attempts: 3, retryAtMs: 5 } as const
  const { progress } = advance(role, look(forward('Initializing'), acting, false, { outcome }))
  assert.match(progress?.waitsFor ?? '', /attempt 3 failed: refused/)
})

test('a failed item is undone from the stage where it failed', () => {
  const failed: Progress = { ...acting, state: 'Failed', code: 'X', message: 'x' }
  const { progress, effects } = advance(role, look(undo('Initializing'), failed, true))
  assert.deepEqual([progress?.stage, progress?.direction, effects], ['Initializing', 'Undo', ['release']])
  assert.equal(progress?.code, undefined)
})

test('undo goes down to the wished stage and stops there', () => {
  const { progress } = advance(role, look(undo('Deploying'), done('Cleaning'), true))
  assert.deepEqual([progress?.stage, progress?.direction, progress?.state], ['Deploying', 'Undo', 'Done'])
  const further = advance(role, look(undo('Initializing'), progress, true))
  assert.deepEqual([further.progress?.stage, further.effects], ['Initializing', ['release']])
  const last = advance(role, look(undo('Initializing'), further.progress, false))
  assert.deepEqual([last.progress?.stage, last.progress?.state], ['Initializing', 'Done'])
})

test('a wish to undo what this side never did is fulfilled at once', () => {
  for (const progress of [undefined, done('Validating')]) {
    const next = advance(role, look(undo('Deploying'), progress, false))
    assert.deepEqual(
      [next.progress?.stage, next.progress?.direction, next.progress?.state, next.effects],
      ['Deploying', 'Undo', 'Done', []],
    )
  }
})

test('an item that was undone does not go forward again by itself', () => {
  const progress = done('Initializing', 'Undo')
  assert.deepEqual(advance(role, look(forward('Cleaning'), progress, false)), { progress, effects: [] })
})

test('an undo goes forward again when the controller turns it, unless the stages before the switch are undone', () => {
  for (const state of ['Acting', 'Failed', 'Done'] as const) {
    for (const stage of ['Deploying', 'Registering'] as const) {
      const turning: Progress = { ...acting, stage, direction: 'Undo', state }
      const next = advance(role, look(forward('Registering'), turning, false))
      assert.deepEqual([next.progress?.stage, next.progress?.direction], ['Registering', 'Forward'])
    }
    const lower: Progress = { ...acting, direction: 'Undo', state }
    assert.deepEqual(advance(role, look(forward('Registering'), lower, false)), { progress: lower, effects: [] })
  }
})

test('a side whose undo has something to look for even so looks for it, although it never came so far', () => {
  const looking = { ...role, undoesAtLeast: 'Initializing' } as const
  const next = advance(looking, look(undo('Initializing'), done('Validating'), true))
  assert.deepEqual(
    [next.progress?.stage, next.progress?.direction, next.effects],
    ['Initializing', 'Undo', ['release']],
  )
  const beyond = advance(looking, look(undo('Deploying'), done('Validating'), true))
  assert.deepEqual([beyond.progress?.state, beyond.effects], ['Done', []])
})

test('an undo that is over begins again when what was taken back comes back, and only then', () => {
  const watching: typeof role = { ...role, undoesAtLeast: 'Initializing', hasRelapsed: ({ isClaimed }) => isClaimed }
  const over = done('Initializing', 'Undo')
  const next = advance(watching, look(undo('Initializing'), over, true))
  assert.deepEqual([next.progress?.state, next.progress?.direction, next.effects], ['Acting', 'Undo', ['release']])
  assert.deepEqual(advance(watching, look(undo('Initializing'), over, false)), { progress: over, effects: [] })
  assert.deepEqual(advance(role, look(undo('Initializing'), over, true)), { progress: over, effects: [] })
})

test('an undo that failed waits for a person, and is tried again when asked', () => {
  const failed: Progress = { ...acting, direction: 'Undo', state: 'Failed', code: 'X', message: 'x' }
  assert.deepEqual(advance(role, look(undo('Initializing'), failed, true)), { progress: failed, effects: [] })
  const again = advance(role, look({ ...undo('Initializing'), attempt: 1 }, failed, true))
  assert.deepEqual([again.progress?.state, again.progress?.attempt, again.effects], ['Acting', 1, ['release']])
})
