import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownershipOf, ownershipTable } from './owners.ts'

const subcloud = { name: 's1', region: 'r1' }
const moment = { startMs: 1000, first: 'factory' }
const change = (atMs: number, from: string, to: string, region = 'r1') => ({ atMs, region, from, to })

test('a subcloud that goes from hand to hand has one owner at all times', () => {
  const history = [change(2000, 'factory', 'a'), change(2100, 'x', 'y', 'r2'), change(3500, 'a', 'b')]
  const ownership = ownershipOf(subcloud, history, moment)
  assert.deepEqual(ownership, {
    name: 's1',
    owners: [
      { owner: 'factory', fromS: 0 },
      { owner: 'a', fromS: 1 },
      { owner: 'b', fromS: 2.5 },
    ],
    most: 1,
  })
  assert.deepEqual(
    ownershipTable([ownership], owner => owner.toUpperCase()),
    ['subcloud  owner since                        at once', 's1        FACTORY 0.0 s → A 1.0 s → B 2.5 s  1'],
  )
})

test('one that somebody takes from a site that did not have it has two', () => {
  const history = [change(2000, 'factory', 'a'), change(3000, 'c', 'b')]
  assert.equal(ownershipOf(subcloud, history, moment).most, 2)
})
