import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Contender, contenderOf, isContending, rivalOf, STANDINGS } from './turn.ts'

const contender = (name: string, over: Partial<Contender> = {}): Contender => ({
  name,
  uid: name,
  createdAt: '2026-01-01T00:00:00Z',
  from: 'A',
  to: 'B',
  clusters: ['c1'],
  standing: 'waiting',
  isPaused: false,
  ...over,
})
const me = (over: Partial<Contender> = {}) => contender('me', { createdAt: '2026-01-01T00:00:09Z', ...over })
const SAME_HUBS = 'moves clusters between the same hubs'

const rows: readonly [string, Contender, Contender, string | undefined][] = [
  ['an earlier one between the same hubs', me(), contender('x', { clusters: ['c9'] }), SAME_HUBS],
  ['a later one between the same hubs', me(), contender('x', { createdAt: '2026-01-02T00:00:00Z' }), undefined],
  [
    'a later one between the same hubs that has begun',
    me(),
    contender('x', { createdAt: '2026-01-02T00:00:00Z', standing: 'holding' }),
    SAME_HUBS,
  ],
  [
    'the opposite direction with other clusters',
    me(),
    contender('x', { from: 'B', to: 'A', clusters: ['c9'] }),
    undefined,
  ],
  [
    'the opposite direction with the same cluster',
    me(),
    contender('x', { from: 'B', to: 'A' }),
    'has cluster c1 as well',
  ],
  ['the same cluster to another hub', me(), contender('x', { to: 'C' }), 'has cluster c1 as well'],
  ['the next leg of the same cluster', me({ from: 'B', to: 'C' }), contender('x'), 'has cluster c1 as well'],
  ['another cluster of the same name on other hubs', me(), contender('x', { from: 'C', to: 'D' }), undefined],
  [
    'several clusters in common',
    me({ clusters: ['c1', 'c2', 'c3'] }),
    contender('x', { to: 'C', clusters: ['c3', 'c2', 'c0'] }),
    'has cluster c3 and 1 more as well',
  ],
  ['a placement that has not been asked', me(), contender('x', { to: 'C', clusters: undefined }), undefined],
  [
    'a placement that has chosen the cluster',
    me(),
    contender('x', { to: 'C', createdAt: '2026-01-02T00:00:00Z', standing: 'choosing' }),
    'has cluster c1 as well',
  ],
  ['an earlier one that is paused before it began', me(), contender('x', { isPaused: true }), undefined],
  [
    'one that is paused and holds its clusters',
    me(),
    contender('x', { isPaused: true, standing: 'holding' }),
    SAME_HUBS,
  ],
  [
    'one between the same hubs that is paused while it chooses',
    me(),
    contender('x', { isPaused: true, standing: 'choosing' }),
    SAME_HUBS,
  ],
  [
    'one that chose the cluster and is paused',
    me(),
    contender('x', { isPaused: true, standing: 'choosing', to: 'C' }),
    undefined,
  ],
  [
    'an earlier one that has not begun, when the placement has chosen',
    me({ standing: 'choosing' }),
    contender('x', { to: 'C' }),
    undefined,
  ],
  [
    'one between the same hubs that has begun, when the placement has chosen other clusters',
    me({ standing: 'choosing', clusters: ['c9'] }),
    contender('x', { standing: 'holding' }),
    undefined,
  ],
  [
    'one that holds the cluster, when the placement has chosen it',
    me({ standing: 'choosing' }),
    contender('x', { to: 'C', standing: 'holding' }),
    'has cluster c1 as well',
  ],
  [
    'anything, when the clusters are held already',
    me({ standing: 'holding' }),
    contender('x', { standing: 'holding' }),
    undefined,
  ],
]
describe('what a migration waits for', () => {
  for (const [what, mine, other, shares] of rows)
    test(`${shares ? '' : 'not '}${what}`, () => {
      assert.deepEqual(rivalOf(mine, [mine, other]), shares && { name: 'x', shares })
    })

  test('the first of several, by how far they are and then by age', () => {
    const late = contender('late', { createdAt: '2026-01-02T00:00:00Z', standing: 'holding' })
    const early = contender('early')
    assert.equal(rivalOf(me(), [early, late])?.name, 'late')
    assert.equal(rivalOf(me(), [contender('b'), contender('a')])?.name, 'a')
  })
})

