/**
 * The world before the migration: three API servers with their population, made once and begun with as often as one
 * likes. Nothing that depends on a seed is in it.
 */
import {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  roleFor,
} from '@godwit/hubs'
import { KubeClient, type KubeObject, type Resource, resources, type TransportResponse } from '@godwit/kube'
import { KubeServer, type ServerImage } from '@godwit/kube-server'
import { type Random, seededRandom, VirtualClock } from '@godwit/ports'
import {
  DEFAULT_HUB_KNOBS,
  FAST_HUB_KNOBS,
  FAST_KNOBS,
  type FleetKnobs,
  letTimePass,
  populateGlobalHub,
  populateHub,
  prepareHub,
  type Snapshot,
  startFleet,
  takeSnapshot,
} from '@godwit/simulation'

export const SERVERS = ['global', 'hub1', 'hub2'] as const
export type ServerName = (typeof SERVERS)[number]
export type PerServer<T> = Readonly<Record<ServerName, T>>
const HUBS = ['hub1', 'hub2'] as const

/** A cluster of the source hub that is not to be moved. */
export const BYSTANDER = 'bystander-0001'

export const PARTIES = ['controller', 'source', 'target'] as const
export type PartyName = (typeof PARTIES)[number]
export const userOf = (party: PartyName) => `godwit-${party}`

export const perServer = <T>(make: (name: ServerName) => T): PerServer<T> => ({
  global: make('global'),
  hub1: make('hub1'),
  hub2: make('hub2'),
})

export interface WorldImage {
  readonly servers: PerServer<ServerImage>
  readonly names: readonly string[]
  /** What the clusters are on the source hub. */
  readonly snapshot: Snapshot
  /** Answers to questions about rights, by question: they are the same until somebody changes a right. */
  readonly reviews: Map<string, TransportResponse>
  /** Virtual time at which it was made. */
  readonly nowMs: number
}

/** Until all controllers of the hubs have done their part for a new population. */
const SETTLE_MS = 2_000

/** Images by the number of clusters, each made when it is asked for the first time. */
export class WorldImages {
  readonly #known = new Map<number, Promise<WorldImage>>()

  /** @param count of managed clusters */
  of(count: number): Promise<WorldImage> {
    const known = this.#known.get(count) ?? makeImage(count)
    this.#known.set(count, known)
    return known
  }
}

/** How the fleet of a torture is, unless a run says otherwise. */
export function calmKnobs(knobs: Partial<FleetKnobs> = {}): FleetKnobs {
  const { leaseJitter: _, ...klusterlet } = FAST_KNOBS
  return {
    overrides: {},
    hubs: {},
    ...knobs,
    hub: { ...DEFAULT_HUB_KNOBS, ...FAST_HUB_KNOBS, ...CALM_POLLS, ...knobs.hub },
    klusterlet: { ...klusterlet, ...CALM_AGENTS, ...knobs.klusterlet },
  }
}

/** What polls in virtual time costs real time. */
const CALM_POLLS = { denialRecheckMs: 1_000, detachPollMs: 200 }
const CALM_AGENTS = { crashLoopFirstMs: 500, crashLoopMaxMs: 10_000, timeoutCheckPeriodMs: 2_000 }

/** How the hubs reach each other. */
export const accessOf = (name: ServerName, server: KubeServer, client: KubeClient) => ({
  name,
  client,
  server: `https://api.${name}.example.com:6443`,
  caData: Buffer.from(server.caPem).toString('base64'),
})

async function makeImage(count: number): Promise<WorldImage> {
  const clock = new VirtualClock()
  const random = seededRandom(count)
  const servers = await startServers(clock, random)
  const clients = perServer(
    name => new KubeClient({ transport: servers[name].transport('admin'), clock, random, userAgent: 'population' }),
  )
  const access = perServer(name => accessOf(name, servers[name], clients[name]))
  for (const hub of HUBS) await prepareHub({ client: clients[hub], clock })
  await populateGlobalHub({ client: clients.global, clock, hubs: HUBS.map(hub => access[hub]) })
  for (const crd of [managedClusterMigrationCrd, migrationTaskCrd])
    await clients.global.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
  await grantAll(clients)
  const odd = { ztpEvery: 2, imageBasedEvery: 2, observedEvery: 3 }
  const names = await populateHub({ client: clients.hub1, clock, count, ...odd })
  await populateHub({ client: clients.hub1, clock, count: 1, namePrefix: 'bystander', ztpEvery: 0 })
  const fleet = await startFleet({
    globalHub: access.global,
    hubs: { hub1: access.hub1, hub2: access.hub2 },
    knobs: calmKnobs(),
    clock,
    random,
  })
  const idle = async () => {
    for (const name of SERVERS) await servers[name].idle()
  }
  const traffic = () => SERVERS.reduce((sum, name) => sum + servers[name].version, 0)
  await letTimePass({ clock, traffic, isIdle: () => fleet.isIdle(), serversIdle: idle }, SETTLE_MS)
  await fleet.stop()
  await idle()
  const snapshot = await takeSnapshot(clients.hub1, names)
  const image = {
    servers: perServer(name => servers[name].image()),
    names,
    snapshot,
    reviews: new Map(),
    nowMs: clock.now(),
  }
  await Promise.all(SERVERS.map(name => servers[name].stop()))
  return image
}

async function startServers(clock: VirtualClock, random: Random): Promise<PerServer<KubeServer>> {
  const start = () => KubeServer.start({ listen: false, auth: {}, tracksFields: false, clock, random })
  return { global: await start(), hub1: await start(), hub2: await start() }
}

/** Each party may do what the shipped roles say, and nothing else. */
async function grantAll(clients: PerServer<KubeClient>): Promise<void> {
  await createAll(clients.global, clusterRoleFor(userOf('controller'), 'controller', controllerRules))
  for (const [party, hub] of [['source', 'hub1'] as const, ['target', 'hub2'] as const]) {
    await createAll(clients.global, roleFor(userOf(party), party, hub, agentRulesOnGlobalHub))
    await createAll(clients[hub], clusterRoleFor(userOf(party), party, agentRulesOnHub))
  }
}

const RBAC_KINDS: Readonly<Record<string, Resource>> = {
  ClusterRole: resources.clusterRoles,
  ClusterRoleBinding: resources.clusterRoleBindings,
  Role: resources.roles,
  RoleBinding: resources.roleBindings,
}

async function createAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const resource = RBAC_KINDS[object.kind]
    if (!resource) throw new Error(`no resource for ${object.kind}`)
    await client.create(resource, object)
  }
}
