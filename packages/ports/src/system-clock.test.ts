import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './system-clock.ts'

const DAY_MS = 24 * 3_600_000
const YEAR_MS = 365 * DAY_MS

test('a delay longer than the timers of the machine can hold does not fire early', context => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  systemClock.after(YEAR_MS, () => fired++)
  // In steps that the mocked timers can hold themselves.
  for (let passedMs = 0; passedMs < YEAR_MS - DAY_MS; passedMs += DAY_MS) context.mock.timers.tick(DAY_MS)
  context.mock.timers.tick(DAY_MS - 1)
  assert.equal(fired, 0)
  // The mock sets a timer that is set inside a step at the end of the step: up to a day late for each link.
  for (let link = 0; link < 20; link++) context.mock.timers.tick(DAY_MS)
  assert.equal(fired, 1)
})

test('a long delay can be cancelled at any time', context => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  const cancel = systemClock.after(YEAR_MS, () => fired++)
  context.mock.timers.tick(YEAR_MS / 2)
  cancel()
  context.mock.timers.tick(YEAR_MS)
  assert.equal(fired, 0)
})

test('a delay in the past fires soon, not never', context => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  systemClock.after(-5, () => fired++)
  context.mock.timers.tick(0)
  assert.equal(fired, 1)
})
