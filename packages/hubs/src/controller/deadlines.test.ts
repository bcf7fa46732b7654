import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MigrationSpec, STAGE_DEADLINE_MS, STAGES } from '../api/index.ts'
import { itemDeadlineMs, sharedDeadlineMs } from './deadlines.ts'

const MINUTE = 60_000
type Configs = NonNullable<MigrationSpec['supportedConfigs']>
const spec = (supportedConfigs: Configs) => ({ supportedConfigs })

test('without any wish the defaults of the reference count', () => {
  for (const nothing of [undefined, {}, spec({}), spec({ stageTimeouts: {} })])
    assert.deepEqual(
      STAGES.map(stage => itemDeadlineMs(nothing, STAGE_DEADLINE_MS, stage) / MINUTE),
      [5, 5, 5, 12, 5],
    )
})

const rows: readonly [Configs, readonly number[]][] = [
  [{ stageTimeout: '10m' }, [10, 10, 10, 10, 10]],
  [{ stageTimeouts: { registering: '30m' } }, [5, 5, 5, 30, 5]],
  [{ stageTimeout: '1h', stageTimeouts: { deploying: '90s', cleaning: '2m' } }, [60, 60, 1.5, 60, 2]],
  [{ stageTimeouts: { rollbacking: '1h' } }, [5, 5, 5, 12, 5]],
  [{ stageTimeout: '0s' }, [5, 5, 5, 12, 5]],
]
for (const [configs, minutes] of rows)
  test(`what is asked for a stage goes before what is asked for all: ${JSON.stringify(configs)}`, () => {
    assert.deepEqual(
      STAGES.map(stage => itemDeadlineMs(spec(configs), STAGE_DEADLINE_MS, stage) / MINUTE),
      minutes,
    )
  })

const rollbacks: readonly [Configs, number][] = [
  [{}, 15],
  [{ stageTimeout: '1s' }, 15],
  [{ stageTimeouts: { rollbacking: '5m' } }, 15],
  [{ stageTimeout: '20m' }, 20],
  [{ stageTimeout: '20m', stageTimeouts: { rollbacking: '40m' } }, 40],
  [{ stageTimeout: '40m', stageTimeouts: { rollbacking: '16m' } }, 16],
]
for (const [configs, minutes] of rollbacks)
  test(`a rollback is given what a klusterlet needs at least (H-23): ${JSON.stringify(configs)}`, () => {
    assert.equal(itemDeadlineMs(spec(configs), STAGE_DEADLINE_MS, 'Rollbacking') / MINUTE, minutes)
    assert.equal(sharedDeadlineMs(spec(configs), STAGE_DEADLINE_MS, 'Rollbacking') / MINUTE, minutes)
  })

test('rows that only wait for other migrations, or for the clusters, have no deadline of their own', () => {
  for (const row of ['Pending', 'Moving'] as const)
    assert.equal(sharedDeadlineMs(spec({ stageTimeout: '1s' }), STAGE_DEADLINE_MS, row), Number.POSITIVE_INFINITY)
  const configs = spec({ stageTimeout: '7m', stageTimeouts: { initializing: '8m', cleaning: '9m' } })
  const minutes = (['Validating', 'Initializing', 'Revoking', 'Retiring'] as const).map(
    row => sharedDeadlineMs(configs, STAGE_DEADLINE_MS, row) / MINUTE,
  )
  assert.deepEqual(minutes, [7, 8, 9, 9])
})
