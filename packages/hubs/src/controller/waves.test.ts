import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ItemWish, Strategy, WaveRecord } from '../api/index.ts'
import { countFailures, hasBegun, stepWaves, type WaveInput, waveSize } from './waves.ts'

const NOW = Date.UTC(2026, 0, 1)
const at = (stage: string, over: Partial<ItemWish> = {}) =>
  ({
    stage,
    direction: 'Forward',
    cursor: { stage, direction: 'Forward', entered: true, since: '', deadline: '' },
    ...over,
  }) as ItemWish
const waiting = at('Validating')
const moving = at('Deploying')
const arrived = at('Cleaning', { outcome: 'Completed' })
const failure = (code: string) => ({ stage: 'Deploying', code, message: '' }) as const
const failed = at('Deploying', { outcome: 'RolledBack', failure: failure('Timeout') })
const failing = at('Deploying', { failure: failure('Timeout') })
const cancelled = at('Deploying', { outcome: 'RolledBack', failure: failure('Cancelled') })

const wave = (number: number, of: number, begun: number, over: Partial<WaveRecord> = {}): WaveRecord => ({
  number,
  of,
  begun,
  since: '2026-01-01T00:00:00Z',
  ...over,
})
const input = (wishes: readonly ItemWish[], strategy?: Strategy, over: Partial<WaveInput> = {}): WaveInput => ({
  strategy,
  wishes,
  isHeld: false,
  nowMs: NOW,
  ...over,
})
const four = [waiting, waiting, waiting, waiting]
const twoIn = [arrived, arrived, waiting, waiting]
const TWO = { batchSize: 2 }
const SOAK = { batchSize: 2, soak: '1m' }
const STOP = { batchSize: 2, stopAfterFailures: 2 }

const rows: readonly [string, WaveRecord | undefined, WaveInput, WaveRecord | undefined][] = [
  ['without a strategy there are no waves', undefined, input(four), undefined],
  ['the first wave begins', undefined, input(four, TWO), wave(1, 2, 2)],
  ['a strategy without a size has one wave', undefined, input(four, { maxConcurrent: 1 }), wave(1, 1, 4)],
  ['a part of all is rounded up', undefined, input([...four, waiting], { batchSize: '25%' }), wave(1, 3, 2)],
  ['no wave begins while the migration is held', undefined, input(four, TWO, { isHeld: true }), undefined],
  ['a wave that is under way goes on', wave(1, 2, 2), input([arrived, moving, waiting, waiting], TWO), wave(1, 2, 2)],
  ['a wave whose clusters are all over is followed by the next', wave(1, 2, 2), input(twoIn, TWO), wave(2, 2, 4)],
  ['also when some of them failed', wave(1, 2, 2), input([failed, arrived, waiting, waiting], TWO), wave(2, 2, 4)],
  [
    'but not while one is being rolled back',
    wave(1, 2, 2),
    input([failing, arrived, waiting, waiting], TWO),
    wave(1, 2, 2),
  ],
  ['nor while the migration is held', wave(1, 2, 2), input(twoIn, TWO, { isHeld: true }), wave(1, 2, 2)],
  ['the last wave is followed by none', wave(2, 2, 4), input([arrived, arrived, arrived, arrived], TWO), wave(2, 2, 4)],
  ['the last wave may be smaller', wave(1, 2, 2), input([arrived, arrived, waiting], TWO), wave(2, 2, 3)],
  [
    'the rest between waves is written down before it is waited for',
    wave(1, 2, 2),
    input(twoIn, SOAK),
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
  ],
  [
    'the rest is not begun anew by a restart',
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
    input(twoIn, SOAK, { nowMs: NOW + 59_000 }),
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
  ],
  [
    'after the rest the next wave begins',
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
    input(twoIn, SOAK, { nowMs: NOW + 60_000 }),
    wave(2, 2, 4, { since: '2026-01-01T00:01:00Z' }),
  ],
  [
    'after the rest a pause still holds',
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
    input(twoIn, SOAK, { nowMs: NOW + 60_000, isHeld: true }),
    wave(1, 2, 2, { soakUntil: '2026-01-01T00:01:00Z' }),
  ],
  [
    'nothing rests after the last wave',
    wave(2, 2, 4),
    input([arrived, arrived, arrived, arrived], SOAK),
    wave(2, 2, 4),
  ],
  [
    'too many failures stop it, at once',
    wave(1, 2, 2),
    input([failing, failed, waiting, waiting], STOP),
    wave(1, 2, 2, { stopped: 'stopped after 2 failed clusters (stopAfterFailures: 2)' }),
  ],
  [
    'clusters that somebody cancelled are no failures',
    wave(1, 2, 2),
    input([failed, cancelled, waiting, waiting], STOP),
    wave(2, 2, 4),
  ],
  [
    'there is nothing to stop when all have begun',
    wave(2, 2, 4),
    input([failed, failed, moving, moving], STOP),
    wave(2, 2, 4),
  ],
  [
    'what was stopped stays stopped, whatever the strategy says later',
    wave(1, 2, 2, { stopped: 'x' }),
    input([failed, failed, waiting, waiting], TWO),
    wave(1, 2, 2, { stopped: 'x' }),
  ],
  [
    'a larger size counts from the next wave on',
    wave(1, 4, 1),
    input([arrived, waiting, waiting, waiting], { batchSize: 3 }),
    wave(2, 2, 4),
  ],
  [
    'without its strategy everything else is one more wave',
    wave(1, 4, 1),
    input([arrived, waiting, waiting, waiting]),
    wave(2, 2, 4),
  ],
  [
    'a strategy that comes late waits for what has begun',
    wave(1, 2, 2),
    input([arrived, moving, moving, waiting], TWO),
    wave(1, 2, 2),
  ],
]
describe('waves', () => {
  for (const [what, record, seen, expected] of rows)
    test(what, () => assert.deepEqual(stepWaves(record, seen), expected))
})

