/**
 * An API server, a registry and nodes with VMs in memory, and the real operator as a party that can be killed: all on one
 * virtual clock and one seed. What must hold is looked at after every step.
 */
import { Informer, KubeClient, type KubeObject, keyOf, type Transport, type TransportRequest } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import {
  type CocoonHibernation,
  type CocoonSet,
  type CocoonSetSpec,
  cocoon,
  labels,
  ociRegistry,
  podAnnotations,
  runOperator,
  type SetFacts,
} from '@godwit/nodes'
import { type Logger, seededRandom, VirtualClock } from '@godwit/ports'
import {
  type AgentKnobs,
  EmbeddedRegistry,
  InvariantWatch,
  letTimePass,
  type NodeOptions,
  Party,
  type ProcessPorts,
  startVmCluster,
  type VmCluster,
} from '@godwit/simulation'
import { decidedTwice } from './decided-twice.ts'
import { NAMESPACE, type WorldImage } from './world-image.ts'

export const OPERATOR = 'godwit-operator'
export const NODES = ['node-a', 'node-b', 'node-c'] as const
const PREFIX = 'vms'
const RESTART_MS = 2_000

export interface NodesWorldOptions {
  readonly image: WorldImage
  readonly seed: number
  readonly nodes?: readonly NodeOptions[]
  readonly knobs?: Partial<AgentKnobs>
  /** False: the registry refuses to delete. */
  readonly deletion?: boolean
  readonly onLog?: (line: string) => void
}

/** A spec as a user writes it. */
export type SetWish = Partial<Omit<CocoonSetSpec, 'agent'>> & { readonly replicas?: number }

export class NodesWorld {
  readonly clock: VirtualClock
  readonly server: KubeServer
  readonly registry: EmbeddedRegistry
  /** Of the judge and the user; no fault strikes it. */
  readonly client: KubeClient
  readonly operator: Party
  readonly #options: NodesWorldOptions
  readonly #sets: Informer<CocoonSet>
  /** Of every VM that ever had a pod: whose it is. */
  readonly #owners = new Map<string, { readonly set: string; readonly slot: number }>()
  readonly #givenUp = new Set<string>()
  #cluster: VmCluster | undefined
  #watch: InvariantWatch | undefined
  #traffic = 0
  #bornMs = 0
  #epoch = 0

  private constructor(
    parts: { clock: VirtualClock; server: KubeServer; registry: EmbeddedRegistry },
    options: NodesWorldOptions,
  ) {
    const { clock, server, registry } = parts
    this.#options = options
    this.clock = clock
    this.server = server
    this.registry = registry
    const random = seededRandom(options.seed)
    this.client = new KubeClient({ transport: server.transport('admin'), clock, random, userAgent: 'judge' })
    this.#sets = new Informer<CocoonSet>({ client: this.client, resource: cocoon.sets, clock, random })
    this.operator = new Party({
      name: 'operator',
      clock,
      program: ports => this.#operate(ports),
      nextEpoch: () => ++this.#epoch,
      restartMs: RESTART_MS,
      onTraffic: () => {
        this.#traffic += 1
      },
    })
  }

  static async start(options: NodesWorldOptions): Promise<NodesWorld> {
    const { seed, image, deletion = true } = options
    const clock = new VirtualClock(image.nowMs)
    const random = seededRandom(seed * 8)
    const server = await KubeServer.start({ listen: false, clock, random, image: image.server })
    const registry = await EmbeddedRegistry.start({
      listen: false,
      clock,
      deletion,
      random: seededRandom(seed * 8 + 1),
    })
    const world = new NodesWorld({ clock, server, registry }, options)
    await world.#populate()
    return world
  }

