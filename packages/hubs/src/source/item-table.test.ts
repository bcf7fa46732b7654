import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cursor, decide } from '@godwit/core'
import { journalKey, leaseMark } from '../agent/facts.ts'
import { annotations, type ManagedCluster, type ManifestWork, type StageName } from '../api/index.ts'
import {
  isConfigDelivered,
  journalFor,
  type Pausable,
  receiptsOf,
  type SourceItemFacts,
  STALE_LEASE,
} from './item-facts.ts'
import { sourceItemTable } from './item-table.ts'

const UID = 'uid-1'
const CLAIM = {
  [annotations.migration]: UID,
  [annotations.migrating]: '',
  [annotations.klusterletConfig]: 'migration-hub2',
}

function cluster(
  over: {
    annotations?: Record<string, string>
    labels?: Record<string, string>
    accepted?: boolean
    available?: string
  } = {},
): ManagedCluster {
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: { name: 'c1', uid: 'mc-1', annotations: over.annotations ?? {}, labels: over.labels ?? {} },
    spec: { hubAcceptsClient: over.accepted ?? true },
    status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: over.available ?? 'True' }] },
  }
}

function work(
  over: { kubeconfig?: string; names?: string; applied?: number; generation?: number; readOnly?: boolean } = {},
): ManifestWork {
  const secrets = [{ name: over.names ?? 'bootstrap-hub2' }, { name: 'bootstrap-hub-kubeconfig-current-hub' }]
  return {
    apiVersion: 'work.open-cluster-management.io/v1',
    kind: 'ManifestWork',
    metadata: { name: 'c1-klusterlet', namespace: 'c1', generation: over.generation ?? 2 },
    spec: {
      workload: {
        manifests: [
          { kind: 'Secret', metadata: { name: 'bootstrap-hub2' }, data: { kubeconfig: over.kubeconfig ?? 'a3ViZQ==' } },
          {
            kind: 'Klusterlet',
            metadata: { name: 'klusterlet' },
            spec: {
              registrationConfiguration: {
                bootstrapKubeConfigs: { localSecretsConfig: { kubeConfigSecrets: secrets } },
              },
            },
          },
        ],
      },
      manifestConfigs: over.readOnly ? [{ updateStrategy: { type: 'ReadOnly' } }] : [],
    },
    status: { conditions: [{ type: 'Applied', status: 'True', observedGeneration: over.applied ?? 2 }] },
  }
}

const deployment = (value?: string): Pausable => ({
  ref: { kind: 'ClusterDeployment', name: 'c1', namespace: 'c1' },
  key: annotations.hivePause,
  value,
  finalizers: [],
})

const facts = (over: Partial<SourceItemFacts> = {}): SourceItemFacts => ({
  name: 'c1',
  migrationUid: UID,
  to: 'hub2',
  journal: {},
  evidence: {},
  cluster: cluster(),
  hasNamespace: true,
  work: work(),
  lease: undefined,
  pausables: [],
  observabilityAddons: [],
  bootstrapKubeconfig: 'a3ViZQ==',
  sealTo: 'key',
  ...over,
})

const at = (stage: StageName, over: Partial<Cursor<StageName>> = {}): Cursor<StageName> => ({
  stage,
  direction: 'Forward',
  entered: true,
  ...over,
})
const next = (cursor: Cursor<StageName>, seen: SourceItemFacts) => decide(sourceItemTable, cursor, seen, 0)
const enter = { entered: false }

const refusals: readonly [string, Partial<SourceItemFacts>, string, RegExp][] = [
  ['a cluster that does not exist', { cluster: undefined }, 'ClusterNotFound', /does not exist/],
  [
    'a hosted cluster',
    { cluster: cluster({ annotations: { [annotations.deployMode]: 'Hosted' } }) },
    'ClusterValidateFailed',
    /Hosted/,
  ],
  [
    'the local cluster',
    { cluster: cluster({ labels: { 'local-cluster': 'true' } }) },
    'ClusterValidateFailed',
    /the hub itself/,
  ],
  [
    'a cluster that is not Available',
    { cluster: cluster({ available: 'Unknown' }) },
    'ClusterValidateFailed',
    /not Available/,
  ],
  [
    'a cluster that is itself a hub',
    { cluster: cluster({ annotations: { [annotations.onMulticlusterHub]: 'true' } }) },
    'ClusterValidateFailed',
    /managed hub/,
  ],
  [
    'a cluster of another migration',
    { cluster: cluster({ annotations: { [annotations.migration]: 'other' } }) },
    'ClusterConflict',
    /another migration/,
  ],
]
for (const [what, over, code, message] of refusals)
  test(`source, Validating: refuses ${what}`, () => {
    const decision = next(at('Validating', enter), facts(over))
    assert.equal(decision.kind === 'compensate' && decision.code, code)
    assert.match(decision.kind === 'compensate' ? decision.message : '', message)
  })

