import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, silentLogger, VirtualClock } from '@godwit/ports'
import { KeyedQueue, type KeyedQueueOptions } from './keyed-queue.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))

function queueOf(work: KeyedQueueOptions['work'], options: Partial<KeyedQueueOptions> = {}) {
  const clock = new VirtualClock(0)
  const queue = new KeyedQueue({ name: 'test', clock, random: seededRandom(1), logger: silentLogger, work, ...options })
  queue.start()
  return { clock, queue }
}

test('a key added while it is worked on runs again, never twice at a time', async () => {
  const starts: string[] = []
  const ends: (() => void)[] = []
  const { queue } = queueOf(key => {
    starts.push(key)
    return new Promise(resolve => ends.push(() => resolve(undefined)))
  })
  queue.add('a')
  queue.add('a')
  queue.add('a')
  assert.deepEqual(starts, ['a'])
  ends.shift()?.()
  await settle()
  assert.deepEqual(starts, ['a', 'a'])
  ends.shift()?.()
  await settle()
  assert.deepEqual(starts, ['a', 'a'])
})

test('no more keys than workers are worked on at a time', async () => {
  const ends: (() => void)[] = []
  const { queue } = queueOf(() => new Promise(resolve => ends.push(() => resolve(undefined))), { workers: 2 })
  for (const key of ['a', 'b', 'c']) queue.add(key)
  assert.equal(ends.length, 2)
  ends[0]?.()
  await settle()
  assert.equal(ends.length, 3)
})

test('failed work is tried again, later each time', async () => {
  const attempts: number[] = []
  const { clock, queue } = queueOf(() => {
    attempts.push(clock.now())
    return Promise.reject(new Error('not yet'))
  })
  queue.add('a')
  for (let round = 0; round < 200; round++) {
    await settle()
    clock.advance(10)
  }
  const gaps = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  assert.ok(gaps.length >= 4, `${gaps}`)
  assert.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
  )
})

test('work may ask for another look', async () => {
  const looks: number[] = []
  const { clock, queue } = queueOf(() => {
    looks.push(clock.now())
    return Promise.resolve(looks.length < 3 ? 50 : undefined)
  })
  queue.add('a')
  for (let round = 0; round < 30; round++) {
    await settle()
    clock.advance(10)
  }
  assert.deepEqual(looks, [0, 50, 100])
})

test('keys added before the start wait for it', async () => {
  const seen: string[] = []
  const queue = new KeyedQueue({
    name: 'test',
    clock: new VirtualClock(0),
    random: seededRandom(1),
    logger: silentLogger,
    work: key => Promise.resolve(void seen.push(key)),
  })
  queue.add('a')
  await settle()
  assert.deepEqual(seen, [])
  queue.start()
  assert.deepEqual(seen, ['a'])
})

test('stopping waits for running work and drops the rest', async () => {
  const ends: (() => void)[] = []
  const { queue, clock } = queueOf(() => new Promise(resolve => ends.push(() => resolve(10))), { workers: 1 })
  queue.add('a')
  queue.add('b')
  let isStopped = false
  const stopped = queue.stop().then(() => {
    isStopped = true
  })
  await settle()
  assert.equal(isStopped, false)
  ends[0]?.()
  await stopped
  clock.advance(1000)
  assert.equal(ends.length, 1)
})
