/**
 * The world of the bench: API servers and simulated clusters in this process; controller and agents in processes of
 * their own, each under the roles that are shipped. Plain HTTP on the loopback: TLS would be the servers' cost.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { KubeServer, type RequestNote } from '@godwit/kube-server'
import { seededRandom, systemClock } from '@godwit/ports'
import {
  FairTurns,
  type Fleet,
  fairTransport,
  type KlusterletKnobs,
  populateGlobalHub,
  populateHub,
  prepareHub,
  startFleet,
} from '@godwit/simulation'
import {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  roleFor,
} from '../../src/index.ts'

export const API_LATENCY_MS = 5
export const CONTROLLER = 'godwit-controller'
export const agentOf = (hub: string) => `godwit-agent-${hub}`
const GLOBAL = 'global'

/** A klusterlet needs a second for each restart; its hub's controllers answer at once. */
const KLUSTERLET = {
  restartDelayMs: 1000,
  rolloutDelayMs: 0,
  workApplyDelayMs: 50,
  retryMs: 500,
  crashLoopFirstMs: 1000,
}
const HUB = { clusterManagerRolloutMs: 100, denialRecheckMs: 500, detachPollMs: 200 }
/** Watchers here never fall far behind: a short history keeps thousands of clusters small. */
const HISTORY_EVENTS = 1000

export interface WorldOptions {
  /** Clusters on each hub at the start, by its name; their names begin with the hub's. */
  readonly hubs: Readonly<Record<string, number>>
  readonly klusterlet?: Partial<KlusterletKnobs>
  /** How often klusterlets renew their leases. Default 60. */
  readonly leaseDurationSeconds?: number
  /** Told of each request of controller and agents, watches included. */
  readonly onCall?: (note: RequestNote) => void
}

export class World {
  readonly fleet: Fleet
  readonly names: Readonly<Record<string, readonly string[]>>
  readonly servers: ReadonlyMap<string, KubeServer>
  readonly clients: ReadonlyMap<string, KubeClient>
  readonly #folder: string

  private constructor(
    folder: string,
    servers: ReadonlyMap<string, KubeServer>,
    clients: ReadonlyMap<string, KubeClient>,
    fleet: Fleet,
    names: World['names'],
  ) {
    this.#folder = folder
    this.servers = servers
    this.clients = clients
    this.fleet = fleet
    this.names = names
  }

  static async start(options: WorldOptions): Promise<World> {
    const hubNames = Object.keys(options.hubs)
    const servers = new Map<string, KubeServer>()
    servers.set(GLOBAL, await startServer([CONTROLLER, ...hubNames.map(agentOf)], options))
    for (const hub of hubNames) servers.set(hub, await startServer([agentOf(hub)], options))
    const turns = new FairTurns(systemClock)
    const clients = new Map([...servers].map(([name, server]) => [name, adminClient(server, turns)]))
    const accessOf = (name: string) => ({
      name,
      client: need(clients, name),
      server: need(servers, name).url,
      caData: Buffer.from(need(servers, name).caPem).toString('base64'),
    })
    await prepare(clients, hubNames.map(accessOf))
    await grant(clients, hubNames)
    const names: Record<string, readonly string[]> = {}
    const { leaseDurationSeconds = 60 } = options
    for (const [namePrefix, count] of Object.entries(options.hubs)) {
      const population = { client: need(clients, namePrefix), clock: systemClock, count, namePrefix }
      names[namePrefix] = await populateHub({ ...population, leaseDurationSeconds })
    }
    const fleet = await startFleet({
      globalHub: accessOf(GLOBAL),
      hubs: Object.fromEntries(hubNames.map(hub => [hub, accessOf(hub)])),
      knobs: { klusterlet: { ...KLUSTERLET, ...options.klusterlet }, hub: HUB },
      clock: systemClock,
      random: seededRandom(1),
    })
    const folder = await mkdtemp(join(tmpdir(), 'godwit-bench-'))
    return new World(folder, servers, clients, fleet, names)
  }

  client(name: string): KubeClient {
    return need(this.clients, name)
  }

  get globalHub(): KubeClient {
    return this.client(GLOBAL)
  }

  /** Writes a kubeconfig of a user of a server (`global` or a hub) and resolves with its path. */
  async kubeconfig(server: string, user: string): Promise<string> {
    const path = join(this.#folder, `${server}.${user}`)
    await writeFile(path, need(this.servers, server).kubeconfig(user), { mode: 0o600 })
    return path
  }

  async stop(): Promise<void> {
    await this.fleet.stop()
    await Promise.all([...this.servers.values()].map(server => server.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function need<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name)
  if (found === undefined) throw new Error(`the bench has no ${name}`)
  return found
}

/** Requests of controller and agents wait; those of simulated parties do not: their pace is a knob of theirs. */
const startServer = (users: readonly string[], { onCall }: WorldOptions) =>
  KubeServer.start({
    historyEvents: HISTORY_EVENTS,
    onRequest: note => {
      if (note.user.startsWith('godwit-')) onCall?.(note)
    },
    faults: [{ users, effect: { kind: 'delay', delayMs: API_LATENCY_MS } }],
    auth: { users: users.map(name => ({ name, token: randomBytes(24).toString('base64url'), groups: [] })) },
  })

const adminClient = (server: KubeServer, turns: FairTurns) =>
  new KubeClient({ transport: fairTransport(server.transport('admin'), turns), userAgent: 'simulation' })

type Hubs = Parameters<typeof populateGlobalHub>[0]['hubs']

async function prepare(clients: ReadonlyMap<string, KubeClient>, hubs: Hubs): Promise<void> {
  const globalHub = need(clients, GLOBAL)
  for (const { name } of hubs) await prepareHub({ client: need(clients, name), clock: systemClock })
  await populateGlobalHub({ client: globalHub, clock: systemClock, hubs })
  for (const crd of [managedClusterMigrationCrd, migrationTaskCrd])
    await globalHub.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
}

const RBAC: Readonly<Record<string, Resource>> = {
  ClusterRole: resources.clusterRoles,
  ClusterRoleBinding: resources.clusterRoleBindings,
  Role: resources.roles,
  RoleBinding: resources.roleBindings,
}

async function grant(clients: ReadonlyMap<string, KubeClient>, hubs: readonly string[]): Promise<void> {
  const create = async (server: string, objects: readonly KubeObject[]) => {
    for (const object of objects) {
      const resource = RBAC[object.kind]
      if (resource) await need(clients, server).create(resource, object)
    }
  }
  await create(GLOBAL, clusterRoleFor(CONTROLLER, 'godwit-hubs-controller', controllerRules))
  for (const hub of hubs) {
    await create(GLOBAL, roleFor(agentOf(hub), 'godwit-hubs-agent', hub, agentRulesOnGlobalHub))
    await create(hub, clusterRoleFor(agentOf(hub), 'godwit-hubs-agent', agentRulesOnHub))
  }
}
