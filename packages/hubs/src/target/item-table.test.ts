import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cursor, decide } from '@godwit/core'
import {
  annotations,
  type CertificateSigningRequest,
  labels,
  type ManagedCluster,
  type ManifestWork,
  type StageName,
} from '../api/index.ts'
import { receiptsOf, type TargetItemFacts } from './item-facts.ts'
import { targetItemTable } from './item-table.ts'

const UID = 'uid-1'
const MARK = { [annotations.migration]: UID }

function cluster(
  over: {
    annotations?: Record<string, string>
    conditions?: Record<string, string>
    accepted?: boolean
    deleting?: boolean
  } = {},
): ManagedCluster {
  const conditions = { HubAcceptedManagedCluster: 'True', ...over.conditions }
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: {
      name: 'c1',
      uid: 'mc-2',
      annotations: over.annotations ?? MARK,
      ...(over.deleting && { deletionTimestamp: 'now' }),
    },
    spec: { hubAcceptsClient: over.accepted ?? true },
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  }
}

const work = (over: { managed?: boolean; readOnly?: boolean } = {}): ManifestWork => ({
  apiVersion: 'work.open-cluster-management.io/v1',
  kind: 'ManifestWork',
  metadata: {
    name: 'c1-klusterlet',
    generation: 1,
    labels: over.managed === false ? {} : { [labels.klusterletWorks]: 'true' },
  },
  spec: { manifestConfigs: over.readOnly ? [{ updateStrategy: { type: 'ReadOnly' } }] : [] },
  status: { conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }] },
})

const lease = (renewTime: string, uid = 'l1') => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'managed-cluster-lease', uid },
  spec: { renewTime },
})

const request = (status: CertificateSigningRequest['status']): CertificateSigningRequest => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'csr-1' },
  ...(status && { status }),
})
const issued = request({ conditions: [{ type: 'Approved', status: 'True' }], certificate: 'issued' })

const facts = (over: Partial<TargetItemFacts> = {}): TargetItemFacts => ({
  name: 'c1',
  migrationUid: UID,
  journal: {},
  evidence: {},
  bundle: { secret: 'b', digest: 'd' },
  cluster: undefined,
  namespace: undefined,
  work: undefined,
  lease: undefined,
  ownBootstrapRequests: [],
  usesMigrationCredential: false,
  ...over,
})

const at = (stage: StageName, over: Partial<Cursor<StageName>> = {}): Cursor<StageName> => ({
  stage,
  direction: 'Forward',
  entered: true,
  ...over,
})
const next = (cursor: Cursor<StageName>, seen: TargetItemFacts) => decide(targetItemTable, cursor, seen, 0)
const kindOf = (cursor: Cursor<StageName>, seen: TargetItemFacts) => next(cursor, seen).kind

const unmarked = (over: Parameters<typeof cluster>[0] = {}) => cluster({ annotations: {}, ...over })

test('target: a foreign cluster of that name refuses every stage that would write (H-28, H-44)', () => {
  for (const foreign of [
    cluster({ annotations: { [annotations.migration]: 'another' } }),
    unmarked({ conditions: { ManagedClusterJoined: 'True' } }),
  ])
    for (const stage of ['Validating', 'Initializing', 'Deploying'] as const) {
      const decision = next(at(stage, { entered: false }), facts({ cluster: foreign }))
      assert.equal(decision.kind === 'compensate' && decision.code, 'ClusterConflict')
    }
  assert.equal(kindOf(at('Validating', { entered: false }), facts({ cluster: unmarked() })), 'compensate')
})

const CAME = { usesMigrationCredential: true, cluster: unmarked() }

test('target, Deploying: a cluster that just appeared is waited for until it shows whose it is', () => {
  assert.equal(kindOf(at('Deploying', { entered: false }), facts({ cluster: unmarked() })), 'wait')
  assert.equal(kindOf(at('Deploying'), facts({ cluster: unmarked() })), 'wait')
})

test("target, Deploying: a cluster whose klusterlet came of itself is the migration's own from then on", () => {
  const decision = next(at('Deploying', { entered: false }), facts(CAME))
  assert.deepEqual(decision.kind === 'act' && decision.effects, [{ kind: 'adopt', resourceVersion: '' }])
  const adopted = next(at('Deploying'), facts({ ...CAME, cluster: cluster() }))
  assert.deepEqual(adopted.kind === 'act' && adopted.effects, [{ kind: 'applyBundle', secret: 'b', digest: 'd' }])
})

