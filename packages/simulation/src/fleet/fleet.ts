/** A whole world in one object: hubs with their foreign controllers, and a klusterlet for each managed cluster. */
import { type KubeClient, resources } from '@godwit/kube'
import { type Clock, type Logger, type Random, silentLogger } from '@godwit/ports'
import { agentGroups, agentUser, labels } from '../foreign/names.ts'
import type { CertificateSigningRequest } from '../foreign/types.ts'
import { DEFAULT_HUB_KNOBS, type HubAccess, type HubKnobs, type Ports } from '../hub/context.ts'
import { approveCsr } from '../hub/csr-approver.ts'
import type { HubView } from '../hub/hub-view.ts'
import type { Disaster } from '../hub/provisioners.ts'
import { type TokenAgent, tokenAgent } from '../hub/token-agent.ts'
import { IMPORT_CONTEXT_CLUSTER } from '../import/klusterlet-manifests.ts'
import type { Agent, HistoryEntry } from '../klusterlet/agent.ts'
import { DEFAULT_KNOBS } from '../klusterlet/knobs.ts'
import { hashCa } from '../klusterlet/kubeconfig.ts'
import { newKlusterlet } from '../klusterlet/new-klusterlet.ts'
import { KlusterletPool } from '../klusterlet/pool.ts'
import type { KlusterletKnobs, KlusterletState, Label } from '../klusterlet/state.ts'
import { HubWorld } from './hub-world.ts'

export interface FleetKnobs {
  /** Of every klusterlet. */
  readonly klusterlet: Partial<KlusterletKnobs>
  /** Of single clusters, by name. */
  readonly overrides: Readonly<Record<string, Partial<KlusterletKnobs>>>
  /** Of every hub. */
  readonly hub: Partial<HubKnobs>
  /** Of single hubs, by name. */
  readonly hubs: Readonly<Record<string, Partial<HubKnobs>>>
}

export interface FleetOptions {
  readonly globalHub: Omit<HubAccess, 'name'>
  /** By name. */
  readonly hubs: Readonly<Record<string, Omit<HubAccess, 'name'>>>
  /** Names of the clusters that get a klusterlet. Default: every ManagedCluster of every hub. */
  readonly clusters?: readonly string[]
  readonly knobs?: Partial<FleetKnobs>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
}

/** What is known of one klusterlet. */
export interface KlusterletReport {
  readonly name: string
  readonly label: Label
  /** Name of the hub it is connected to or bootstraps with. */
  readonly hub: string | undefined
  /** Oldest first, bounded. */
  readonly history: readonly HistoryEntry[]
  readonly state: KlusterletState
}

const YEAR_MS = 365 * 24 * 3_600_000

export class Fleet {
  readonly #options: FleetOptions
  readonly #ports: Ports
  readonly #worlds: readonly HubWorld[]
  readonly #tokenAgents: readonly TokenAgent[]
  readonly #pool: KlusterletPool

