/** Judges the end of a run: by the hubs and klusterlets first, by what the migration says of itself second. */
import { GLOBAL_HUB_NAMESPACE, isTerminal, type ManagedCluster, type ManagedClusterMigration, ocm } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import { residue, takeSnapshot, verifyMoved } from '@godwit/simulation'
import { differences, type Inventory, ofCluster, takeInventory } from './inventory.ts'
import { type HubsWorld, MIGRATION } from './world.ts'
import { BYSTANDER } from './world-image.ts'

/** What must not depend on who died when. */
export interface EndState {
  readonly phase: string | undefined
  readonly conditions: readonly string[]
  readonly clusters: unknown
  readonly residue: readonly string[]
  readonly result: unknown
  readonly owners: Readonly<Record<string, string | undefined>>
  readonly hub1: Inventory
  readonly hub2: Inventory
}

export interface Verdict {
  readonly state: EndState
  /** Empty: nothing to complain about. */
  readonly failures: readonly string[]
}

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> }

/** What a judge must know besides the world. */
export interface Case {
  /** Of the migration. */
  readonly uid: string
  /** Made by somebody else, under a name that the migration would take. */
  readonly isForeign?: (kind: string, name: string) => boolean
}

export async function judge(world: HubsWorld, before: Inventory, { uid, isForeign }: Case): Promise<Verdict> {
  const { clients, fleet } = world
  const migration = world.migration()
  const owners = Object.fromEntries(world.names.map(name => [name, fleet.klusterlet(name)?.hub]))
  const result = await clients.global.get<ConfigMap>(resources.configMaps, {
    name: MIGRATION,
    namespace: GLOBAL_HUB_NAMESPACE,
  })
  const state: EndState = {
    phase: migration?.status?.phase,
    conditions: conditionsOf(migration),
    clusters: migration?.status?.clusters,
    residue: migration?.status?.residue ?? [],
    result: result?.data,
    owners,
    hub1: takeInventory(world, 'hub1', uid),
    hub2: takeInventory(world, 'hub2', uid),
  }
  const moved = world.names.filter(name => owners[name] === 'hub2')
  // What is named in the status is a debt that somebody knows of; that the cluster has an owner is owed all the same.
  const named = world.names.filter(name => state.residue.some(what => what.includes(name)))
  const isNamed = (name: string) => named.includes(name)
  const failures = [
    ...endFaults(migration),
    ...movedFaults(
      await verifyMoved(fleet, {
        names: moved.filter(name => !isNamed(name)),
        from: 'hub1',
        to: 'hub2',
        snapshot: world.snapshot,
      }),
    ),
    ...(await homeFaults(world, before, state, isNamed)),
    ...(await ownerFaults(world, state)),
    ...fleet.disasters.map(({ kind, namespace, name, hub }) => `${hub} deprovisioned ${kind} ${namespace}/${name}`),
    ...(await residueFaults(world, state, isForeign)),
    ...bystanderFaults(world, before, state),
    ...(migration ? resultFaults(state, moved, isNamed) : []),
  ]
  return { state, failures }
}

/** A migration that names what is left keeps its finalizer, and its tasks with it, for whoever finishes it. */
export const hasEnded = ({ metadata, status }: ManagedClusterMigration) =>
  isTerminal(status?.phase) && (!metadata.finalizers?.length || (status?.residue ?? []).length > 0)