test('target, undo of Deploying: a klusterlet that came of itself is denied before anything is deleted', () => {
  const undoing = (over: Partial<TargetItemFacts>) => {
    const decision = next(at('Deploying', { direction: 'Undo' }), facts({ ...CAME, ...over }))
    return decision.kind === 'act' ? decision.effects.map(({ kind }) => kind) : decision
  }
  assert.deepEqual(undoing({}), ['adopt'])
  assert.deepEqual(undoing({ cluster: cluster() }), ['deny'])
  assert.deepEqual(undoing({ cluster: cluster({ accepted: false }) }), ['withdraw'])
  const evidence = { came: 'true' }
  assert.deepEqual(undoing({ cluster: cluster(), evidence, usesMigrationCredential: false }), ['deny'])
})

test('target, undo of Deploying: a klusterlet that has the own bootstrap of the hub already is not denied', () => {
  const seen = facts({ ...CAME, cluster: cluster(), work: work() })
  const decision = next(at('Deploying', { direction: 'Undo' }), seen)
  assert.equal(decision.kind === 'ask' && decision.code, 'ClusterJoined')
  assert.deepEqual(receiptsOf(seen), { came: 'true', takenOver: 'true' })
})

test('target: a namespace that still terminates is waited for', () => {
  assert.equal(
    kindOf(
      at('Validating', { entered: false }),
      facts({ namespace: { isOurs: false, isTerminating: true, isRetained: false } }),
    ),
    'wait',
  )
})

test('target: a foreign namespace is refused unless the hub keeps it: taking the cluster back would delete it', () => {
  const foreign = { isOurs: false, isTerminating: false, isRetained: false }
  const decision = next(at('Validating', { entered: false }), facts({ namespace: foreign }))
  assert.equal(decision.kind === 'compensate' && decision.code, 'ClusterConflict')
  for (const namespace of [
    { ...foreign, isRetained: true },
    { ...foreign, isOurs: true },
  ])
    assert.equal(kindOf(at('Validating', { entered: false }), facts({ namespace })), 'advance')
})

test('target, Deploying: the bundle is applied once, and proven by digest, acceptance and lease', () => {
  const first = next(at('Deploying'), facts())
  assert.deepEqual(first.kind === 'act' && first.effects, [{ kind: 'applyBundle', secret: 'b', digest: 'd' }])
  const applied = { evidence: { applied: 'd' } }
  assert.equal(
    kindOf(
      at('Deploying'),
      facts({ ...applied, cluster: cluster({ conditions: { HubAcceptedManagedCluster: 'False' } }) }),
    ),
    'wait',
  )
  assert.equal(kindOf(at('Deploying'), facts({ ...applied, cluster: cluster() })), 'wait')
  assert.equal(
    kindOf(at('Deploying'), facts({ evidence: { applied: 'd', leaseAtDeploy: 'l1@t0' }, cluster: cluster() })),
    'advance',
  )
  assert.equal(
    kindOf(at('Deploying'), facts({ evidence: { applied: 'other', leaseAtDeploy: 'l1@t0' }, cluster: cluster() })),
    'act',
  )
})

test('target: the lease at deployment is taken once, and again when the hub made another one', () => {
  assert.deepEqual(receiptsOf(facts({ cluster: cluster(), lease: lease('t0') })), { leaseAtDeploy: 'l1@t0' })
  assert.deepEqual(
    receiptsOf(facts({ cluster: cluster(), lease: lease('t1'), evidence: { leaseAtDeploy: 'l1@t0' } })),
    {},
  )
  assert.deepEqual(
    receiptsOf(facts({ cluster: cluster(), lease: lease('t1', 'l2'), evidence: { leaseAtDeploy: 'l1@t0' } })),
    { leaseAtDeploy: 'l2@t1' },
  )
  assert.deepEqual(receiptsOf(facts({ cluster: cluster({ annotations: {} }), lease: lease('t0') })), {})
})

const joined = facts({
  cluster: cluster({ conditions: { ManagedClusterConditionAvailable: 'True' } }),
  lease: lease('t1'),
  work: work(),
  evidence: { applied: 'd', leaseAtDeploy: 'l1@t0' },
})

test('target, Registering: proven only by a renewed lease, Available and an applied work together', () => {
  assert.equal(kindOf(at('Registering'), joined), 'advance')
  assert.equal(kindOf(at('Registering'), { ...joined, lease: lease('t0') }), 'wait')
  assert.equal(kindOf(at('Registering'), { ...joined, cluster: cluster() }), 'wait')
  assert.equal(kindOf(at('Registering'), { ...joined, work: undefined }), 'wait')
  assert.equal(kindOf(at('Registering'), { ...joined, cluster: undefined }), 'compensate')
})

test('target, Cleaning: imports run again before anything else', () => {
  const held = { ...joined, cluster: cluster({ annotations: { ...MARK, [annotations.disableAutoImport]: '' } }) }
  const decision = next(at('Cleaning'), held)
  assert.deepEqual(decision.kind === 'act' && decision.effects, [{ kind: 'enableAutoImport' }])
})