  constructor(options: FleetOptions) {
    const { globalHub, hubs, knobs = {}, clock, random, logger = silentLogger } = options
    this.#options = options
    this.#ports = { clock, random, logger }
    const accesses = Object.entries(hubs).map(([name, access]): HubAccess => ({ ...access, name }))
    this.#worlds = accesses.map(
      access => new HubWorld(access, this.#ports, { ...DEFAULT_HUB_KNOBS, ...knobs.hub, ...knobs.hubs?.[access.name] }),
    )
    const onGlobal = { ...globalHub, name: 'global-hub' }
    this.#tokenAgents = accesses.map(access => tokenAgent(access, onGlobal, this.#ports))
    this.#pool = new KlusterletPool(
      this.#worlds.map(({ view }) => view),
      this.#ports,
    )
  }

  /** Starts everything; resolves when all caches are filled and all klusterlets have begun. */
  async start(): Promise<void> {
    await Promise.all([...this.#worlds, ...this.#tokenAgents].map(each => each.start()))
    for (const { view } of this.#worlds)
      for (const { metadata } of view.managedClusters.list())
        if (this.#hasKlusterlet(metadata)) this.#addKlusterlet(view, metadata.name)
    this.#pool.start()
  }

  /** Stops everything; resolves when nothing of it runs any more. The hubs keep what they have. */
  async stop(): Promise<void> {
    await this.#pool.stop()
    await Promise.all([...this.#worlds, ...this.#tokenAgents].map(each => each.stop()))
  }

  get clusterNames(): readonly string[] {
    return [...this.#pool.list()].map(agent => agent.name)
  }

  /** What Hive and Metal3 destroyed on any hub since the start. */
  get disasters(): readonly Disaster[] {
    return this.#worlds.flatMap(world => world.disasters)
  }

  /** How a hub is reached. Throws for a name that is not one. */
  access(hub: string): HubAccess {
    return this.#hub(hub).access
  }

  /** The admin client of a hub. Throws for a name that is not one. */
  client(hub: string): KubeClient {
    return this.access(hub).client
  }

  get globalClient(): KubeClient {
    return this.#options.globalHub.client
  }

  get hubNames(): readonly string[] {
    return this.#worlds.map(({ view }) => view.access.name)
  }

  get clock(): Clock {
    return this.#ports.clock
  }

  klusterlet(name: string): KlusterletReport | undefined {
    const agent = this.#pool.get(name)
    if (!agent) return undefined
    const { label, history, state } = agent
    return { name, label, hub: agent.hub?.access.name, history, state }
  }

  /** How many klusterlets are in which state, for instance `{ 'S1 hub1': 3 }`. */
  census(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const agent of this.#pool.list()) {
      const key = [agent.label, agent.hub?.access.name].filter(Boolean).join(' ')
      counts[key] = (counts[key] ?? 0) + 1
    }
    return counts
  }

  /** True when nobody has anything to do right now; planned work does not count. */
  isIdle(): boolean {
    const parts = [this.#pool, ...this.#worlds, ...this.#tokenAgents]
    return parts.every(part => part.load === 0)
  }

  /** Gives a cluster that was added to a hub since the start its klusterlet. */
  adopt(hub: string, cluster: string): void {
    if (!this.#pool.get(cluster)) this.#addKlusterlet(this.#hub(hub), cluster)
  }

  /** Kills the agent's pod. */
  restartPod(name: string): void {
    this.#pool.observe(this.#agent(name), { type: 'podRestarted' })
  }

  /** Changes what one cluster is like from now on, for instance which hubs it can reach. */
  adjust(name: string, knobs: Partial<KlusterletKnobs>): void {
    this.#pool.adjust(this.#agent(name), knobs)
  }

  /** Approves a certificate request by hand. */
  async approve(hub: string, csr: string): Promise<void> {
    const client = this.client(hub)
    const found = await client.get<CertificateSigningRequest>(resources.certificateSigningRequests, { name: csr })
    if (!found) throw new Error(`no certificate request ${csr} on ${hub}`)
    await approveCsr(client, found, 'ApprovedByAdmin', this.#ports.clock.now())
  }

  #hub(name: string): HubView {
    const world = this.#worlds.find(({ view }) => view.access.name === name)
    if (!world) throw new Error(`no hub ${name} in this fleet`)
    return world.view
  }

  #agent(name: string): Agent {
    const agent = this.#pool.get(name)
    if (!agent) throw new Error(`no klusterlet of cluster ${name} in this fleet`)
    return agent
  }

  #hasKlusterlet({ name, labels: own }: { readonly name: string; readonly labels?: Record<string, string> }): boolean {
    if (own?.[labels.localCluster] === 'true' || this.#pool.get(name)) return false
    return this.#options.clusters?.includes(name) ?? true
  }

  /** A klusterlet that was registered with this hub long ago. */
  #addKlusterlet({ access }: HubView, cluster: string): void {
    const { clock, random } = this.#ports
    const { klusterlet, overrides } = this.#options.knobs ?? {}
    const leaseJitter = random.next() * 0.25
    const knobs: KlusterletKnobs = { ...DEFAULT_KNOBS, leaseJitter, ...klusterlet, ...overrides?.[cluster] }
    const agentId = newUid(random)
    const bootstrap = {
      server: access.server,
      caHash: hashCa(access.caData),
      contextCluster: IMPORT_CONTEXT_CLUSTER,
    }
    const nowMs = clock.now()
    const credential = {
      ...bootstrap,
      user: agentUser(cluster, agentId),
      groups: agentGroups(cluster),
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + YEAR_MS,
    }
    this.#pool.add(newKlusterlet({ cluster, agentId, knobs, bootstrap, credential }))
  }
}

function newUid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16)).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Starts a fleet on hubs that are populated already. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new Fleet(options)
  await fleet.start()
  return fleet
}
