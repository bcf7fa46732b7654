/** A fixed, small part of the torture of nodes. `npm run torture -- nodes` has the rest. A failure prints what repeats it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commandOf, crashAt, undisturbed } from './torture/nodes/exhaustive.ts'
import { runScenario } from './torture/nodes/run-scenario.ts'
import { runSeed, seedCommandOf } from './torture/nodes/run-seed.ts'
import { EDIT_NAMES, interrupted } from './torture/nodes/scenarios.ts'
import { runWave } from './torture/nodes/wave.ts'
import { makeWorldImage } from './torture/nodes/world-image.ts'

const image = await makeWorldImage()

/** Crash points of each scenario, taken far from each other: neighbours are much alike. */
const POINTS_EACH = 5
const CRASHED = ['move', 'undeletable-snapshots', 'sub-agents', 'release', 'hibernation', 'missing-target']

describe('X01: whenever the operator dies, just before or just after a write, the end is the same', () => {
  for (const name of CRASHED)
    test(`in scenario ${name}`, async () => {
      const reference = await undisturbed(name, 1, image)
      const { points } = reference
      for (let index = 0; index < POINTS_EACH; index++) {
        const point = points[Math.floor(((index + 0.5) * points.length) / POINTS_EACH)]
        assert.ok(point)
        const { failures, crashes } = await crashAt(reference, point)
        assert.deepEqual(failures, [], commandOf(reference, point))
        assert.equal(crashes, 1, `nobody died: ${commandOf(reference, point)}`)
      }
    })
})

describe('X06, X09: whatever the user does in the middle of a move, no state is lost', () => {
  for (const edit of EDIT_NAMES)
    test(edit, async () => {
      for (const write of [2, 7, 12]) {
        const { failures } = await runScenario(interrupted(edit, write), { image, seed: 1 })
        assert.deepEqual(failures, [], `npm run torture -- nodes --scenario ${edit}@${write}`)
      }
    })
})

test('X10: many sets pinned at once settle, although two in a hundred of everything goes wrong', async () => {
  const { failures, tookMs, crashes } = await runWave(SETS_IN_WAVE, { image, seed: 1 })
  assert.deepEqual([failures, tookMs.length, crashes], [[], SETS_IN_WAVE, 1], `--scenario wave@${SETS_IN_WAVE}`)
})

test('X02 to X05, X07: random faults of the API, the registry and agents, sleepers and edits harm no VM', async () => {
  let crashes = 0
  let strikes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = await runSeed(seed, image)
    assert.deepEqual(run.failures, [], seedCommandOf(seed))
    crashes += run.crashes
    strikes += run.strikes
  }
  assert.ok(crashes > SEEDS / 2, `${crashes} crashes are too few to mean anything`)
  assert.ok(strikes > SEEDS, `${strikes} faults are too few to mean anything`)
})

const SEEDS = 20
/** `npm run torture -- nodes --scenario wave@1000` has the rest. */
const SETS_IN_WAVE = 40
