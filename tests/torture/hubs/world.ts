/**
 * Three API servers in memory, a small fleet, and the real controller and agents as parties that can be killed: all on
 * one virtual clock and one seed. Each party may do what the shipped roles say, and nothing else.
 */
import {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  type Deadlines,
  GLOBAL_HUB_NAMESPACE,
  godwit,
  HubAgent,
  type ManagedClusterMigration,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  roleFor,
  runController,
} from '@godwit/hubs'
import { KubeClient, type KubeObject, type Resource, resources, type TransportRequest } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { type Logger, seededRandom, VirtualClock } from '@godwit/ports'
import {
  DEFAULT_HUB_KNOBS,
  FAST_HUB_KNOBS,
  FAST_KNOBS,
  type Fleet,
  type FleetKnobs,
  letTimePass,
  Party,
  type ProcessPorts,
  populateGlobalHub,
  populateHub,
  prepareHub,
  type Snapshot,
  startFleet,
  takeSnapshot,
} from '@godwit/simulation'

export const SERVERS = ['global', 'hub1', 'hub2'] as const
export type ServerName = (typeof SERVERS)[number]
const HUBS = ['hub1', 'hub2'] as const
export const PARTIES = ['controller', 'source', 'target'] as const
export type PartyName = (typeof PARTIES)[number]
type PerServer<T> = Readonly<Record<ServerName, T>>

export const userOf = (party: PartyName) => `godwit-${party}`
export const MIGRATION = 'move'

export interface HubsWorldOptions {
  readonly seed: number
  readonly count: number
  readonly knobs?: Partial<FleetKnobs>
  readonly deadlines?: Partial<Deadlines>
  /** From a crash of a party to its next process. */
  readonly restartMs?: number
  /** Told of each log line of the parties, as JSON. */
  readonly onLog?: (line: string) => void
  readonly onWrite?: (party: string, server: ServerName, request: TransportRequest) => void
}

const perServer = <T>(make: (name: ServerName) => T): PerServer<T> => ({
  global: make('global'),
  hub1: make('hub1'),
  hub2: make('hub2'),
})

const urlOf = (name: ServerName) => `https://api.${name}.example.com:6443`

export class HubsWorld {
  readonly clock: VirtualClock
  readonly servers: PerServer<KubeServer>
  /** Of the judge and the foreign parties; no fault strikes them. */
  readonly clients: PerServer<KubeClient>
  readonly parties: Readonly<Record<PartyName, Party>>
  #fleet: Fleet | undefined
  #names: readonly string[] = []
  #snapshot: Snapshot = new Map()
  readonly #options: HubsWorldOptions
  #traffic = 0
  #bornMs = 0
  #epoch = 0