test('target, Cleaning: imports that the user had disabled stay disabled', () => {
  const kept = { ...MARK, [annotations.disableAutoImport]: '', [annotations.keepDisableAutoImport]: 'true' }
  assert.notEqual(kindOf(at('Cleaning'), { ...joined, cluster: cluster({ annotations: kept }) }), 'act')
})

const own = { ManagedClusterConditionAvailable: 'True', ManagedClusterImportSucceeded: 'True' }
const usesOwn = {
  ...joined,
  cluster: cluster({ conditions: own }),
  evidence: { ...joined.evidence, ownBootstrap: 'csr-1' },
}

test("target, Cleaning: marks go only once the klusterlet uses the hub's own bootstrap (H-32, H-54, H-55, H-58)", () => {
  assert.equal(kindOf(at('Cleaning'), joined), 'wait')
  assert.equal(kindOf(at('Cleaning'), { ...usesOwn, work: work({ readOnly: true }) }), 'wait')
  assert.equal(kindOf(at('Cleaning'), { ...usesOwn, evidence: joined.evidence }), 'wait')
  assert.equal(kindOf(at('Cleaning'), { ...usesOwn, cluster: joined.cluster }), 'wait')
  assert.equal(kindOf(at('Cleaning'), usesOwn), 'act')
  assert.equal(kindOf(at('Cleaning'), { ...usesOwn, cluster: cluster({ annotations: {}, conditions: own }) }), 'finish')
})

test('target, Cleaning: without an import controller there is no other bootstrap to wait for', () => {
  assert.equal(kindOf(at('Cleaning'), { ...joined, work: work({ managed: false }) }), 'act')
})

test('target: an issued certificate request of the own bootstrap account is kept as a receipt, a pending one is not', () => {
  assert.equal(receiptsOf({ ...joined, ownBootstrapRequests: [request(undefined)] })['ownBootstrap'], undefined)
  assert.equal(receiptsOf({ ...joined, ownBootstrapRequests: [issued] })['ownBootstrap'], 'csr-1')
})

test('target, Deploying, undo: only what this migration made is withdrawn, and it is proven gone', () => {
  const undo = at('Deploying', { direction: 'Undo' })
  assert.equal(kindOf(undo, facts({ cluster: cluster({ annotations: {} }) })), 'advance')
  const ours = next(
    undo,
    facts({ cluster: cluster(), namespace: { isOurs: true, isTerminating: false, isRetained: false } }),
  )
  assert.deepEqual(ours.kind === 'act' && ours.effects, [{ kind: 'withdraw' }])
  assert.equal(
    kindOf(
      undo,
      facts({
        cluster: cluster({ deleting: true }),
        namespace: { isOurs: true, isTerminating: true, isRetained: false },
      }),
    ),
    'wait',
  )
  assert.equal(kindOf(undo, facts({ namespace: { isOurs: true, isTerminating: true, isRetained: false } })), 'wait')
  assert.equal(kindOf(undo, facts()), 'advance')
})

test('target, Deploying, undo: a connected cluster is not deleted: it would lose its klusterlet (H-52)', () => {
  const decision = next(at('Deploying', { direction: 'Undo' }), joined)
  assert.equal(decision.kind === 'ask' && decision.code, 'ClusterJoined')
  assert.equal(
    kindOf(at('Deploying', { direction: 'Undo' }), { ...joined, cluster: cluster({ accepted: false }) }),
    'act',
  )
})

const undoRegistering = at('Registering', { direction: 'Undo' })

test('target, Registering, undo: the hub denies the cluster so that the klusterlet leaves', () => {
  for (const seen of [
    { ...joined, work: work({ readOnly: true }) },
    { ...joined, work: work({ managed: false }) },
  ]) {
    const decision = next(undoRegistering, seen)
    assert.deepEqual(decision.kind === 'act' && decision.effects, [{ kind: 'deny' }])
  }
})

test('target, Registering, undo: a klusterlet that knows this hub alone is not denied: it would belong to nobody', () => {
  const takenOver = [
    joined,
    { ...joined, work: work({ readOnly: true }), evidence: { ...joined.evidence, ownBootstrap: 'csr-1' } },
    { ...joined, work: undefined, evidence: { ...joined.evidence, takenOver: 'true' } },
  ]
  for (const seen of takenOver) {
    const decision = next(undoRegistering, seen)
    assert.equal(decision.kind === 'ask' && decision.code, 'ClusterJoined')
  }
  assert.equal(receiptsOf(joined)['takenOver'], 'true')
  assert.equal(receiptsOf({ ...joined, work: work({ readOnly: true }) })['takenOver'], undefined)
})
