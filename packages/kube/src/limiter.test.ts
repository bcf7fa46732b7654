import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn, VirtualClock } from '@godwit/ports'
import { rateLimiter } from './limiter.ts'

function start(count: number, clock: VirtualClock, limiter = rateLimiter({ clock, perSecond: 10, burst: 5 })) {
  const passed: number[] = []
  for (let index = 0; index < count; index++) limiter.take().then(() => passed.push(index))
  return { passed, limiter }
}

test('a burst passes at once, then so many a second, in order of arrival', async () => {
  const clock = new VirtualClock()
  const { passed } = start(25, clock)
  await nextTurn()
  assert.equal(passed.length, 5)
  clock.advance(1000)
  await nextTurn()
  assert.equal(passed.length, 15)
  clock.advance(1000)
  await nextTurn()
  assert.deepEqual(
    passed,
    Array.from({ length: 25 }, (_, index) => index),
  )
})

test('a quiet time earns a burst, and not more', async () => {
  const clock = new VirtualClock()
  const { limiter } = start(0, clock)
  clock.advance(3_600_000)
  const { passed } = start(10, clock, limiter)
  await nextTurn()
  assert.equal(passed.length, 5)
})

test('a clock that is set back neither gives nor takes', async () => {
  let now = 1_000_000
  let waitedMs = 0
  const after = (delayMs: number, run: () => void) => {
    waitedMs += delayMs
    queueMicrotask(run)
    return () => undefined
  }
  const limiter = rateLimiter({ clock: { now: () => now, after }, perSecond: 10, burst: 5 })
  now -= 900_000
  for (let index = 0; index < 5; index++) await limiter.take()
  now += 500
  for (let index = 0; index < 5; index++) await limiter.take()
  assert.equal(waitedMs, 0)
  await limiter.take()
  assert.equal(waitedMs, 100)
})

test('an abort ends the wait', async () => {
  const clock = new VirtualClock()
  const { limiter } = start(5, clock)
  const stop = new AbortController()
  const waiting = limiter.take(stop.signal)
  stop.abort()
  await waiting
  assert.equal(clock.untilNext(), undefined)
})
