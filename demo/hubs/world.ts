/** The world of the demo: three API servers over TLS with RBAC, and simulated clusters, all in this process. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  roleFor,
} from '@godwit/hubs'
import { KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { KubeServer, type RequestNote } from '@godwit/kube-server'
import { seededRandom, systemClock } from '@godwit/ports'
import {
  FairTurns,
  type Fleet,
  fairTransport,
  populateGlobalHub,
  populateHub,
  prepareHub,
  type Snapshot,
  startFleet,
  takeSnapshot,
} from '@godwit/simulation'

export const HUBS = ['hub1', 'hub2'] as const
export type HubName = (typeof HUBS)[number]
type ServerName = 'global' | HubName

/** Delays of a simulated klusterlet: about a second for each restart, as the bench of the design assumes. */
const KLUSTERLET_KNOBS = { restartDelayMs: 1000, rolloutDelayMs: 500, workApplyDelayMs: 100, retryMs: 500 }
const HUB_KNOBS = { clusterManagerRolloutMs: 500, denialRecheckMs: 500, detachPollMs: 200 }

const CONTROLLER = 'godwit-controller'
const agentUser = (hub: HubName) => `godwit-agent-${hub}`

export interface World {
  readonly fleet: Fleet
  readonly names: readonly string[]
  readonly snapshot: Snapshot
  readonly globalHub: KubeClient
  readonly servers: Readonly<Record<ServerName, KubeServer>>
  /** Requests that controller and agents made so far, a watch once, by `who verb resource`. */
  readonly calls: ReadonlyMap<string, number>
  /** Path of the kubeconfig of a user on a server. */
  kubeconfig(server: ServerName, user: 'admin' | 'controller' | HubName): string
  stop(): Promise<void>
}

export async function startWorld(items: number): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'godwit-demo-'))
  const calls = new Map<string, number>()
  const onRequest = ({ user, verb, resource }: RequestNote) => {
    if (!user.startsWith('godwit-')) return
    const key = `${user.slice('godwit-'.length)} ${verb} ${resource}`
    calls.set(key, (calls.get(key) ?? 0) + 1)
  }
  const servers = {
    global: await startServer([CONTROLLER, ...HUBS.map(agentUser)], onRequest),
    hub1: await startServer([agentUser('hub1')], onRequest),
    hub2: await startServer([agentUser('hub2')], onRequest),
  }
  const turns = new FairTurns(systemClock)
  const clients = {
    global: adminClient(servers.global, turns),
    hub1: adminClient(servers.hub1, turns),
    hub2: adminClient(servers.hub2, turns),
  }
  await prepare(clients, servers)
  await grant(clients)
  const names = await populateHub({ client: clients.hub1, clock: systemClock, count: items })
  const fleet = await startFleet({
    globalHub: access('global', clients.global, servers.global),
    hubs: { hub1: access('hub1', clients.hub1, servers.hub1), hub2: access('hub2', clients.hub2, servers.hub2) },
    knobs: { klusterlet: KLUSTERLET_KNOBS, hub: HUB_KNOBS },
    clock: systemClock,
    random: seededRandom(1),
  })
  const paths = await writeKubeconfigs(folder, servers)
  return {
    fleet,
    names,
    snapshot: await takeSnapshot(clients.hub1, names),
    globalHub: clients.global,
    servers,
    calls,
    kubeconfig: (server, user) => paths.get(`${server}/${user}`) ?? '',
    async stop() {
      await fleet.stop()
      await Promise.all(Object.values(servers).map(server => server.stop()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Watchers here never fall far behind: a short history keeps thousands of clusters small. */
const HISTORY_EVENTS = 1000

const startServer = (users: readonly string[], onRequest: (note: RequestNote) => void) =>
  KubeServer.start({
    tls: true,
    historyEvents: HISTORY_EVENTS,
    onRequest,
    auth: { users: users.map(name => ({ name, token: randomBytes(24).toString('base64url'), groups: [] })) },
  })

/** The simulation lives in the same process as the servers: no need to go through sockets, but others do. */
const adminClient = (server: KubeServer, turns: FairTurns) =>
  new KubeClient({ transport: fairTransport(server.transport('admin'), turns), userAgent: 'simulation' })

const access = (name: string, client: KubeClient, server: KubeServer) => ({
  name,
  client,
  server: server.url,
  caData: Buffer.from(server.caPem).toString('base64'),
})

type Clients = Readonly<Record<ServerName, KubeClient>>

async function prepare(clients: Clients, servers: Readonly<Record<ServerName, KubeServer>>): Promise<void> {
  for (const hub of HUBS) await prepareHub({ client: clients[hub], clock: systemClock })
  const hubs = HUBS.map(hub => access(hub, clients[hub], servers[hub]))
  await populateGlobalHub({ client: clients.global, clock: systemClock, hubs })
  for (const crd of [managedClusterMigrationCrd, migrationTaskCrd])
    await clients.global.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
}

/** Each process may do what the shipped roles say, and nothing else. */
async function grant(clients: Clients): Promise<void> {
  await createAll(clients.global, clusterRoleFor(CONTROLLER, 'godwit-hubs-controller', controllerRules))
  for (const hub of HUBS) {
    await createAll(clients.global, roleFor(agentUser(hub), 'godwit-hubs-agent', hub, agentRulesOnGlobalHub))
    await createAll(clients[hub], clusterRoleFor(agentUser(hub), 'godwit-hubs-agent', agentRulesOnHub))
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
    if (resource) await client.create(resource, object)
  }
}

async function writeKubeconfigs(
  folder: string,
  servers: Readonly<Record<ServerName, KubeServer>>,
): Promise<Map<string, string>> {
  const wanted: readonly [ServerName, string, string][] = [
    ...(['global', ...HUBS] as const).map(server => [server, 'admin', 'admin'] as [ServerName, string, string]),
    ['global', 'controller', CONTROLLER],
    ...HUBS.flatMap(hub =>
      (['global', hub] as const).map(server => [server, hub, agentUser(hub)] as [ServerName, string, string]),
    ),
  ]
  const paths = new Map<string, string>()
  for (const [server, role, user] of wanted) {
    const path = join(folder, `${server}.${role}.kubeconfig`)
    await writeFile(path, servers[server].kubeconfig(user), { mode: 0o600 })
    paths.set(`${server}/${role}`, path)
  }
  return paths
}