test('source, Validating: a hosted, unavailable cluster is told the first reason of the order', () => {
  const seen = facts({ cluster: cluster({ annotations: { [annotations.deployMode]: 'Hosted' }, available: 'False' }) })
  const decision = next(at('Validating', enter), seen)
  assert.match(decision.kind === 'compensate' ? decision.message : '', /Hosted/)
})

test('source, Initializing: the claim and the two-hub configuration come first', () => {
  const decision = next(at('Initializing', enter), facts())
  assert.deepEqual(decision.kind === 'act' && decision.effects, [
    { kind: 'annotate', object: { kind: 'ManagedCluster', name: 'c1' }, annotations: CLAIM },
  ])
})

const undelivered: readonly [string, Partial<SourceItemFacts>][] = [
  ['there is no klusterlet work', { work: undefined }],
  ['the work carries an older bootstrap', { work: work({ kubeconfig: 'b2xk' }) }],
  ['the Klusterlet does not name the bootstrap', { work: work({ names: 'bootstrap-hub9' }) }],
  ['the work agent has applied an older generation', { work: work({ applied: 1 }) }],
  ['the work is ReadOnly', { work: work({ readOnly: true }) }],
  ['the bootstrap is not on the hub', { bootstrapKubeconfig: undefined }],
]
for (const [why, over] of undelivered) {
  test(`source: there is no receipt of the delivery while ${why}`, () =>
    assert.deepEqual(receiptsOf(facts(over), 'Initializing', 'Forward'), {}))

  test(`source: without a receipt imports are not held back and the cluster is not denied while ${why} (H-30, H-31)`, () => {
    const seen = facts({ ...over, cluster: cluster({ annotations: CLAIM }) })
    const decision = next(at('Initializing'), seen)
    assert.equal(decision.kind === 'wait' && decision.who, 'import controller of the source hub')
    for (const entered of [true, false]) assert.equal(next(at('Registering', { entered }), seen).kind, 'wait')
  })
}

const delivered = receiptsOf(facts(), 'Initializing', 'Forward')

test('source: the receipt of a delivery speaks of one bootstrap and of no other', () => {
  assert.deepEqual(Object.keys(delivered), ['delivered'])
  assert.equal(isConfigDelivered(facts({ evidence: delivered })), true)
  assert.equal(isConfigDelivered(facts({ evidence: delivered, bootstrapKubeconfig: 'bmV3' })), false)
})

test('source, Registering: a work that turned ReadOnly after the delivery does not matter, one that lost the configuration does', () => {
  const claimed = facts({ cluster: cluster({ annotations: CLAIM }), evidence: delivered })
  assert.equal(next(at('Registering', enter), { ...claimed, work: work({ readOnly: true, applied: 1 }) }).kind, 'act')
  assert.equal(next(at('Registering', enter), { ...claimed, work: work({ names: 'bootstrap-hub9' }) }).kind, 'wait')
  assert.equal(next(at('Registering', enter), { ...claimed, work: undefined }).kind, 'wait')
})

test('source, Initializing: after delivery imports are held back, then provisioning is paused, then it is done', () => {
  const claimed = facts({ cluster: cluster({ annotations: CLAIM }), pausables: [deployment()], evidence: delivered })
  const first = next(at('Initializing'), claimed)
  assert.deepEqual(first.kind === 'act' && first.effects, [
    {
      kind: 'annotate',
      object: { kind: 'ManagedCluster', name: 'c1' },
      annotations: { [annotations.disableAutoImport]: '' },
    },
  ])
  const held = { ...claimed, cluster: cluster({ annotations: { ...CLAIM, [annotations.disableAutoImport]: '' } }) }
  const second = next(at('Initializing'), held)
  assert.deepEqual(second.kind === 'act' && second.effects, [
    { kind: 'annotate', object: deployment().ref, annotations: { [annotations.hivePause]: 'true' } },
  ])
  assert.equal(next(at('Initializing'), { ...held, pausables: [deployment('true')] }).kind, 'advance')
})

