/**
 * Controller and agents as real processes, over TLS with exactly the shipped roles. Each stage is held where it is by a
 * world that refuses one write, until every process was killed there and has said what it recovered.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { godwit, isTerminal, type ManagedCluster, type ManagedClusterMigration, ocm, type Phase } from '@godwit/hubs'
import type { FaultTarget } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'
import { residue, takeSnapshot, verifyMoved } from '@godwit/simulation'
import { PARTIES, Parties } from '../../demo/hubs/processes.ts'
import { startWorld, type World } from '../../demo/hubs/world.ts'

const NAMESPACE = 'multicluster-global-hub'
const SOURCE = 'godwit-agent-hub1'
const TARGET = 'godwit-agent-hub2'
const PER_MIGRATION = 2
const WITHIN_MS = 120_000

/** A write that the world refuses, for as long as it is held; `unreachable`: the klusterlets cannot reach hub2. */
type Hold = { readonly at: 'global' | 'hub1' | 'hub2'; readonly target: FaultTarget } | 'unreachable'
type ForwardStage = 'Validating' | 'Initializing' | 'Deploying' | 'Registering' | 'Cleaning'

const HOLDS: Readonly<Record<ForwardStage, Hold>> = {
  Validating: {
    at: 'global',
    target: { users: [TARGET], verbs: ['patch', 'update'], resources: ['migrationtasks/status'] },
  },
  Initializing: {
    at: 'hub1',
    target: { users: [SOURCE], verbs: ['create', 'patch'], resources: ['klusterletconfigs'] },
  },
  Deploying: { at: 'hub2', target: { users: [TARGET], verbs: ['create', 'patch'], resources: ['managedclusters'] } },
  Registering: 'unreachable',
  Cleaning: { at: 'hub1', target: { users: [SOURCE], verbs: ['delete'], resources: ['managedclusters'] } },
}

/** What the undo of each stage needs at some point; refusing it holds the rollback. */
const UNDO_HOLDS: Readonly<Record<'Initializing' | 'Deploying' | 'Registering', Hold>> = {
  Initializing: {
    at: 'global',
    target: { users: [SOURCE], verbs: ['patch', 'update'], resources: ['migrationtasks/status'] },
  },
  Deploying: { at: 'hub1', target: { users: [SOURCE], verbs: ['patch', 'update'], resources: ['managedclusters'] } },
  Registering: { at: 'hub1', target: { users: [SOURCE], verbs: ['patch', 'update'], resources: ['managedclusters'] } },
}