  get cluster(): VmCluster {
    if (!this.#cluster) throw new Error('the cluster has not started')
    return this.#cluster
  }

  get watch(): InvariantWatch {
    if (!this.#watch) throw new Error('the cluster has not started')
    return this.#watch
  }

  /** Virtual time since the world was populated. */
  get sinceBirthMs(): number {
    return this.clock.now() - this.#bornMs
  }

  /** Lets virtual time go by; `onStep` ends the wait early by true. What must hold is looked at after each step. */
  async pass(byMs: number, onStep?: () => boolean): Promise<void> {
    const world = {
      clock: this.clock,
      traffic: () => this.#traffic + this.cluster.agents.traffic,
      // A call of an agent may wait for time to pass: a registry that is slow must not stop the clock.
      isIdle: () => this.cluster.scheduler.load === 0,
      serversIdle: () => this.server.idle(),
    }
    await letTimePass(world, byMs, () => {
      this.watch.look()
      return onStep?.() ?? false
    })
    this.watch.look()
  }

  /** Lets time go by until all of it is true of every set, or `limitMs` are over. Looked at every half second. */
  async passUntil(isReached: (sets: readonly CocoonSet[]) => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.clock.now() + limitMs
    while (!isReached(this.#sets.list())) {
      if (this.clock.now() >= endMs) return false
      await this.pass(500)
    }
    return true
  }

  async createSet(name: string, { replicas, ...wish }: SetWish = {}): Promise<void> {
    // Whatever had these names before was given up: what comes now is another life.
    for (const [vmName, { set }] of this.#owners)
      if (set === name && this.#givenUp.delete(vmName)) this.cluster.agents.ledger.discard(vmName)
    const agent = { image: 'ubuntu', ...(replicas !== undefined && { replicas }) }
    await this.client.create<KubeObject>(cocoon.sets, {
      apiVersion: 'cocoonset.cocoonstack.io/v1',
      kind: 'CocoonSet',
      metadata: { name, namespace: NAMESPACE },
      spec: { snapshotPolicy: 'never', ...wish, agent },
    } as KubeObject)
  }

  /** As `kubectl patch` does; null takes a field away. */
  async edit(name: string, spec: object): Promise<void> {
    await this.client.patch(cocoon.sets, { name, namespace: NAMESPACE }, { spec })
  }

  async deleteSet(name: string): Promise<void> {
    for (const [vmName, { set }] of this.#owners) if (set === name) this.#givenUp.add(vmName)
    await this.client.delete(cocoon.sets, { name, namespace: NAMESPACE })
  }

  async hibernate(podName: string, desire: 'Hibernate' | 'Wake'): Promise<void> {
    const ref = { name: podName, namespace: NAMESPACE }
    if (await this.client.get(cocoon.hibernations, ref)) {
      await this.client.patch(cocoon.hibernations, ref, { spec: { desire } })
      return
    }
    await this.client.create<KubeObject>(cocoon.hibernations, {
      apiVersion: 'cocoonset.cocoonstack.io/v1',
      kind: 'CocoonHibernation',
      metadata: ref,
      spec: { podRef: { name: podName }, desire },
    } as KubeObject)
  }

  sets = () => this.#sets.list()
  set = (name: string) => this.#sets.get({ name, namespace: NAMESPACE })
  hibernations = async () => (await this.client.list<CocoonHibernation>(cocoon.hibernations)).items
  pods = () => this.cluster.agents.pods.list()

  /** VMs whose saved state somebody has on record. */
  async tagOwners(): Promise<ReadonlySet<string>> {
    const owners = new Set<string>()
    for (const { status } of this.sets()) {
      for (const { vmName } of [...(status?.debts ?? []), ...(status?.migrations ?? [])]) owners.add(vmName)
      for (const { vmName } of status?.suspension?.vms ?? []) owners.add(vmName)
    }
    for (const { status } of await this.hibernations())
      if (status?.vmName !== undefined && (status.phase !== 'Active' || status.owesDelete)) owners.add(status.vmName)
    return owners
  }

  /** Kills everybody. */
  async stop(): Promise<void> {
    this.operator.close()
    this.#watch?.stop()
    await this.#cluster?.stop()
    await this.#sets.stop()
    await this.server.stop()
  }

  async #populate(): Promise<void> {
    const { client, clock, registry } = this
    this.#sets.start()
    await this.#sets.synced()
    const isGivenUp = (vmName: string) => this.#isGivenUp(vmName)
    this.#cluster = await startVmCluster({
      client,
      registry: registry.transport(),
      registryPrefix: PREFIX,
      nodes: this.#options.nodes ?? NODES.map(name => ({ name })),
      knobs: { atomicHibernate: true, tickMs: 1_000, ...this.#options.knobs },
      clock,
      random: seededRandom(this.#options.seed * 8 + 2),
      isGivenUp,
    })
    const { agents } = this.#cluster
    agents.pods.onChange(({ object: { metadata } }) => {
      this.#traffic += 1
      const { annotations = {}, labels: own = {} } = metadata
      const vmName = annotations[podAnnotations.vmName]
      const slot = Number(own[labels.slot])
      if (vmName !== undefined) this.#owners.set(vmName, { set: own[labels.set] ?? '', slot })
    })
    this.#watch = new InvariantWatch({
      agents,
      content: registry.content,
      prefix: PREFIX,
      isGivenUp,
      moment: () => `${Math.round(this.sinceBirthMs / 100) / 10} s`,
    })
    this.#bornMs = clock.now()
  }

  #isGivenUp(vmName: string): boolean {
    if (this.#givenUp.has(vmName)) return true
    const owner = this.#owners.get(vmName)
    const replicas = owner && this.set(owner.set)?.spec.agent.replicas
    return owner !== undefined && replicas !== undefined && owner.slot > replicas
  }

  #operate(ports: ProcessPorts): Promise<void> {
    const random = seededRandom(this.#options.seed * 1_000 + ports.epoch)
    const direct = this.server.transport({ name: OPERATOR, groups: ['system:masters'] })
    const told: Transport = {
      request: (request: TransportRequest) => {
        this.watch.noteRequest(request)
        return direct.request(request)
      },
      close: () => direct.close(),
    }
    const client = new KubeClient({ transport: ports.wire(told), clock: ports.clock, random, userAgent: 'operator' })
    const registry = ociRegistry({
      base: `registry.invalid/${PREFIX}`,
      connect: () => ports.wire(this.registry.transport()),
      clock: ports.clock,
    })
    const logger = this.#logger(ports.epoch)
    const identity = `operator-${ports.epoch}`
    const decide = (facts: SetFacts) =>
      decidedTwice(facts, what => this.watch.report(keyOf(facts.set.metadata), 'I8', what))
    return runOperator({ client, registry, identity, clock: ports.clock, random, logger, decide }, ports.signal)
  }

  #logger(epoch: number): Logger {
    const { onLog } = this.#options
    const line = (level: string) => (fields: object, message: string) =>
      onLog?.(JSON.stringify({ atMs: this.sinceBirthMs, level, process: epoch, message, ...printable(fields) }))
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }
}

const printable = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? String(value.stack) : value]),
  )