test('source, Initializing: every value that is changed is journalled before, absent ones as null', () => {
  const seen = facts({
    cluster: cluster({ annotations: { [annotations.klusterletConfig]: 'mine' } }),
    pausables: [deployment('true')],
  })
  assert.deepEqual(journalFor(seen, 'Initializing', 'Forward'), {
    [`ManagedCluster/c1/annotation/${annotations.migration}`]: 'null',
    [`ManagedCluster/c1/annotation/${annotations.migrating}`]: 'null',
    [`ManagedCluster/c1/annotation/${annotations.klusterletConfig}`]: '"mine"',
    [`ManagedCluster/c1/annotation/${annotations.disableAutoImport}`]: 'null',
    [`ClusterDeployment/c1/annotation/${annotations.hivePause}`]: '"true"',
  })
})

const key = (name: string) => journalKey({ kind: 'ManagedCluster', name: 'c1' }, name)
const journal = {
  [key(annotations.migration)]: 'null',
  [key(annotations.migrating)]: 'null',
  [key(annotations.klusterletConfig)]: '"mine"',
  [key(annotations.disableAutoImport)]: 'null',
  [journalKey(deployment().ref, annotations.hivePause)]: 'null',
}
const moving = { ...CLAIM, [annotations.disableAutoImport]: '' }

test('source, Initializing, undo: pauses go before the claim, so that a crash between cannot hide them (H-49)', () => {
  const seen = facts({ cluster: cluster({ annotations: moving }), pausables: [deployment('true')], journal })
  const decision = next(at('Initializing', { direction: 'Undo' }), seen)
  assert.deepEqual(decision.kind === 'act' && decision.effects, [
    { kind: 'annotate', object: deployment().ref, annotations: { [annotations.hivePause]: null } },
  ])
})

test('source, Initializing, undo: former values come back and the claim goes', () => {
  const seen = facts({ cluster: cluster({ annotations: moving }), pausables: [deployment()], journal })
  const decision = next(at('Initializing', { direction: 'Undo' }), seen)
  assert.deepEqual(decision.kind === 'act' && decision.effects, [
    {
      kind: 'annotate',
      object: { kind: 'ManagedCluster', name: 'c1' },
      annotations: {
        [annotations.migration]: null,
        [annotations.migrating]: null,
        [annotations.klusterletConfig]: 'mine',
        [annotations.disableAutoImport]: null,
      },
    },
  ])
})

test('source, Initializing, undo: what somebody else changed meanwhile stays', () => {
  const seen = facts({
    cluster: cluster({ annotations: { ...moving, [annotations.klusterletConfig]: 'newer' } }),
    journal,
  })
  const decision = next(at('Initializing', { direction: 'Undo' }), seen)
  const [effect] = decision.kind === 'act' ? decision.effects : []
  assert.ok(effect?.kind === 'annotate' && !(annotations.klusterletConfig in effect.annotations))
})

test('source, Initializing, undo: a pause that the user had set before stays', () => {
  const had = { ...journal, [journalKey(deployment().ref, annotations.hivePause)]: '"true"' }
  const seen = facts({ cluster: cluster(), pausables: [deployment('true')], journal: had })
  assert.deepEqual(next(at('Initializing', { direction: 'Undo' }), seen), {
    kind: 'advance',
    stage: 'Initializing',
    to: 'Validating',
  })
})

test('source, Deploying: nothing is bundled without the key of the receiver', () => {
  assert.equal(next(at('Deploying', enter), facts({ sealTo: undefined })).kind, 'wait')
  assert.equal(next(at('Deploying', enter), facts()).kind, 'act')
  assert.equal(next(at('Deploying'), facts({ evidence: { bundle: 'b', digest: 'd' } })).kind, 'advance')
})

