import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, VirtualClock } from '@godwit/ports'
import { TimerWheel } from './timer-wheel.ts'

function wheel() {
  const clock = new VirtualClock(0)
  const woken: string[] = []
  return { clock, woken, wheel: new TimerWheel(clock, key => woken.push(`${key}@${clock.now()}`)) }
}

test('each key wakes at its own deadline', () => {
  const { clock, woken, wheel: timers } = wheel()
  timers.set('late', 30)
  timers.set('early', 10)
  timers.set('same', 10)
  clock.advance(100)
  assert.deepEqual(woken, ['early@10', 'same@10', 'late@30'])
})

test('a deadline can be moved both ways and removed', () => {
  const { clock, woken, wheel: timers } = wheel()
  timers.set('later', 10)
  timers.set('later', 20)
  timers.set('sooner', 50)
  timers.set('sooner', 5)
  timers.set('never', 7)
  timers.set('never', undefined)
  clock.advance(100)
  assert.deepEqual(woken, ['sooner@5', 'later@20'])
})

test('of two planned moments the earlier one wins when asked to', () => {
  const { clock, woken, wheel: timers } = wheel()
  timers.setIfSooner('a', 10)
  timers.setIfSooner('a', 20)
  clock.advance(100)
  assert.deepEqual(woken, ['a@10'])
})

test('a stopped wheel wakes nobody and holds no timer', () => {
  const { clock, woken, wheel: timers } = wheel()
  timers.set('a', 10)
  timers.stop()
  timers.set('b', 10)
  assert.equal(clock.untilNext(), undefined)
  clock.advance(100)
  assert.deepEqual(woken, [])
})

test('thousands of keys need one timer of the clock', () => {
  const { clock, woken, wheel: timers } = wheel()
  for (let index = 0; index < 3000; index++) timers.set(`k${index}`, 3000 - index)
  clock.advance(1)
  assert.deepEqual(woken, ['k2999@1'])
})

test('deadlines between milliseconds are met in a bounded number of steps', () => {
  const clock = new VirtualClock(0.1)
  let woken = 0
  const timers: TimerWheel = new TimerWheel(clock, () => {
    woken++
    if (woken < 1000) timers.set('a', clock.now() + 23.081655298359692)
  })
  timers.set('a', clock.now() + 0.3)
  let steps = 0
  for (let next = clock.untilNext(); next !== undefined && steps < 5000; next = clock.untilNext()) {
    clock.advance(next)
    steps++
  }
  assert.equal(woken, 1000)
  assert.ok(steps < 5000, `${steps}`)
})

test('a deadline a year away asks for no timer that the machine cannot hold', () => {
  const yearMs = 365 * 24 * 3_600_000
  const virtual = new VirtualClock(0)
  const delays: number[] = []
  const clock: Clock = {
    now: () => virtual.now(),
    after(delayMs, run) {
      delays.push(delayMs)
      return virtual.after(delayMs, run)
    },
  }
  const woken: number[] = []
  new TimerWheel(clock, () => woken.push(clock.now())).set('a', yearMs)
  virtual.advance(2 * yearMs)
  assert.deepEqual(woken, [yearMs])
  assert.ok(
    delays.every(delayMs => delayMs < 2 ** 31),
    `${delays}`,
  )
})