const conditionsOf = (migration: ManagedClusterMigration | undefined) =>
  (migration?.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`)

function endFaults(migration: ManagedClusterMigration | undefined): string[] {
  if (!migration) return []
  const { phase } = migration.status ?? {}
  return [
    ...(isTerminal(phase) ? [] : [`the migration has not ended: ${JSON.stringify(migration.status)}`]),
    ...(migration.metadata.finalizers?.length && !migration.status?.residue?.length
      ? ['the migration is still held by its finalizer']
      : []),
  ]
}

const movedFaults = (violations: readonly { readonly cluster: string; readonly what: string }[]) =>
  violations.map(({ cluster, what }) => `${cluster} moved, but ${what}`)

/** A cluster that did not move is as it was before, and nothing of it is anywhere else. */
async function homeFaults(
  world: HubsWorld,
  before: Inventory,
  state: EndState,
  isNamed: (name: string) => boolean,
): Promise<string[]> {
  const home = world.names.filter(name => state.owners[name] !== 'hub2' && !isNamed(name))
  const present = await takeSnapshot(world.clients.hub1, home)
  const faults: string[] = []
  for (const name of home) {
    const { label, hub } = world.fleet.klusterlet(name) ?? {}
    if (hub !== 'hub1' || label !== 'S1') faults.push(`${name}: its klusterlet is in ${label} on ${hub}`)
    faults.push(...differences(ofCluster(before, name), ofCluster(state.hub1, name)).map(what => `hub1: ${what}`))
    faults.push(...Object.keys(ofCluster(state.hub2, name)).map(key => `hub2 has ${key}, which did not move`))
  }
  for (const [key, content] of present)
    if (world.snapshot.get(key) !== content) faults.push(`hub1: ${key} is not what it was`)
  return faults
}

/** Who was not to be moved has noticed nothing. */
function bystanderFaults({ fleet }: HubsWorld, before: Inventory, state: EndState): string[] {
  const { label, hub } = fleet.klusterlet(BYSTANDER) ?? {}
  return [
    ...differences(ofCluster(before, BYSTANDER), ofCluster(state.hub1, BYSTANDER)),
    ...Object.keys(ofCluster(state.hub2, BYSTANDER)).map(key => `${key} is on hub2`),
    ...(hub === 'hub1' && label === 'S1' ? [] : [`its klusterlet is in ${label} on ${hub}`]),
  ].map(what => `INV-9: the bystander was touched: ${what}`)
}

/** Never ownerless (INV-2): the hub that the klusterlet works with accepts the cluster, and the other one has not lost it. */
async function ownerFaults({ clients, fleet, names }: HubsWorld, { owners }: EndState): Promise<string[]> {
  const faults: string[] = []
  for (const name of names) {
    const hub = owners[name]
    const { label } = fleet.klusterlet(name) ?? {}
    const cluster =
      hub === 'hub1' || hub === 'hub2'
        ? await clients[hub].get<ManagedCluster>(ocm.managedClusters, { name })
        : undefined
    if (!cluster) faults.push(`INV-2: ${name} is ownerless: its klusterlet is in ${label} on ${hub ?? 'no hub'}`)
    else if (!cluster.spec?.hubAcceptsClient)
      faults.push(`INV-2: ${name} is ownerless: ${hub}, where its klusterlet is in ${label}, denies it`)
  }
  return faults
}

/** Residue is named, or there is none. */
async function residueFaults(
  { fleet }: HubsWorld,
  state: EndState,
  isForeign: Case['isForeign'] = () => false,
): Promise<string[]> {
  if (state.residue.length > 0) return []
  const found = (await residue(fleet)).filter(({ kind, name }) => !isForeign(kind, name))
  return found.map(({ hub, kind, name, what }) => `residue: ${hub} ${kind} ${name}: ${what}`)
}

/** The result tells exactly who moved; a cluster that is named as residue may be told either way. */
function resultFaults({ result }: EndState, moved: readonly string[], isNamed: (name: string) => boolean): string[] {
  const told = JSON.parse((result as Record<string, string> | undefined)?.['success'] ?? '[]') as string[]
  const disputed = [...told.filter(name => !moved.includes(name)), ...moved.filter(name => !told.includes(name))]
  return disputed.every(isNamed)
    ? []
    : [`the result says that [${told}] moved, but those that did are [${moved.join()}]`]
}

/** How two ends differ, one line each. */
export function compareEnds(expected: EndState, actual: EndState): string[] {
  const members = ['phase', 'conditions', 'clusters', 'residue', 'result', 'owners'] as const
  return [
    ...members.flatMap(member => {
      const [before, after] = [JSON.stringify(expected[member]), JSON.stringify(actual[member])]
      return before === after ? [] : [`${member} is ${after} instead of ${before}`]
    }),
    ...differences(expected.hub1, actual.hub1).map(what => `hub1: ${what}`),
    ...differences(expected.hub2, actual.hub2).map(what => `hub2: ${what}`),
  ]
}
