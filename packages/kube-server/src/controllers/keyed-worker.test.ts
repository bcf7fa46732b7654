import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, VirtualClock } from '@godwit/ports'
import { KeyedWorker } from './keyed-worker.ts'

function worker(run: (key: string) => Promise<void>) {
  const clock = new VirtualClock()
  return { clock, worker: new KeyedWorker({ clock, logger: silentLogger, name: 'test', run }) }
}

test('a burst of additions is one run, an addition during the run one more', async () => {
  const runs: string[] = []
  const gate = Promise.withResolvers<void>()
  const { worker: tested } = worker(async key => {
    runs.push(key)
    if (runs.length === 1) await gate.promise
  })
  for (let i = 0; i < 5; i++) tested.add('a')
  await Promise.resolve()
  tested.add('a')
  tested.add('a')
  gate.resolve()
  await tested.idle()
  assert.deepEqual(runs, ['a', 'a'])
})

test('one key never runs twice at once, different keys do, up to a limit', async () => {
  const running = new Set<string>()
  let most = 0
  const { worker: tested } = worker(async key => {
    assert.ok(!running.has(key))
    running.add(key)
    most = Math.max(most, running.size)
    await Promise.resolve()
    running.delete(key)
  })
  for (let i = 0; i < 100; i++) tested.add(`k${i % 50}`)
  await tested.idle()
  assert.equal(most, 16)
})

test('failures are retried later and later, until one succeeds', async () => {
  const at: number[] = []
  const { worker: tested, clock } = worker(async () => {
    at.push(clock.now())
    if (at.length < 4) throw new Error('not yet')
  })
  tested.add('a')
  await tested.idle()
  const start = at[0] ?? 0
  for (const wait of [50, 100, 200]) {
    clock.advance(wait)
    await tested.idle()
  }
  assert.deepEqual(
    at.map(time => time - start),
    [0, 50, 150, 350],
  )
  assert.equal(clock.untilNext(), undefined)
})

test('stopping waits for what runs and starts nothing more', async () => {
  const runs: string[] = []
  const gate = Promise.withResolvers<void>()
  const { worker: tested } = worker(async key => {
    runs.push(key)
    await gate.promise
  })
  tested.add('a')
  await Promise.resolve()
  const stopped = tested.stop()
  tested.add('b')
  gate.resolve()
  await stopped
  assert.deepEqual(runs, ['a'])
})
