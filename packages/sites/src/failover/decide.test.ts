import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideFailover, FAILOVER_RULES, type FailoverFacts } from './decide.ts'

/** Of a site that is lost beyond doubt, with an automatic policy. */
const ready: FailoverFacts = {
  policy: 'rehome',
  isPeerUnavailable: true,
  groups: [{ name: 'g', subclouds: 5 }],
  hasStarted: false,
  secondView: 'lost',
  lostSinceMs: 1_000,
  nowMs: 61_000,
  holdDownMs: 60_000,
  most: { groups: 1, subclouds: 5 },
  hasPassword: true,
}

test('a site that is lost beyond doubt is taken over', () => assert.deepEqual(decideFailover(ready), { kind: 'start' }))

const TABLE: readonly (readonly [string, Partial<FailoverFacts>, string])[] = [
  ['a peer that answers is left alone, whatever was seen before', { isPeerUnavailable: false }, 'rest'],
  ['the policy alarm does nothing more', { policy: 'alarm' }, 'rest'],
  ['an outage begins batches once', { hasStarted: true }, 'done'],
  ['a lost site without groups is nobody to take over from', { groups: [] }, 'rest'],
  ['groups whose members cannot migrate are none', { groups: [{ name: 'g', subclouds: 0 }] }, 'rest'],
  ['a site that is alive elsewhere is held back from', { secondView: 'alive' }, 'hold-back'],
  ['so is a proposal', { secondView: 'alive', policy: 'propose' }, 'hold-back'],
  ['the policy propose proposes, confirmed', { policy: 'propose' }, 'propose'],
  ['and unconfirmed', { policy: 'propose', secondView: 'unknown' }, 'propose'],
  ['unconfirmed the automatic policy only proposes', { secondView: 'unknown', lostSinceMs: undefined }, 'propose'],
  ['the hold-down is waited for', { nowMs: 60_999 }, 'wait'],
  ['a hold-down that has not begun begins now', { lostSinceMs: undefined }, 'wait'],
  ['too many groups are proposed', { groups: [...ready.groups, { name: 'h', subclouds: 0 }] }, 'propose'],
  ['too many subclouds are proposed', { groups: [{ name: 'g', subclouds: 6 }] }, 'propose'],
  ['without a password it is proposed', { hasPassword: false }, 'propose'],
]
for (const [what, change, kind] of TABLE)
  test(what, () => assert.equal(decideFailover({ ...ready, ...change }).kind, kind))

test('every rule of the table is met by a case here', () => {
  const met = new Set(
    TABLE.map(([, change]) => FAILOVER_RULES.find(rule => rule.applies({ ...ready, ...change }))?.when),
  )
  assert.deepEqual(
    FAILOVER_RULES.map(({ when }) => when).filter(when => !met.has(when)),
    [],
  )
})

test('nothing starts but with a lost peer, confirmed and held down, within the limits', () => {
  const facts = fc.record({
    policy: fc.constantFrom('alarm', 'propose', 'rehome'),
    isPeerUnavailable: fc.boolean(),
    groups: fc.array(fc.record({ name: fc.constant('g'), subclouds: fc.nat(9) }), { maxLength: 3 }),
    hasStarted: fc.boolean(),
    secondView: fc.constantFrom('lost', 'alive', 'unknown'),
    lostSinceMs: fc.option(fc.nat(100), { nil: undefined }),
    nowMs: fc.nat(200),
    holdDownMs: fc.nat(100),
    most: fc.record({ groups: fc.nat(3), subclouds: fc.nat(20) }),
    hasPassword: fc.boolean(),
  }) as fc.Arbitrary<FailoverFacts>
  fc.assert(
    fc.property(facts, given => {
      if (decideFailover(given).kind !== 'start') return
      const subclouds = given.groups.reduce((sum, group) => sum + group.subclouds, 0)
      assert.ok(given.policy === 'rehome' && given.isPeerUnavailable && given.secondView === 'lost')
      assert.ok(given.nowMs >= (given.lostSinceMs ?? given.nowMs) + given.holdDownMs)
      assert.ok(subclouds > 0 && subclouds <= given.most.subclouds && given.groups.length <= given.most.groups)
      assert.ok(!given.hasStarted && given.hasPassword)
    }),
    { numRuns: 300 },
  )
})
