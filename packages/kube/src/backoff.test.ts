import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Backoff } from './backoff.ts'

test('delays double up to their limit, with chance in their second half, and begin anew after a success', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 3000 }),
      (chance, failures) => {
        const backoff = new Backoff({ next: () => chance }, { baseMs: 100, maxMs: 10_000 })
        for (let index = 0; index < failures; index++) {
          const ceilingMs = Math.min(10_000, 100 * 2 ** Math.min(index, 40))
          const delayMs = backoff.fail()
          assert.ok(delayMs >= ceilingMs / 2 && delayMs <= ceilingMs, `${delayMs} of ${ceilingMs}`)
        }
        assert.equal(backoff.failures, failures)
        backoff.succeed()
        assert.ok(backoff.fail() <= 100)
      },
    ),
    { numRuns: 50 },
  )
})