describe('each process is killed with SIGKILL in each stage', { concurrency: 1 }, () => {
  let world: World
  let parties: Parties
  let recovered: string[] = []
  let unused: string[] = []

  before(async () => {
    world = await startWorld(PER_MIGRATION * (Object.keys(HOLDS).length + Object.keys(UNDO_HOLDS).length))
    unused = [...world.names]
    parties = new Parties(world, {
      onRecovered: party => recovered.push(party),
      onProblem: (party, text) => console.log(party, text),
    })
    for (const party of PARTIES) parties.start(party)
  })
  after(async () => {
    await parties?.stop()
    await world?.stop()
  })

  for (const stage of Object.keys(HOLDS) as ForwardStage[])
    test(`in ${stage}, and the clusters arrive whole`, async () => {
      const { name, names } = begin(`forward-${stage.toLowerCase()}`)
      const snapshot = await takeSnapshot(world.fleet.client('hub1'), names)
      const release = hold(HOLDS[stage], names)
      await migrate(name, names)
      await untilPhase(name, stage)
      await killEach()
      assert.equal((await read(name))?.status?.phase, stage, 'held where it was')
      release()
      const end = await until(`${name} has ended`, async () => {
        const migration = await read(name)
        return isTerminal(migration?.status?.phase) ? migration : undefined
      })
      assert.equal(end.status?.phase, 'Completed', JSON.stringify(end.status))
      await untilNone(() => verifyMoved(world.fleet, { names: names, from: 'hub1', to: 'hub2', snapshot }))
      await untilNone(() => residue(world.fleet))
    })

  for (const stage of Object.keys(UNDO_HOLDS) as (keyof typeof UNDO_HOLDS)[])
    test(`in the rollback of ${stage}, and the clusters are as they were`, async () => {
      const { name, names } = begin(`back-${stage.toLowerCase()}`)
      const snapshot = await takeSnapshot(world.fleet.client('hub1'), names)
      const release = hold(HOLDS[stage], names)
      await migrate(name, names)
      await untilPhase(name, stage)
      if (stage === 'Registering') await untilDenied(names)
      const releaseUndo = hold(UNDO_HOLDS[stage], names)
      await world.globalHub.delete(godwit.migrations, { name, namespace: NAMESPACE })
      await untilPhase(name, 'Rollbacking')
      await killEach()
      assert.equal((await read(name))?.status?.phase, 'Rollbacking', 'held where it was')
      release()
      releaseUndo()
      await until(`${name} is gone`, async () => ((await read(name)) ? undefined : true))
      assert.deepEqual(await takeSnapshot(world.fleet.client('hub1'), names), snapshot)
      const hubs = () => names.map(cluster => world.fleet.klusterlet(cluster)?.hub)
      await until('no klusterlet restarts', async () => (hubs().includes(undefined) ? undefined : true))
      for (const hub of hubs()) assert.equal(hub, 'hub1')
      await untilNone(() => residue(world.fleet))
    })

  function begin(name: string) {
    recovered = []
    return { name, names: unused.splice(0, PER_MIGRATION) }
  }

  function hold(wanted: Hold, names: readonly string[]): () => void {
    if (wanted !== 'unreachable')
      return world.servers[wanted.at].faults.add({ ...wanted.target, effect: { kind: 'status', code: 503 } })
    for (const name of names) world.fleet.adjust(name, { unreachableHubs: ['hub2'] })
    return () => {
      for (const name of names) world.fleet.adjust(name, { unreachableHubs: [] })
    }
  }

  async function migrate(name: string, names: readonly string[]): Promise<void> {
    const { group, version, kind } = godwit.migrations
    await world.globalHub.create<ManagedClusterMigration>(godwit.migrations, {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name, namespace: NAMESPACE },
      spec: { from: 'hub1', to: 'hub2', includedManagedClusters: [...names] },
    })
  }

  const read = (name: string) =>
    world.globalHub.get<ManagedClusterMigration>(godwit.migrations, { name, namespace: NAMESPACE })

  const untilPhase = (name: string, phase: Phase) =>
    until(`${name} is ${phase}`, async () => ((await read(name))?.status?.phase === phase ? true : undefined))

  const untilDenied = (names: readonly string[]) =>
    until('the source denies the clusters', async () => {
      const { items } = await world.fleet.client('hub1').list<ManagedCluster>(ocm.managedClusters)
      const denied = items.filter(
        ({ metadata, spec }) => names.includes(metadata.name) && spec?.hubAcceptsClient === false,
      )
      return denied.length === names.length ? true : undefined
    })

  async function killEach(): Promise<void> {
    await Promise.all(PARTIES.map(party => parties.killAndRestart(party)))
    await until('all said what they recovered', async () => (parties.unrecovered.length === 0 ? true : undefined))
    assert.deepEqual([...recovered].sort(), [...PARTIES].sort())
  }

  async function untilNone<T>(find: () => Promise<readonly T[]>): Promise<void> {
    let found: readonly T[] = []
    await until(
      () => JSON.stringify(found),
      async () => {
        found = await find()
        return found.length === 0 ? true : undefined
      },
    )
  }

  async function until<T>(what: string | (() => string), look: () => Promise<T | undefined>): Promise<T> {
    const deadlineAt = systemClock.now() + WITHIN_MS
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      if (systemClock.now() > deadlineAt) assert.fail(`not in time: ${typeof what === 'string' ? what : what()}`)
      await new Promise<void>(resolve => systemClock.after(50, resolve))
    }
  }
})
