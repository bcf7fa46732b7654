/**
 * Three API servers in memory, a small fleet, and the real controller and agents as parties that can be killed: all on
 * one virtual clock and one seed.
 */
import {
  type Deadlines,
  GLOBAL_HUB_NAMESPACE,
  godwit,
  HubAgent,
  type ManagedClusterMigration,
  runController,
} from '@godwit/hubs'
import { KubeClient, type KubeObject, type Resource, type Transport, type TransportRequest } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { type Clock, type Logger, seededRandom, VirtualClock } from '@godwit/ports'
import {
  type Fleet,
  type FleetKnobs,
  letTimePass,
  Party,
  type ProcessPorts,
  type Snapshot,
  startFleet,
} from '@godwit/simulation'
import { Audit } from './audit.ts'
import { Storms } from './storms.ts'
import {
  accessOf,
  calmKnobs,
  PARTIES,
  type PartyName,
  type PerServer,
  perServer,
  SERVERS,
  type ServerName,
  userOf,
  type WorldImage,
  type WorldImages,
} from './world-image.ts'

export const MIGRATION = 'move'

export interface HubsWorldOptions {
  readonly images: WorldImages
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

export class HubsWorld {
  readonly clock: VirtualClock
  readonly servers: PerServer<KubeServer>
  /** Of the judge and the foreign parties; no fault strikes them. */
  readonly clients: PerServer<KubeClient>
  readonly parties: Readonly<Record<PartyName, Party>>
  readonly audit: Audit
  readonly storms = new Storms()
  #fleet: Fleet | undefined
  readonly #image: WorldImage
  readonly #options: HubsWorldOptions
  readonly #aheadMs = new Map<PartyName, number>()
  #areRightsKnown = true
  #idleState = 0
  #traffic = 0
  #bornMs = 0
  #epoch = 0

