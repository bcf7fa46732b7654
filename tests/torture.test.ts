/**
 * A fixed, small part of the torture: enough to notice that a change broke recovery. `npm run torture` has the rest.
 * A failure prints the command that repeats it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commandOf, crashAt, type Reference, undisturbed } from './torture/hubs/exhaustive.ts'
import { SCENARIOS } from './torture/hubs/scenarios.ts'
import { WorldImages } from './torture/hubs/world-image.ts'

const images = new WorldImages()

/** Crash points of each scenario; neighbours are much alike, so they are taken far from each other. */
const POINTS_EACH = 6
/** Between two commits the number of writes changes: a stride that divides nothing meets other points each time. */
const sample = ({ points }: Reference) =>
  Array.from({ length: POINTS_EACH }, (_, index) => points[Math.floor(((index + 0.5) * points.length) / POINTS_EACH)])

describe('whoever dies, just before or just after a write, the end is the same', () => {
  for (const { name } of SCENARIOS)
    test(`in scenario ${name}`, async () => {
      const reference = await undisturbed(name, 1, images)
      for (const point of sample(reference)) {
        assert.ok(point)
        const { failures, crashes } = await crashAt(reference, point)
        assert.deepEqual(failures, [], commandOf(reference, point))
        assert.equal(crashes, 1, `nobody died: ${commandOf(reference, point)}`)
      }
    })
})
