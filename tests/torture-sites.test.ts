/** A fixed, small part of the torture of sites. `npm run torture -- sites` has the rest. A failure prints what repeats it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Look, MemberLook, SiteLook } from './torture/sites/look.ts'
import { commandOf, crashAt, undisturbed } from './torture/sites/run-scenario.ts'
import { runSeed, seedCommandOf } from './torture/sites/run-seed.ts'
import { SCENARIOS } from './torture/sites/scenarios.ts'
import { StepWatch } from './torture/sites/step-watch.ts'
import { Images } from './torture/sites/world.ts'

/** Crash points of each scenario, taken far from each other: neighbours are much alike. */
const POINTS_EACH = 8
const SEEDS = 25

describe('whenever a site dies, just before or just after a write, the end is the same', () => {
  for (const { name } of SCENARIOS)
    test(`in scenario ${name}`, async () => {
      const reference = await undisturbed(name, 1)
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

test('random crashes, cuts, lost requests, steps of clocks and edits on both sides leave one owner of each subcloud', async () => {
  const images = new Images()
  let crashes = 0
  let strikes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = await runSeed(seed, images)
    assert.deepEqual(run.failures, [], seedCommandOf(seed))
    crashes += run.crashes
    strikes += run.strikes
  }
  assert.ok(crashes > SEEDS / 2, `${crashes} crashes are too few to mean anything`)
  assert.ok(strikes > SEEDS / 2, `${strikes} faults are too few to mean anything`)
})

describe('what must hold at every moment is seen when it is broken', () => {
  const member: MemberLook = {
    name: 's1',
    region: '1',
    deployStatus: 'complete',
    isManaged: false,
    availability: 'online',
    epoch: 2,
    payload: {},
    description: '',
  }
  const site = (members: readonly MemberLook[], given: Partial<SiteLook> = {}): SiteLook => ({
    members,
    group: undefined,
    associations: [],
    batches: [],
    alarms: [],
    peer: 'available',
    ...given,
  })
  const managed = { ...member, isManaged: true }
  const later = { ...managed, epoch: 3 }
  const acting = { operationId: 'o', outcome: undefined, hasPassword: true, open: 3, acting: 3 }
  const cases: Readonly<Record<string, readonly (readonly [SiteLook, SiteLook])[]>> = {
    T1: [[site([]), site([])]],
    T2: [[site([member], { batches: [acting] }), site([member])]],
    T3: [
      [site([later]), site([member])],
      [site([managed]), site([member])],
    ],
    T4: [[site([managed]), site([managed])]],
    T5: [
      [site([managed]), site([{ ...member, epoch: 3 }])],
      [site([managed]), site([later])],
    ],
  }
  for (const [id, looks] of Object.entries(cases))
    test(id, () => {
      const watch = new StepWatch()
      watch.width = 2
      for (const [a, b] of looks) watch.see({ a, b, homes: ['a'] } satisfies Look)
      assert.match(watch.violations.join(), new RegExp(`^${id}: `))
    })
})