  private constructor(
    servers: PerServer<KubeServer>,
    clock: VirtualClock,
    image: WorldImage,
    options: HubsWorldOptions,
  ) {
    this.#options = options
    this.#image = image
    this.clock = clock
    this.servers = servers
    this.audit = new Audit({
      names: image.names,
      peek: (server, collection) => [...servers[server].peek(collection)] as KubeObject[] as never[],
      hubOf: cluster => this.fleet.klusterlet(cluster)?.hub,
    })
    const random = seededRandom(options.seed)
    this.clients = perServer(
      name => new KubeClient({ transport: servers[name].transport('admin'), clock, random, userAgent: 'judge' }),
    )
    const party = (name: PartyName, program: (ports: ProcessPorts) => Promise<void>) =>
      new Party({
        name,
        clock,
        program: ports => {
          this.audit.started(name, ports.epoch)
          return program(ports)
        },
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
    const image = await options.images.of(options.count)
    const clock = new VirtualClock(image.nowMs)
    const told: { audit?: Audit } = {}
    const start = (name: ServerName) =>
      KubeServer.start({
        listen: false,
        auth: {},
        tracksFields: false,
        clock,
        random: seededRandom(options.seed * 8 + SERVERS.indexOf(name)),
        image: image.servers[name],
        onChange: change => told.audit?.note(name, change),
      })
    const servers = { global: await start('global'), hub1: await start('hub1'), hub2: await start('hub2') }
    const world = new HubsWorld(servers, clock, image, options)
    told.audit = world.audit
    await world.#startFleet()
    return world
  }

  get fleet(): Fleet {
    if (!this.#fleet) throw new Error('the fleet has not started')
    return this.#fleet
  }

  get names(): readonly string[] {
    return this.#image.names
  }

  /** What the clusters were on the source hub at the start. */
  get snapshot(): Snapshot {
    return this.#image.snapshot
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
        serversIdle: () => this.#serversIdle(),
      },
      byMs,
      onStep,
    )
  }

  /** Servers have something to do only after a write, or when time went on. */
  async #serversIdle(): Promise<void> {
    // Both only grow.
    const { global, hub1, hub2 } = this.servers
    const state = () => this.clock.now() + global.version + hub1.version + hub2.version
    while (state() !== this.#idleState) {
      this.#idleState = state()
      for (const name of SERVERS) await this.servers[name].idle()
    }
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

  /** Undefined when it is gone. */
  migration(): ManagedClusterMigration | undefined {
    const all = this.objects<ManagedClusterMigration>('global', godwit.migrations)
    return all.find(({ metadata }) => metadata.name === MIGRATION)
  }

  /** What a server has of a kind, without a request. */
  objects<T extends KubeObject>(server: ServerName, { plural, group }: Resource, namespace?: string): readonly T[] {
    return [...this.servers[server].peek(group ? `${plural}.${group}` : plural, namespace)] as KubeObject[] as T[]
  }

  /** From now on every question about rights is asked anew. */
  rightsChange(): void {
    this.#areRightsKnown = false
  }

  /** Sets the clock of a party so far ahead of all others. */
  setClock(party: PartyName, aheadMs: number): void {
    this.#aheadMs.set(party, aheadMs)
  }

  deleteMigration = () => this.clients.global.delete(godwit.migrations, MIGRATION_REF)

  /** Kills everybody. */
  async stop(): Promise<void> {
    for (const name of PARTIES) this.parties[name].close()
    await this.#fleet?.stop()
    await Promise.all(SERVERS.map(name => this.servers[name].stop()))
  }

  async #startFleet(): Promise<void> {
    const { clock, clients, servers } = this
    const { seed, knobs } = this.#options
    const access = perServer(name => accessOf(name, servers[name], clients[name]))
    this.#fleet = await startFleet({
      globalHub: access.global,
      hubs: { hub1: access.hub1, hub2: access.hub2 },
      knobs: calmKnobs(knobs),
      clock,
      random: seededRandom(seed),
    })
    await this.pass(SETTLE_MS)
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
    const own: Clock = {
      now: () => clock.now() + (this.#aheadMs.get(party) ?? 0),
      after: (delayMs, run) => clock.after(delayMs, run),
    }
    return { clock: own, random, logger: this.#logger(party, epoch) }
  }

  #client(party: PartyName, name: ServerName, ports: ProcessPorts): KubeClient {
    const direct = this.servers[name].transport({
      name: userOf(party),
      groups: [],
      extra: { process: [String(ports.epoch)] },
    })
    const { onWrite } = this.#options
    const told = {
      request: (request: TransportRequest) => {
        this.storms.note(`process ${ports.epoch} of ${party}`, this.clock.now(), request)
        if (isAccessReview(request)) return this.#review(`${party} ${name}`, name, request, direct)
        if (request.method !== 'GET') onWrite?.(party, name, request)
        return direct.request(request)
      },
      close: () => direct.close(),
    }
    const random = seededRandom(this.#options.seed * 1_000 + ports.epoch)
    return new KubeClient({ transport: ports.wire(told), clock: ports.clock, random, userAgent: party })
  }

  /** Rights of a party do not change by themselves, and each of its processes asks for all of them again. */
  async #review(caller: string, name: ServerName, request: TransportRequest, direct: Transport) {
    if (!this.#areRightsKnown || !this.servers[name].faults.isEmpty) return direct.request(request)
    const question = `${caller} ${request.body}`
    const known = this.#image.reviews.get(question)
    if (known) return known
    const answer = await direct.request(request)
    if (answer.status === 201) this.#image.reviews.set(question, answer)
    return answer
  }

  #logger(party: PartyName, epoch: number): Logger {
    const { onLog } = this.#options
    const line = (level: string) => (fields: object, message: string) =>
      onLog?.(JSON.stringify({ at: this.clock.now(), level, party, process: epoch, message, ...printable(fields) }))
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }
}

/** Until the fleet has looked at what there is. */
const SETTLE_MS = 500

const isAccessReview = ({ path }: TransportRequest) => path.includes('/selfsubjectaccessreviews')

const printable = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? String(value.stack) : value]),
  )

export const MIGRATION_REF = { name: MIGRATION, namespace: GLOBAL_HUB_NAMESPACE }
