/** A wrong bootstrap address on a group that migrates: what may be corrected where, and what both sites say then. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CORRECTABLE } from '../src/subcloud/edit-rules.ts'
import { RIGHT_ADDRESS, TwoSites, WRONG_ADDRESS } from './two-sites.ts'

const statuses = ({ a, b }: TwoSites) => [a.member.deployStatus, b.member.deployStatus]
const leaders = ({ a, b }: TwoSites) => [a.leaderId, b.leaderId]
const managers = ({ a, b }: TwoSites) => [a, b].filter(site => site.member.managementState === 'managed')

/** The primary site as it is when the migration to the other one runs. */
const PRIMARY = ['up', 'down', 'returning in the middle'] as const

function failedOn(primary: (typeof PRIMARY)[number]): TwoSites {
  const sites = new TwoSites(WRONG_ADDRESS)
  sites.a.isUp = primary === 'up'
  sites.migrate(sites.b, () => {
    if (primary === 'returning in the middle') sites.a.isUp = true
    if (sites.a.isUp) sites.audit(sites.a)
  })
  return sites
}

function bring(sites: TwoSites): void {
  sites.a.isUp = true
  sites.audit(sites.a)
  sites.audit(sites.b)
}

test('the group is in-sync on both sites before the migration', () => {
  const { a, b } = new TwoSites(WRONG_ADDRESS)
  assert.deepEqual([a.sync, b.sync], ['in-sync', 'in-sync'])
})

test('the bootstrap address can be updated on the other site while the primary is down; the retry carries it home', () => {
  const sites = failedOn('down')
  assert.deepEqual(sites.edit(sites.b, ['bootstrap_address']), { kind: 'allowed', marks: 'on this site' })
  assert.equal(sites.b.sync, 'out-of-sync')
  sites.migrate(sites.b)
  bring(sites)
  assert.deepEqual(statuses(sites), ['secondary', 'complete'])
  assert.equal(sites.a.address, RIGHT_ADDRESS)
  assert.deepEqual([sites.a.sync, sites.b.sync], ['in-sync', 'in-sync'])
  assert.deepEqual([managers(sites).map(({ id }) => id), sites.home], [['b'], 'b'])
})

test('a correction is not lost when the primary is back before the retry (H14)', () => {
  const sites = failedOn('down')
  sites.edit(sites.b, ['bootstrap_address'])
  bring(sites)
  assert.deepEqual([sites.a.address, sites.a.member.values], [RIGHT_ADDRESS, sites.b.member.values])
  sites.migrate(sites.a)
  assert.deepEqual([sites.a.member.deployStatus, sites.home], ['complete', 'a'])
})

test('bootstrap values and address are the only fields that can be updated there while the primary is down', () => {
  const sites = failedOn('down')
  for (const key of ['description', 'location', 'name', 'group_id', 'install_values', 'management-state'])
    for (const keys of [[key], [...CORRECTABLE, key]]) assert.equal(sites.edit(sites.b, keys).kind, 'refused', key)
  assert.equal(sites.b.sync, 'in-sync')
  for (const key of CORRECTABLE) assert.equal(sites.edit(sites.b, [key]).kind, 'allowed', key)
})

for (const primary of ['up', 'returning in the middle'] as const)
  test(`the update of the bootstrap address is refused there when the primary is ${primary}`, () => {
    const sites = failedOn(primary)
    assert.equal(sites.edit(sites.b, ['bootstrap_address']).kind, 'refused')
    assert.deepEqual([sites.b.address, sites.b.sync], [WRONG_ADDRESS, 'in-sync'])
  })

for (const primary of PRIMARY)
  test(`the leader is the target on both sites although every member failed, with the primary ${primary}`, () => {
    const sites = failedOn(primary)
    bring(sites)
    assert.deepEqual(leaders(sites), ['b', 'b'])
    assert.deepEqual([sites.a.migrationStatus, sites.b.migrationStatus], [undefined, undefined])
  })

for (const primary of PRIMARY)
  test(`the subcloud is rehome-failed on both sites after the migration, with the primary ${primary}`, () => {
    const sites = failedOn(primary)
    bring(sites)
    assert.deepEqual(statuses(sites), ['rehome-failed', 'rehome-failed'])
    assert.deepEqual(managers(sites), [])
  })

for (const primary of PRIMARY)
  test(`the primary takes a failed group back, is corrected there, and the retry succeeds, with the primary ${primary}`, () => {
    const sites = failedOn(primary)
    bring(sites)
    assert.equal(sites.edit(sites.a, ['bootstrap_address']).kind, 'refused')
    sites.migrate(sites.a)
    assert.deepEqual(
      [statuses(sites), leaders(sites)],
      [
        ['rehome-failed', 'rehome-failed'],
        ['a', 'a'],
      ],
    )
    assert.deepEqual(sites.edit(sites.a, ['bootstrap_address']), { kind: 'allowed', marks: 'on both sites' })
    sites.migrate(sites.a)
    assert.deepEqual(statuses(sites), ['complete', 'secondary'])
    assert.deepEqual([managers(sites).map(({ id }) => id), sites.home, sites.b.address], [['a'], 'a', RIGHT_ADDRESS])
    assert.deepEqual([sites.a.sync, sites.b.sync], ['in-sync', 'in-sync'])
  })

test('a group with the right address moves away and home again, and one site manages it at all times', () => {
  const sites = new TwoSites(RIGHT_ADDRESS)
  for (const site of [sites.b, sites.a, sites.b]) {
    sites.migrate(site, () => assert.deepEqual(managers(sites), []))
    assert.deepEqual([managers(sites).map(({ id }) => id), sites.home], [[site.id], site.id])
    assert.deepEqual(leaders(sites), [site.id, site.id])
  }
})