test('sizes are at least one cluster, and a percentage is of all clusters', () => {
  const sizes: readonly [Strategy, number, number][] = [
    [{}, 7, 7],
    [{ batchSize: 3 }, 7, 3],
    [{ batchSize: '50%' }, 7, 4],
    [{ batchSize: '1%' }, 7, 1],
    [{ batchSize: '100%' }, 7, 7],
  ]
  for (const [strategy, total, size] of sizes) assert.equal(waveSize(strategy, total), size)
})

test('a cluster has begun when it has left Validating, and failures are those that nobody wished for', () => {
  assert.deepEqual([undefined, waiting, moving, failed, cancelled].map(hasBegun), [false, false, true, true, true])
  assert.equal(countFailures([undefined, failed, failing, cancelled, arrived, waiting]), 2)
})

test('whatever the strategy and the fate of clusters, each cluster begins once, in order, and never more at a time than a wave has', () => {
  const strategy = fc.record({
    batchSize: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('1%', '30%', '100%')),
  })
  fc.assert(
    fc.property(
      strategy,
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat({ max: 19 }), { maxLength: 80 }),
      (how, total, order) => {
        const wishes = Array.from({ length: total }, () => waiting)
        let record: WaveRecord | undefined
        for (const pick of order) {
          const before = record?.begun ?? 0
          record = stepWaves(record, input(wishes, how))
          const begun = record?.begun ?? 0
          assert.ok(begun >= before && begun - before <= waveSize(how, total))
          if (begun > before) assert.ok(wishes.slice(0, before).every(({ outcome }) => outcome))
          if (pick < begun) wishes[pick] = arrived
        }
        for (let index = 0; index < total; index++) {
          record = stepWaves(record, input(wishes, how))
          if (index < (record?.begun ?? 0)) wishes[index] = arrived
        }
        const last = stepWaves(record, input(wishes, how))
        assert.deepEqual([last?.begun, last?.number], [total, last?.of])
      },
    ),
  )
})
