import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { Pacer } from './pacer.ts'

test('a key that was never looked at is looked at when its burst has settled', () => {
  assert.equal(new Pacer(new VirtualClock(), 15).delayMs('a'), 15)
})

test('after a long look the next one leaves twice its time, counted from its end, and never more than two seconds', async () => {
  const clock = new VirtualClock()
  const pacer = new Pacer(clock, 15)
  await pacer.timed('a', async () => clock.advance(100))
  assert.equal(pacer.delayMs('a'), 200)
  clock.advance(150)
  assert.equal(pacer.delayMs('a'), 50)
  clock.advance(500)
  assert.equal(pacer.delayMs('a'), 15)
  await pacer.timed('a', async () => clock.advance(60_000))
  assert.equal(pacer.delayMs('a'), 2000)
})

test('one slow key does not slow the others, and a look that throws counts too', async () => {
  const clock = new VirtualClock()
  const pacer = new Pacer(clock, 15)
  await assert.rejects(
    pacer.timed('slow', async () => {
      clock.advance(100)
      throw new Error('boom')
    }),
  )
  assert.deepEqual([pacer.delayMs('slow'), pacer.delayMs('other')], [200, 15])
  pacer.forget('slow')
  assert.equal(pacer.delayMs('slow'), 15)
})

test('a look may ask for a longer rest than its own time, within limits', async () => {
  const clock = new VirtualClock()
  const pacer = new Pacer(clock, 15)
  const look = (askedMs: number) => pacer.timed('a', async rest => rest(askedMs))
  await look(300)
  assert.equal(pacer.delayMs('a'), 300)
  clock.advance(200)
  assert.equal(pacer.delayMs('a'), 100)
  await look(0)
  assert.equal(pacer.delayMs('a'), 15)
  await look(10_000)
  assert.equal(pacer.delayMs('a'), 2000)
})

test('a clock that is set back by an hour makes no rest longer', async () => {
  const clock = new VirtualClock()
  let aheadMs = 3_600_000
  const ahead = { now: () => clock.now() + aheadMs, after: (ms: number, run: () => void) => clock.after(ms, run) }
  const pacer = new Pacer(ahead, 15)
  await pacer.timed('a', async rest => rest(300))
  aheadMs = 0
  assert.equal(pacer.delayMs('a'), 300)
})
