/** The faults that a migration must live through, at real delays on a virtual clock. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { resources } from '@godwit/kube'
import { VirtualClock } from '@godwit/ports'
import { isTrue } from '../src/foreign/conditions.ts'
import { annotations, bootstrapServiceAccount, conditions, LEASE_NAME } from '../src/foreign/names.ts'
import { foreign } from '../src/foreign/resources.ts'
import type { ManagedCluster } from '../src/foreign/types.ts'
import type { FleetKnobs, HubKnobs, Label } from '../src/index.ts'
import { Operator } from './operator.ts'
import { startWorld, type World } from './world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const NAME = 'cluster-0001'

/** The target's own works stay ReadOnly, because auto-import stays disabled: the cluster remains in T1. */
const heldBack: Partial<HubKnobs> = { importControllerMode: 'readOnly' }

interface Scene extends World {
  readonly operator: Operator
  label(): Label | undefined
  hub(): string | undefined
  /** From S1 to the two-hub configuration, with the cluster copied to the target. */
  toS2(): Promise<void>
  toT1(): Promise<void>
}

describe('faults of a migration', () => {
  const scenes: World[] = []
  after(() => Promise.all(scenes.map(scene => scene.stop())))

  async function scene(hub: Partial<HubKnobs> = {}, knobs: Partial<FleetKnobs> = {}): Promise<Scene> {
    const clock = new VirtualClock()
    const world = await startWorld({ count: 1, hub, knobs, clock, isReal: true })
    scenes.push(world)
    const { fleet, names } = world
    const operator = new Operator(fleet, names, ['hub1', 'hub2'], () => world.pass(SECOND))
    await world.pass(10 * SECOND)
    assert.equal(fleet.klusterlet(NAME)?.label, 'S1')
    const toS2 = async () => {
      const kubeconfig = await operator.makeCredential()
      await operator.openTarget()
      await operator.announceTarget(kubeconfig)
      await operator.untilIn('S2', 'hub1')
      await operator.annotate(operator.source, { [annotations.disableAutoImport]: '' })
      await operator.copyToTarget([])
      await world.pass(30 * SECOND)
    }
    return {
      ...world,
      operator,
      label: () => fleet.klusterlet(NAME)?.label,
      hub: () => fleet.klusterlet(NAME)?.hub,
      toS2,
      toT1: async () => {
        await toS2()
        await operator.setAccepted(operator.source, false)
        await operator.untilIn('T1', 'hub2')
        await world.pass(10 * SECOND)
      },
    }
  }

  const cluster = ({ fleet }: Scene, hub: string) =>
    fleet.client(hub).get<ManagedCluster>(foreign.managedClusters, { name: NAME })
  const isAvailable = async (here: Scene, hub: string) => {
    const found = await cluster(here, hub)
    return found !== undefined && isTrue(found, conditions.available)
  }
  const revokeToken = ({ fleet }: Scene) =>
    fleet.globalClient.delete(foreign.managedServiceAccounts, { name: 'by-hand', namespace: 'hub2' })

  test('the source shows a cluster that left as available for five minutes', async () => {
    const here = await scene()
    await here.toT1()
    assert.equal(await isAvailable(here, 'hub2'), true)
    await here.pass(3 * MINUTE)
    assert.equal(await isAvailable(here, 'hub1'), true)
    await here.pass(3 * MINUTE)
    assert.equal(await isAvailable(here, 'hub1'), false)
    assert.equal(await isAvailable(here, 'hub2'), true)
  })

  test('a certificate that nobody approves keeps it waiting, and approval by hand frees it', async () => {
    const here = await scene({}, { hubs: { hub2: { csrApproval: 'manual' } } })
    await here.toS2()
    await here.operator.setAccepted(here.operator.source, false)
    await here.pass(30 * MINUTE)
    assert.equal(here.label(), 'B1')
    const { items } = await here.operator.target.list(resources.certificateSigningRequests)
    assert.equal(items.length, 1)
    await here.fleet.approve('hub2', items[0]?.metadata.name ?? '')
    await here.operator.untilIn('T1', 'hub2')
  })

  test('an unreachable target makes a refused agent crash until the source takes it back', async () => {
    const here = await scene({}, { klusterlet: { unreachableHubs: ['hub2'] } })
    await here.toS2()
    await here.operator.setAccepted(here.operator.source, false)
    await here.pass(10 * MINUTE)
    assert.ok(['CL', 'RS'].includes(here.label() ?? ''), here.label())
    await here.operator.setAccepted(here.operator.source, true)
    await here.operator.untilIn('S2', 'hub1')
    assert.equal(await isAvailable(here, 'hub1'), true)
  })

  test('a token revoked in B1 never leads anywhere; a restart finds that out', async () => {
    const here = await scene({}, { hubs: { hub2: { csrApproval: 'manual' } } })
    await here.toS2()
    await here.operator.setAccepted(here.operator.source, false)
    await here.operator.untilIn('B1', 'hub2')
    await here.pass(MINUTE)
    await revokeToken(here)
    await here.pass(MINUTE)
    const { items } = await here.operator.target.list(resources.certificateSigningRequests)
    await here.fleet.approve('hub2', items[0]?.metadata.name ?? '')
    await here.pass(10 * MINUTE)
    assert.equal(here.label(), 'B1')
    here.fleet.restartPod(NAME)
    await here.pass(MINUTE)
    assert.ok(['CL', 'RS'].includes(here.label() ?? ''), here.label())
  })

  test('a token revoked in T1 is not missed until the next restart', async () => {
    const here = await scene(heldBack)
    await here.toT1()
    await revokeToken(here)
    await here.pass(20 * MINUTE)
    assert.equal(here.label(), 'T1')
    assert.equal(await isAvailable(here, 'hub2'), true)
    here.fleet.restartPod(NAME)
    await here.pass(MINUTE)
    assert.ok(['CL', 'RS'].includes(here.label() ?? ''), 'neither bootstrap is valid any more')
  })

  test('the source accepting again does not call it back, and the target refusing does', async () => {
    const here = await scene(heldBack)
    await here.toT1()
    await here.operator.setAccepted(here.operator.source, true)
    await here.pass(20 * MINUTE)
    assert.equal(here.label(), 'T1')
    await here.operator.setAccepted(here.operator.target, false)
    await here.operator.untilIn('S2', 'hub1')
    const visited = here.fleet.klusterlet(NAME)?.history.map(entry => entry.label) ?? []
    assert.ok(visited.includes('B0'), 'it registers with the source anew')
    await here.pass(MINUTE)
    assert.equal(await isAvailable(here, 'hub1'), true)
  })

  test('a target that goes silent is left after the hub connection timeout', async () => {
    const here = await scene(heldBack)
    await here.toT1()
    await here.operator.setAccepted(here.operator.source, true)
    here.fleet.adjust(NAME, { unreachableHubs: ['hub2'] })
    await here.pass(8 * MINUTE)
    assert.equal(here.label(), 'T1')
    await here.pass(5 * MINUTE)
    assert.equal(here.label(), 'S2')
    assert.equal(here.hub(), 'hub1')
  })

  // Twenty minutes stand for the hour that the work agent grants by default.
  const quickEviction = { klusterlet: { evictionGraceMs: 20 * MINUTE } }

  test('works that stay ReadOnly on the target cost the klusterlet its life when those of the source are evicted', async () => {
    const here = await scene(heldBack, quickEviction)
    await here.toT1()
    await here.pass(15 * MINUTE)
    assert.equal(here.label(), 'T1')
    await here.pass(10 * MINUTE)
    assert.equal(here.label(), 'removed')
  })

  test('a connected cluster deleted on the target loses its klusterlet, one with ReadOnly works does not', async () => {
    const here = await scene({ importControllerMode: 'legacy' }, quickEviction)
    await here.toT1()
    await here.pass(5 * MINUTE)
    await here.operator.target.delete(foreign.managedClusters, { name: NAME })
    await here.pass(5 * MINUTE)
    assert.equal(await cluster(here, 'hub2'), undefined)
    assert.equal(here.label(), 'T2', 'the works of the source still own the definitions')
    await here.pass(15 * MINUTE)
    assert.equal(here.label(), 'removed')

    const other = await scene(heldBack)
    await other.toT1()
    await other.operator.setAccepted(other.operator.source, true)
    await other.operator.target.delete(foreign.managedClusters, { name: NAME })
    await other.pass(8 * MINUTE)
    assert.equal(other.label(), 'T1', 'deletion alone tells the agent nothing')
  })

  test('a source without the cluster counts as valid as long as its bootstrap identity lives', async () => {
    const here = await scene(heldBack)
    await here.toT1()
    await revokeToken(here)
    await here.operator.source.delete(foreign.managedClusters, { name: NAME })
    await here.pass(MINUTE)
    assert.equal(await cluster(here, 'hub1'), undefined)
    assert.equal(await here.operator.source.get(resources.namespaces, { name: NAME }), undefined)
    here.fleet.restartPod(NAME)
    await here.pass(MINUTE)
    assert.ok(['CL', 'RS'].includes(here.label() ?? ''), 'its identity went with the namespace')
    assert.equal(await cluster(here, 'hub1'), undefined)
  })

  test('a namespace that is kept lets the cluster return to the source and re-create itself there', async () => {
    const here = await scene(heldBack)
    await here.toT1()
    await revokeToken(here)
    const retain = { metadata: { annotations: { [annotations.retainNamespace]: '' } } }
    await here.operator.source.patch(resources.namespaces, { name: NAME }, retain)
    await here.operator.source.delete(foreign.managedClusters, { name: NAME })
    await here.pass(MINUTE)
    const account = { name: bootstrapServiceAccount(NAME), namespace: NAME }
    assert.ok(await here.operator.source.get(resources.serviceAccounts, account))
    here.fleet.restartPod(NAME)
    await here.pass(MINUTE)
    assert.equal((await cluster(here, 'hub1'))?.spec.hubAcceptsClient, false)
  })

  test('a deleted lease gives a silent cluster another five minutes', async () => {
    const here = await scene()
    await here.toT1()
    await here.pass(4 * MINUTE)
    await here.operator.source.delete(resources.leases, { name: LEASE_NAME, namespace: NAME })
    await here.pass(4 * MINUTE)
    assert.equal(await isAvailable(here, 'hub1'), true)
    await here.pass(2 * MINUTE)
    assert.equal(await isAvailable(here, 'hub1'), false)
  })

  test('a cluster whose works never apply stays in S1 whatever the hub wants', async () => {
    const here = await scene({}, { overrides: { [NAME]: { neverAppliesConfig: true } } })
    const kubeconfig = await here.operator.makeCredential()
    await here.operator.announceTarget(kubeconfig)
    await here.pass(10 * MINUTE)
    assert.equal(here.label(), 'S1')
    await here.operator.setAccepted(here.operator.source, false)
    await here.pass(MINUTE)
    assert.equal(here.label(), 'SX')
  })

  test('failures by chance delay the move but do not prevent it, and the same seed repeats it exactly', async () => {
    const failures = { apply: 0.3, probe: 0.3, request: 0.3, kill: 0.05 }
    const run = async () => {
      const here = await scene({}, { klusterlet: { failures } })
      await here.toT1()
      const { history = [] } = here.fleet.klusterlet(NAME) ?? {}
      return history.map(({ atMs, label, hub }) => `${atMs} ${label} ${hub}`)
    }
    const first = await run()
    assert.deepEqual(await run(), first)
    assert.ok(first.length > 6, first.join('\n'))
  })
})
