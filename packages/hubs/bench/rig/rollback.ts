/** A migration that is held in one stage with all its clusters, and then taken back. */
import type { KlusterletKnobs } from '@godwit/simulation'
import type { ClusterCounts } from '../../src/index.ts'
import { cancel, create, named, Observer } from './migrations.ts'
import { startAgent, startController } from './parties.ts'
import { agentOf, World } from './world.ts'

export const STAGES = ['Initializing', 'Deploying', 'Registering'] as const
export type Stage = (typeof STAGES)[number]

/** Where the clusters are counted while they are held. */
const COUNTED: Readonly<Record<Stage, keyof ClusterCounts>> = {
  Initializing: 'initializing',
  Deploying: 'deploying',
  Registering: 'registering',
}

/** What keeps clusters from leaving the stage; for Deploying it is a target hub that takes no cluster. */
const HELD_BY: Readonly<Record<Stage, Partial<KlusterletKnobs>>> = {
  Initializing: { neverAppliesConfig: true },
  Deploying: {},
  Registering: { unreachableHubs: ['hub2'], crashLoopMaxMs: 1000 },
}

/** That a klusterlet is back shows in the renewal of its lease. */
export const LEASE_SECONDS = 5

/** Seconds from the deletion of the migration until every cluster was as before and the object gone. */
export async function measureRollback(stage: Stage, clusters: number): Promise<number> {
  const world = await World.start({
    hubs: { hub1: clusters, hub2: 0 },
    klusterlet: HELD_BY[stage],
    leaseDurationSeconds: LEASE_SECONDS,
  })
  const parties = [await startController(world), await startAgent(world, 'hub1'), await startAgent(world, 'hub2')]
  await Promise.all(parties.map(party => party.logged('recovered, nothing is under way')))
  const observer = new Observer(world.globalHub)
  const release = stage === 'Deploying' ? refuseClusters(world) : () => undefined
  await create(world.globalHub, { name: 'move', from: 'hub1', to: 'hub2', clusters: world.names['hub1'] ?? [] })
  const isHeld = named('move', ({ status }) => status?.clusters?.[COUNTED[stage]] === clusters)
  await observer.until(`all clusters in ${stage}`, isHeld, 120_000)
  release()
  const startedAt = performance.now()
  await cancel(world.globalHub, 'move')
  await observer.until('the end of the rollback', all => all.length === 0, 120_000)
  const seconds = (performance.now() - startedAt) / 1000
  await observer.stop()
  await Promise.all(parties.map(party => party.stop()))
  await world.stop()
  return seconds
}

function refuseClusters(world: World): () => void {
  return (
    world.servers.get('hub2')?.faults.add({
      verbs: ['create'],
      resources: ['managedclusters'],
      users: [agentOf('hub2')],
      effect: { kind: 'status', code: 503 },
    }) ?? (() => undefined)
  )
}