test('source, Registering: a cluster that lost the claim is not denied', () => {
  const decision = next(at('Registering', enter), facts({ cluster: cluster() }))
  assert.equal(decision.kind === 'compensate' && decision.code, 'ClusterConflict')
})

test('source, Registering: claimed and delivered, the hub denies it, once', () => {
  const decision = next(
    at('Registering', enter),
    facts({ cluster: cluster({ annotations: CLAIM }), evidence: delivered }),
  )
  assert.deepEqual(decision.kind === 'act' && decision.effects, [{ kind: 'deny' }])
  assert.equal(
    next(at('Registering'), facts({ cluster: cluster({ annotations: CLAIM, accepted: false }) })).kind,
    'advance',
  )
})

test('source, Cleaning: a cluster that was accepted again, or lost the claim, is never deleted', () => {
  for (const taken of [cluster({ annotations: CLAIM, accepted: true }), cluster({ accepted: false })]) {
    const decision = next(
      at('Cleaning'),
      facts({ cluster: taken, pausables: [deployment('true')], observabilityAddons: ['a'] }),
    )
    assert.equal(decision.kind === 'compensate' && decision.code, 'ClusterConflict')
  }
})

test('source, Cleaning: add-ons, then moved objects, then the cluster by its uid; gone is done', () => {
  const denied = facts({
    cluster: cluster({ annotations: CLAIM, accepted: false }),
    pausables: [deployment('true')],
    observabilityAddons: ['a'],
  })
  const kinds = [
    denied,
    { ...denied, observabilityAddons: [] },
    { ...denied, observabilityAddons: [], pausables: [] },
  ].map(seen => {
    const decision = next(at('Cleaning'), seen)
    return decision.kind === 'act' ? decision.effects : decision
  })
  assert.deepEqual(kinds, [
    [{ kind: 'deleteObservabilityAddon', name: 'a' }],
    [{ kind: 'release', object: deployment().ref }],
    [{ kind: 'detach', uid: 'mc-1' }],
  ])
  assert.equal(next(at('Cleaning'), facts({ cluster: undefined })).kind, 'wait')
  assert.deepEqual(next(at('Cleaning'), facts({ cluster: undefined, hasNamespace: false })), {
    kind: 'finish',
    stage: 'Cleaning',
    outcome: 'done',
  })
})

const lease = (uid: string, renewTime: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'managed-cluster-lease', namespace: 'c1', uid },
  spec: { renewTime },
})
const back = at('Registering', { direction: 'Undo' })

test('source, Registering, undo: accepts, deletes the stale lease, and waits for a renewal of a new one (H-53)', () => {
  const evidence = { denied: 'true' }
  const denied = facts({
    cluster: cluster({ annotations: moving, accepted: false }),
    lease: lease('old', 't1'),
    evidence,
  })
  assert.deepEqual(journalFor(denied, 'Registering', 'Undo'), { [STALE_LEASE]: '"old"' })
  const first = next(back, denied)
  assert.deepEqual(first.kind === 'act' && first.effects, [{ kind: 'accept' }])
  const accepted = { ...denied, cluster: cluster({ annotations: moving }), journal: { [STALE_LEASE]: '"old"' } }
  const second = next(back, accepted)
  assert.deepEqual(second.kind === 'act' && second.effects, [{ kind: 'deleteLease', uid: 'old' }])
  const recreated = { ...accepted, lease: lease('new', 't2') }
  assert.deepEqual(receiptsOf(recreated, 'Registering', 'Undo'), { leaseAtRollback: leaseMark(recreated.lease) ?? '' })
  const waiting = { ...recreated, evidence: { ...evidence, leaseAtRollback: 'new@t2' } }
  assert.equal(next(back, waiting).kind, 'wait')
  assert.equal(next(back, { ...waiting, lease: lease('new', 't3') }).kind, 'advance')
})

test('source, Registering, undo: a cluster that was never denied is left alone', () => {
  const seen = facts({ cluster: cluster({ annotations: moving }), lease: lease('old', 't1') })
  assert.deepEqual(journalFor(seen, 'Registering', 'Undo'), {})
  assert.equal(next(back, seen).kind, 'advance')
})
