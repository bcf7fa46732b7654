/** Real controller and agents on in-memory API servers with simulated clusters, all in one process without sockets. */
import {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  type Deadlines,
  godwit,
  HubAgent,
  type ManagedClusterMigration,
  type Metrics,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  type PolicyRule,
  roleFor,
  runController,
} from '@godwit/hubs'
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { type Logger, seededRandom, silentLogger, systemClock } from '@godwit/ports'
import {
  DEFAULT_HUB_KNOBS,
  FAST_HUB_KNOBS,
  FAST_KNOBS,
  type Fleet,
  type FleetKnobs,
  type HubKnobs,
  populateGlobalHub,
  populateHub,
  prepareHub,
  startFleet,
} from '@godwit/simulation'

export const NAMESPACE = 'multicluster-global-hub'
const clock = systemClock

export interface TestbedOptions {
  readonly count: number
  readonly hub?: Partial<HubKnobs>
  readonly knobs?: Partial<FleetKnobs>
  readonly logger?: Logger
  /** Deadlines of the controller that differ from the defaults, in milliseconds. */
  readonly deadlines?: Partial<Deadlines>
  /** Controller and agents get exactly these rights; absent: everybody may do everything. */
  readonly rights?: Rights
  /** Where all parties count. */
  readonly metrics?: Metrics
}

export interface Rights {
  readonly controller: readonly PolicyRule[]
  readonly agentOnHub: readonly PolicyRule[]
  readonly agentOnGlobalHub: readonly PolicyRule[]
}

/** The rights of the shipped manifests. */
export const SHIPPED_RIGHTS: Rights = {
  controller: controllerRules,
  agentOnHub: agentRulesOnHub,
  agentOnGlobalHub: agentRulesOnGlobalHub,
}
export const userOf = (party: 'controller' | 'hub1' | 'hub2') => `godwit-${party}`

export interface Party {
  stop(): Promise<void>
}

export class Testbed {
  readonly fleet: Fleet
  readonly names: readonly string[]
  readonly clients: Readonly<Record<'globalHub' | 'hub1' | 'hub2', KubeClient>>
  readonly #servers: readonly KubeServer[]
  readonly #logger: Logger
  readonly #deadlines: Partial<Deadlines> | undefined
  readonly #isConfined: boolean
  readonly #metrics: Metrics | undefined
  readonly #parties = new Set<Party>()
  #epoch = 0

  private constructor(
    servers: readonly KubeServer[],
    clients: Testbed['clients'],
    fleet: Fleet,
    names: readonly string[],
    { logger = silentLogger, deadlines, rights, metrics }: TestbedOptions,
  ) {
    this.#servers = servers
    this.clients = clients
    this.fleet = fleet
    this.names = names
    this.#logger = logger
    this.#deadlines = deadlines
    this.#isConfined = rights !== undefined
    this.#metrics = metrics
  }

  static async start(options: TestbedOptions): Promise<Testbed> {
    const servers = await Promise.all(
      ['global', 'hub1', 'hub2'].map(() => KubeServer.start({ listen: false, ...(options.rights && { auth: {} }) })),
    )
    const [globalHub, hub1, hub2] = servers.map(server => new KubeClient({ transport: server.transport() })) as [
      KubeClient,
      KubeClient,
      KubeClient,
    ]
    const access = (name: string, client: KubeClient) => ({ name, client, server: `http://${name}.test`, caData: '' })
    const hubs = { hub1: access('hub1', hub1), hub2: access('hub2', hub2) }
    for (const client of [hub1, hub2]) await prepareHub({ client, clock })
    await populateGlobalHub({ client: globalHub, clock, hubs: Object.values(hubs) })
    for (const crd of [managedClusterMigrationCrd, migrationTaskCrd])
      await globalHub.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
    if (options.rights) await grant({ globalHub, hub1, hub2 }, options.rights)
    const isImported = options.hub?.importControllerMode !== 'absent'
    const names = await populateHub({ client: hub1, clock, count: options.count, isImported })
    const { leaseJitter: _, ...klusterlet } = FAST_KNOBS
    const knobs = {
      ...options.knobs,
      hub: { ...DEFAULT_HUB_KNOBS, ...FAST_HUB_KNOBS, ...options.hub },
      klusterlet: { ...klusterlet, ...options.knobs?.klusterlet },
    }
    const fleet = await startFleet({
      globalHub: access('global', globalHub),
      hubs,
      knobs,
      clock,
      random: seededRandom(1),
    })
    return new Testbed(servers, { globalHub, hub1, hub2 }, fleet, names, options)
  }