  private constructor(servers: PerServer<KubeServer>, clock: VirtualClock, options: HubsWorldOptions) {
    this.#options = options
    this.clock = clock
    this.servers = servers
    const random = seededRandom(options.seed)
    this.clients = perServer(
      name => new KubeClient({ transport: servers[name].transport('admin'), clock, random, userAgent: 'judge' }),
    )
    const party = (name: PartyName, program: (ports: ProcessPorts) => Promise<void>) =>
      new Party({
        name,
        clock,
        program,
        nextEpoch: () => ++this.#epoch,
        restartMs: options.restartMs ?? 2_000,
        onTraffic: () => {
          this.#traffic += 1
        },
      })
    this.parties = {
      controller: party('controller', ports => this.#control(ports)),
      source: party('source', ports => this.#serve('source', 'hub1', ports)),
      target: party('target', ports => this.#serve('target', 'hub2', ports)),
    }
  }

  static async start(options: HubsWorldOptions): Promise<HubsWorld> {
    const clock = new VirtualClock()
    const [global, hub1, hub2] = await Promise.all(
      SERVERS.map((_, index) =>
        KubeServer.start({ listen: false, auth: {}, clock, random: seededRandom(options.seed * 8 + index) }),
      ),
    )
    if (!global || !hub1 || !hub2) throw new Error('a server did not start')
    const world = new HubsWorld({ global, hub1, hub2 }, clock, options)
    await world.#populate()
    return world
  }

  get fleet(): Fleet {
    if (!this.#fleet) throw new Error('the fleet has not started')
    return this.#fleet
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** What the clusters were on the source hub at the start. */
  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Virtual time since the parties were started. */
  get sinceBirthMs(): number {
    return this.clock.now() - this.#bornMs
  }

  startParties(): void {
    this.#bornMs = this.clock.now()
    for (const name of PARTIES) this.parties[name].start()
  }

  /** Lets virtual time go by; `onStep` ends the wait early by true. */
  pass(byMs: number, onStep?: () => boolean): Promise<void> {
    return letTimePass(
      {
        clock: this.clock,
        traffic: () => this.#traffic,
        isIdle: () => this.fleet.isIdle(),
        serversIdle: async () => {
          for (const name of SERVERS) await this.servers[name].idle()
        },
      },
      byMs,
      onStep,
    )
  }

  async migrate(spec: Partial<NonNullable<ManagedClusterMigration['spec']>> = {}): Promise<void> {
    const { group, version, kind } = godwit.migrations
    await this.clients.global.create<ManagedClusterMigration>(godwit.migrations, {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name: MIGRATION, namespace: GLOBAL_HUB_NAMESPACE },
      spec: { from: 'hub1', to: 'hub2', includedManagedClusters: [...this.names], ...spec },
    })
  }

  migration = () => this.clients.global.get<ManagedClusterMigration>(godwit.migrations, MIGRATION_REF)
  deleteMigration = () => this.clients.global.delete(godwit.migrations, MIGRATION_REF)

  /** Kills everybody. */
  async stop(): Promise<void> {
    for (const name of PARTIES) this.parties[name].close()
    await this.#fleet?.stop()
    await Promise.all(SERVERS.map(name => this.servers[name].stop()))
  }

  async #populate(): Promise<void> {
    const { clients, clock } = this
    const { count, seed } = this.#options
    for (const hub of HUBS) await prepareHub({ client: clients[hub], clock })
    await populateGlobalHub({ client: clients.global, clock, hubs: HUBS.map(hub => this.#access(hub)) })
    for (const crd of [managedClusterMigrationCrd, migrationTaskCrd])
      await clients.global.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
    await this.#grant()
    this.#names = await populateHub({
      client: clients.hub1,
      clock,
      count,
      ztpEvery: 2,
      imageBasedEvery: 2,
      observedEvery: 3,
    })
    this.#fleet = await startFleet({
      globalHub: this.#access('global'),
      hubs: { hub1: this.#access('hub1'), hub2: this.#access('hub2') },
      knobs: this.#knobs(),
      clock,
      random: seededRandom(seed),
    })
    await this.pass(2_000)
    this.#snapshot = await takeSnapshot(clients.hub1, this.#names)
  }

  #knobs(): FleetKnobs {
    const { leaseJitter: _, ...klusterlet } = FAST_KNOBS
    const { knobs } = this.#options
    return {
      overrides: {},
      hubs: {},
      ...knobs,
      hub: { ...DEFAULT_HUB_KNOBS, ...FAST_HUB_KNOBS, ...CALM_POLLS, ...knobs?.hub },
      klusterlet: { ...klusterlet, ...knobs?.klusterlet },
    }
  }

  #access(name: ServerName) {
    const caData = Buffer.from(this.servers[name].caPem).toString('base64')
    return { name, client: this.clients[name], server: urlOf(name), caData }
  }

  async #grant(): Promise<void> {
    const { global } = this.clients
    await createAll(global, clusterRoleFor(userOf('controller'), 'controller', controllerRules))
    for (const [party, hub] of [['source', 'hub1'] as const, ['target', 'hub2'] as const]) {
      await createAll(global, roleFor(userOf(party), party, hub, agentRulesOnGlobalHub))
      await createAll(this.clients[hub], clusterRoleFor(userOf(party), party, agentRulesOnHub))
    }
  }

  #control(ports: ProcessPorts): Promise<void> {
    const { deadlines } = this.#options
    const options = {
      ...this.#portsOf('controller', ports),
      client: this.#client('controller', 'global', ports),
      identity: `controller-${ports.epoch}`,
      ...(deadlines && { deadlines }),
    }
    return runController(options, ports.epoch, ports.signal)
  }

  #serve(party: 'source' | 'target', hubName: 'hub1' | 'hub2', ports: ProcessPorts): Promise<void> {
    const agent = new HubAgent({
      ...this.#portsOf(party, ports),
      hubName,
      hub: this.#client(party, hubName, ports),
      globalHub: this.#client(party, 'global', ports),
    })
    return agent.run(ports.signal)
  }

  #portsOf(party: PartyName, { clock, epoch }: ProcessPorts) {
    const random = seededRandom(this.#options.seed * 1_000 + epoch)
    return { clock, random, logger: this.#logger(party, epoch) }
  }

  #client(party: PartyName, name: ServerName, ports: ProcessPorts): KubeClient {
    const direct = this.servers[name].transport({ name: userOf(party), groups: [] })
    const { onWrite } = this.#options
    const told = {
      request: (request: TransportRequest) => {
        if (request.method !== 'GET') onWrite?.(party, name, request)
        return direct.request(request)
      },
      close: () => direct.close(),
    }
    const random = seededRandom(this.#options.seed * 1_000 + ports.epoch)
    return new KubeClient({ transport: ports.wire(told), clock: ports.clock, random, userAgent: party })
  }

  #logger(party: PartyName, epoch: number): Logger {
    const { onLog } = this.#options
    const line = (level: string) => (fields: object, message: string) =>
      onLog?.(JSON.stringify({ at: this.clock.now(), level, party, process: epoch, message, ...printable(fields) }))
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }
}

/** What polls in virtual time costs real time. */
const CALM_POLLS = { denialRecheckMs: 1_000, detachPollMs: 200 }

const printable = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? String(value.stack) : value]),
  )

const MIGRATION_REF = { name: MIGRATION, namespace: GLOBAL_HUB_NAMESPACE }

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
