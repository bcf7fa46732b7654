/** The demo of hubs: real clusters would take no other way. Kills what carries them, and looks at the end for itself. */
import { readFile } from 'node:fs/promises'
import { godwit, isTerminal, type ManagedClusterMigration, type Phase } from '@godwit/hubs'
import { Informer } from '@godwit/kube'
import { systemClock, systemRandom } from '@godwit/ports'
import { residue, verifyMoved } from '@godwit/simulation'
import { parse } from 'yaml'
import type { DemoResult } from '../summary.ts'
import { type Kill, KillPlan } from './kill-plan.ts'
import { Parties } from './processes.ts'
import { startWorld, type World } from './world.ts'

export interface DemoOptions {
  readonly items: number
  readonly kills: readonly Kill[]
}

/** What the renderer is told. */
export interface Progress {
  onStart(world: World): void
  onMigration(migration: ManagedClusterMigration): void
  log(line: string): void
}

export interface Finished {
  readonly result: DemoResult
  readonly world: World
  stop(): Promise<void>
}

/** Far more than it takes, also on a slow machine: for the first clusters, and for each. */
const TIMEOUT_MS = 240_000
const TIMEOUT_MS_PER_ITEM = 200
const SETTLE_MS = 10_000
const manifest = new URL('../../examples/migrate-300.yaml', import.meta.url)

export async function runHubsDemo(options: DemoOptions, progress: Progress): Promise<Finished> {
  const world = await startWorld(options.items)
  progress.onStart(world)
  let recoveries = 0
  const parties = new Parties(world, {
    onRecovered: (party, { msg, ...fields }) => {
      recoveries++
      progress.log(`${party}: ${msg ?? ''} ${summary(fields)}`)
    },
    onProblem: (party, text) => progress.log(`${party}: ${text}`),
  })
  for (const party of ['controller', 'source', 'target'] as const) parties.start(party)
  const plan = new KillPlan(options.kills)
  const startedAt = systemClock.now()
  const end = await migrate(world, plan, parties, progress)
  const seconds = (systemClock.now() - startedAt) / 1000
  const violations = await settled(world, parties)
  const result: DemoResult = {
    items: options.items,
    completed: end.status?.clusters?.completed ?? 0,
    failed: end.status?.clusters?.failed ?? 0,
    seconds: Math.round(seconds * 10) / 10,
    kills: options.kills.length - plan.open.length,
    recoveries,
    apiCallsPerItem: Math.round((sum(world.calls.values()) / options.items) * 10) / 10,
    residue: (await residue(world.fleet)).map(({ hub, kind, name, what }) => `${hub}: ${kind} ${name}: ${what}`),
    violations: [
      ...(end.status?.phase === 'Completed' ? [] : [`the migration ended ${end.status?.phase}`]),
      ...plan.open.map(({ who, stage }) => `${who} could not be killed in ${stage}: that stage never came`),
      ...parties.unrecovered.map(party => `${party} was killed and never said what it recovered`),
      ...violations,
    ],
  }
  const stop = async () => {
    await parties.stop()
    await world.stop()
  }
  return { result, world, stop }
}

/** The manifest as a user wrote it; another number of clusters replaces its list. */
export async function readManifest(names: readonly string[]): Promise<ManagedClusterMigration> {
  const migration: ManagedClusterMigration = parse(await readFile(manifest, 'utf8'))
  const { from = '', to = '' } = migration.spec ?? {}
  return { ...migration, spec: { from, to, includedManagedClusters: [...names] } }
}

async function migrate(
  world: World,
  plan: KillPlan,
  parties: Parties,
  progress: Progress,
): Promise<ManagedClusterMigration> {
  const wanted = await readManifest(world.names)
  const { name, namespace = '' } = wanted.metadata
  const informer = new Informer<ManagedClusterMigration>({
    client: world.globalHub,
    resource: godwit.migrations,
    namespace,
    clock: systemClock,
    random: systemRandom,
  })
  const ended = Promise.withResolvers<ManagedClusterMigration>()
  const limitMs = TIMEOUT_MS + world.names.length * TIMEOUT_MS_PER_ITEM
  const cancel = systemClock.after(limitMs, () =>
    ended.reject(new Error(`the migration did not end in ${limitMs / 1000} s`)),
  )
  informer.onChange(({ object }) => {
    if (object.metadata.name !== name) return
    progress.onMigration(object)
    const phase: Phase | undefined = object.status?.phase
    for (const kill of plan.due(phase)) strike(kill, parties, progress)
    if (isTerminal(phase)) ended.resolve(object)
  })
  informer.start()
  try {
    await world.globalHub.apply(godwit.migrations, wanted)
    return await ended.promise
  } finally {
    cancel()
    await informer.stop()
  }
}

function strike({ who, stage }: Kill, parties: Parties, progress: Progress): void {
  progress.log(`kill -9 ${who} in ${stage}, start it again`)
  parties.killAndRestart(who).catch(error => progress.log(`${who}: ${error}`))
}

/** Foreign controllers may still be tidying up after the last phase: looked at again until it is true, or for long enough. */
async function settled(world: World, parties: Parties): Promise<string[]> {
  const deadline = systemClock.now() + SETTLE_MS
  for (;;) {
    const { names, fleet, snapshot } = world
    const violations = await verifyMoved(fleet, { names, from: 'hub1', to: 'hub2', snapshot })
    const isSettled = violations.length === 0 && parties.unrecovered.length === 0
    if (isSettled || systemClock.now() > deadline) return violations.map(({ cluster, what }) => `${cluster}: ${what}`)
    await new Promise<void>(resolve => systemClock.after(200, resolve))
  }
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0)

const summary = (fields: Readonly<Record<string, unknown>>) =>
  Object.entries(fields)
    .filter(([key]) => !['level', 'time', 'component', 'hub'].includes(key))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(' ')