  /** How a party reaches a server: with the rights it was given, where it was given any. */
  client(server: keyof Testbed['clients'], party: 'controller' | 'hub1' | 'hub2'): KubeClient {
    const client = this.clients[server]
    return this.#isConfined ? client.as({ user: userOf(party) }) : client
  }

  controller(): Party {
    const epoch = ++this.#epoch
    const common = {
      client: this.client('globalHub', 'controller'),
      identity: `controller-${epoch}`,
      clock,
      random: seededRandom(epoch),
      logger: this.#logger,
      ...(this.#deadlines && { deadlines: this.#deadlines }),
      ...(this.#metrics && { metrics: this.#metrics }),
    }
    return this.#party(signal => runController(common, epoch, signal))
  }

  agent(hubName: 'hub1' | 'hub2'): Party {
    const agent = new HubAgent({
      hubName,
      hub: this.client(hubName, hubName),
      globalHub: this.client('globalHub', hubName),
      clock,
      random: seededRandom(7),
      ...(this.#metrics && { metrics: this.#metrics }),
      logger: this.#logger,
    })
    return this.#party(signal => agent.run(signal))
  }

  all(): readonly Party[] {
    return [this.controller(), this.agent('hub1'), this.agent('hub2')]
  }

  async migrate(
    name: string,
    spec: Partial<NonNullable<ManagedClusterMigration['spec']>>,
  ): Promise<ManagedClusterMigration> {
    const { group, version, kind } = godwit.migrations
    return this.clients.globalHub.create<ManagedClusterMigration>(godwit.migrations, {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name, namespace: NAMESPACE },
      spec: { from: 'hub1', to: 'hub2', ...spec },
    })
  }

  read = (name: string) =>
    this.clients.globalHub.get<ManagedClusterMigration>(godwit.migrations, { name, namespace: NAMESPACE })

  /** Polls a fact; fails with the last status when it does not come true in time. */
  async until(
    name: string,
    holds: (migration: ManagedClusterMigration) => boolean,
    withinMs = 60_000,
  ): Promise<ManagedClusterMigration> {
    const deadline = clock.now() + withinMs
    for (;;) {
      const migration = await this.read(name)
      if (migration && holds(migration)) return migration
      if (clock.now() > deadline) throw new Error(`not in time: ${JSON.stringify(migration?.status, undefined, 1)}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** A klusterlet that got another configuration restarts; nobody waits for that but who asks where it is. */
  async untilConnected(withinMs = 30_000): Promise<void> {
    const deadline = clock.now() + withinMs
    const isAway = (name: string) => this.fleet.klusterlet(name)?.hub === undefined
    while (this.names.some(isAway)) {
      if (clock.now() > deadline) throw new Error(`not connected: ${JSON.stringify(this.fleet.census())}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** The hub that the klusterlet works with; one that restarts just now is waited for. */
  async ownerOf(cluster: string, withinMs = 30_000): Promise<string | undefined> {
    const deadline = clock.now() + withinMs
    for (;;) {
      const hub = this.fleet.klusterlet(cluster)?.hub
      if (hub !== undefined || clock.now() > deadline) return hub
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  async untilGone(name: string, withinMs = 60_000): Promise<void> {
    const deadline = clock.now() + withinMs
    for (;;) {
      const migration = await this.read(name)
      if (!migration) return
      if (clock.now() > deadline) throw new Error(`still there: ${JSON.stringify(migration, undefined, 1)}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#parties].map(party => party.stop()))
    await this.fleet.stop()
    await Promise.all(this.#servers.map(server => server.stop()))
  }

  #party(run: (signal: AbortSignal) => Promise<void>): Party {
    const stop = new AbortController()
    const running = run(stop.signal)
    const party = {
      stop: async () => {
        this.#parties.delete(party)
        stop.abort()
        await running
      },
    }
    this.#parties.add(party)
    return party
  }
}

async function grant(clients: Testbed['clients'], rights: Rights): Promise<void> {
  const { globalHub } = clients
  await createAll(globalHub, clusterRoleFor(userOf('controller'), 'controller', rights.controller))
  for (const hub of ['hub1', 'hub2'] as const) {
    await createAll(globalHub, roleFor(userOf(hub), 'agent', hub, rights.agentOnGlobalHub))
    await createAll(clients[hub], clusterRoleFor(userOf(hub), 'agent', rights.agentOnHub))
  }
}

async function createAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const resource = Object.values(resources).find(({ kind }) => kind === object.kind)
    if (resource) await client.create(resource, object)
  }
}
