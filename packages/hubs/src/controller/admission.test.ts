import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ItemWish, StageName } from '../api/index.ts'
import { type AdmissionInput, admit } from './admission.ts'

const at = (stage: StageName, over: Partial<ItemWish> = {}): ItemWish => ({
  stage,
  direction: 'Forward',
  cursor: { stage, direction: 'Forward', entered: true, since: '', deadline: '' },
  ...over,
})
const failed = at('Deploying', { outcome: 'RolledBack', failure: { stage: 'Deploying', code: 'Timeout', message: '' } })
const waves = { number: 1, of: 2, begun: 2, since: '' }

/** Clusters are called a, b, c and so on. */
function admitted(wishes: readonly (ItemWish | undefined)[], over: Partial<AdmissionInput> = {}) {
  const items = wishes.map((wish, index) => ({ name: 'abcdefgh'[index] ?? '', wish }))
  return admit({ isMoving: true, giveUp: undefined, spec: {}, waves: undefined, items, ...over })
}
const limits = (...args: Parameters<typeof admitted>) => [...admitted(...args).values()].map(({ limit }) => limit)
const waiting = at('Validating')

const rows: readonly [string, Parameters<typeof admitted>, readonly StageName[]][] = [
  ['everything may begin at once', [[waiting, undefined]], ['Cleaning', 'Cleaning']],
  ['nothing goes beyond Validating before the migration moves', [[waiting], { isMoving: false }], ['Validating']],
  [
    'paused, everything stays in the stage where it is',
    [[waiting, at('Initializing'), at('Registering'), undefined], { spec: { paused: true } }],
    ['Validating', 'Initializing', 'Registering', 'Validating'],
  ],
  [
    'only clusters of the wave begin, and those that have begun go on',
    [[waiting, waiting, at('Deploying'), waiting], { spec: { strategy: { batchSize: 2 } }, waves }],
    ['Cleaning', 'Cleaning', 'Cleaning', 'Validating'],
  ],
  [
    'nothing begins before the first wave is written down',
    [[waiting, waiting], { spec: { strategy: { batchSize: 2 } } }],
    ['Validating', 'Validating'],
  ],
  [
    'a cluster takes a place when one is free, in order',
    [
      [at('Deploying'), waiting, waiting, waiting],
      { spec: { strategy: { maxConcurrent: 2 } }, waves: { ...waves, begun: 4 } },
    ],
    ['Cleaning', 'Cleaning', 'Validating', 'Validating'],
  ],
  [
    'one that has ended leaves its place, one that goes back does not',
    [
      [failed, at('Deploying', { failure: { stage: 'Deploying', code: 'X', message: '' } }), waiting, waiting],
      { spec: { strategy: { maxConcurrent: 2 } }, waves: { ...waves, begun: 4 } },
    ],
    ['Cleaning', 'Cleaning', 'Cleaning', 'Validating'],
  ],
  [
    'when places were taken away nothing begins until enough are free',
    [
      [at('Deploying'), at('Deploying'), waiting],
      { spec: { strategy: { maxConcurrent: 1 } }, waves: { ...waves, begun: 3 } },
    ],
    ['Cleaning', 'Cleaning', 'Validating'],
  ],
  [
    'nothing begins once too many have failed, also before the stop is written down',
    [[failed, waiting], { spec: { strategy: { stopAfterFailures: 1 } }, waves }],
    ['Cleaning', 'Validating'],
  ],
  [
    'a cancelled cluster takes no place',
    [[waiting, waiting], { spec: { strategy: { maxConcurrent: 1 }, cancelledManagedClusters: ['a'] }, waves }],
    ['Cleaning', 'Cleaning'],
  ],
]
describe('how far clusters may go', () => {
  for (const [what, args, expected] of rows) test(what, () => assert.deepEqual(limits(...args), expected))
})

test('who is held is told why, by whom and until when', () => {
  const spec = { strategy: { batchSize: 2 } }
  const hold = (...args: Parameters<typeof admitted>) => [...admitted(...args).values()].at(-1)?.hold
  const three = [waiting, waiting, waiting]
  assert.deepEqual(hold(three, { spec, waves }), { what: 'wave 2 of 2 to begin', who: 'clusters of wave 1' })
  assert.deepEqual(hold(three, { spec, waves: { ...waves, soakUntil: 'T' } }), {
    what: 'wave 2 of 2 to begin, after the rest',
    who: 'time',
    until: 'T',
  })
  assert.deepEqual(hold(three, { spec: { strategy: { maxConcurrent: 2 } }, waves: { ...waves, begun: 3 } }), {
    what: 'one of 2 places on the way',
    who: 'clusters that have one',
  })
  assert.deepEqual(hold(three, { spec: { paused: true } }), {
    what: 'the migration to be resumed',
    who: 'whoever paused it',
  })
  assert.equal(hold(three), undefined)
})

test('who is cancelled, alone or with all others, or was not started before the stop, is given up with the reason', () => {
  const codes = (...args: Parameters<typeof admitted>) =>
    [...admitted(...args).values()].map(({ giveUp }) => giveUp?.code)
  const all = [at('Deploying'), waiting]
  assert.deepEqual(codes(all), [undefined, undefined])
  assert.deepEqual(codes(all, { spec: { cancelledManagedClusters: ['a', 'ghost'] } }), ['Cancelled', undefined])
  assert.deepEqual(codes(all, { giveUp: { code: 'Cancelled', message: 'x' } }), ['Cancelled', 'Cancelled'])
  const stopped = { waves: { ...waves, stopped: 'stopped after 3 failed clusters' } }
  assert.deepEqual(codes(all, stopped), [undefined, 'NotStarted'])
  assert.match([...admitted(all, stopped).values()][1]?.giveUp?.message ?? '', /not started.*after 3 failed clusters/)
})
