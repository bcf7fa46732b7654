import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, silentLogger, VirtualClock } from '@godwit/ports'
import { KeyedQueue } from './keyed-queue.ts'
import { reconcile } from './reconciler.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

test('a pass that throws is looked at again and never ends the loop or delays other keys', async () => {
  const clock = new VirtualClock()
  const queue = new KeyedQueue({ clock, random: seededRandom(1) })
  const stop = new AbortController()
  const seen: string[] = []
  const pass = async (key: string) => {
    seen.push(key)
    if (key === 'bad') throw new Error('boom')
    return {}
  }
  const loop = reconcile({ queue, pass, workers: 1, logger: silentLogger }, stop.signal)
  queue.add('bad')
  queue.add('good')
  await turn()
  assert.deepEqual(seen, ['bad', 'good'])
  clock.advance(100)
  await turn()
  assert.deepEqual(seen, ['bad', 'good', 'bad'])
  stop.abort()
  await loop
})

test('a pass may ask to be called again later', async () => {
  const clock = new VirtualClock()
  const queue = new KeyedQueue({ clock, random: seededRandom(1) })
  const stop = new AbortController()
  let passes = 0
  const loop = reconcile(
    { queue, pass: async () => (passes++ === 0 ? { afterMs: 1000 } : {}), workers: 2, logger: silentLogger },
    stop.signal,
  )
  queue.add('a')
  await turn()
  clock.advance(1000)
  await turn()
  assert.equal(passes, 2)
  stop.abort()
  await loop
})