const anyContender = (uid: number) =>
  fc.record({
    name: fc.constant(`m${uid}`),
    uid: fc.constant(`m${uid}`),
    createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'),
    from: fc.constantFrom('A', 'B', 'C'),
    to: fc.constantFrom('A', 'B', 'C'),
    clusters: fc.option(fc.uniqueArray(fc.constantFrom('c1', 'c2', 'c3')), { nil: undefined }),
    standing: fc.constantFrom(...STANDINGS),
    isPaused: fc.boolean(),
  })
const crowd = fc.tuple(...Array.from({ length: 7 }, (_, uid) => anyContender(uid)))

test('whoever is there, somebody who is not paused may go on: nobody waits in a circle', () => {
  fc.assert(
    fc.property(crowd, all => {
      for (const one of all) {
        const seen = new Set<string>()
        for (let at: Contender | undefined = one; at; ) {
          assert.ok(!seen.has(at.uid), `circle through ${[...seen]}`)
          seen.add(at.uid)
          const rival = rivalOf(at, all)
          at = all.find(({ name }) => name === rival?.name)
        }
      }
    }),
  )
})

test('however they come and go, no two migrations hold the same cluster of the same hub', () => {
  fc.assert(
    fc.property(crowd, fc.array(fc.nat({ max: 6 }), { maxLength: 60 }), (start, turns) => {
      const all: Contender[] = start.map(one => ({ ...one, standing: 'waiting', clusters: one.clusters ?? ['c1'] }))
      for (const turn of turns) {
        const one = all[turn]
        if (!one || rivalOf(one, all)) continue
        const next = one.standing === 'waiting' && turn % 2 === 0 ? 'choosing' : 'holding'
        all[turn] = { ...one, standing: next }
        const keys = all
          .filter(({ standing }) => standing === 'holding')
          .flatMap(({ from, to, clusters }) =>
            (clusters ?? []).flatMap(c => [...new Set([from, to])].map(hub => `${hub}/${c}`)),
          )
        assert.equal(new Set(keys).size, keys.length, keys.join())
      }
    }),
  )
})

const recordAt = (stage: string, over: object = {}) => ({
  stage,
  direction: 'Forward',
  entered: false,
  since: '2026-01-01T00:00:00Z',
  ...over,
})
const standings: readonly [object, object | undefined, string][] = [
  [{ includedManagedClusters: ['c1'] }, undefined, 'waiting'],
  [{ includedManagedClusters: ['c1'] }, recordAt('Pending'), 'waiting'],
  [{ includedManagedClusters: ['c1'] }, recordAt('Validating'), 'holding'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Pending'), 'waiting'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Validating'), 'choosing'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Claiming'), 'choosing'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Claiming', { entered: true }), 'holding'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Moving'), 'holding'],
  [{ includedManagedClustersPlacementRef: 'p' }, recordAt('Validating', { direction: 'Undo' }), 'holding'],
]
for (const [spec, shared, standing] of standings)
  test(`a migration is ${standing}: ${JSON.stringify([spec, shared])}`, () => {
    const migration = {
      apiVersion: 'v1',
      kind: 'ManagedClusterMigration',
      metadata: { name: 'm', uid: 'u' },
      spec: { from: 'A', to: 'B', ...spec },
      ...(shared && { status: { shared: shared as never } }),
    }
    assert.equal(contenderOf(migration, undefined).standing, standing)
    assert.equal(isContending(migration), standing !== 'holding')
  })
