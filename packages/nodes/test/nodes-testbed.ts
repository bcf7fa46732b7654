/** The real operator against an embedded API server, registry, scheduler and node agents, in virtual time, one process. */
import {
  Informer,
  KubeClient,
  type KubeObject,
  resources,
  type TransportRequest,
  type TransportResponse,
} from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import {
  type CocoonHibernation,
  type CocoonSet,
  cocoon,
  cocoonHibernationCrd,
  cocoonSetCrd,
  type OperatorOptions,
  ociRegistry,
  operatorRules,
  type Pod,
  podAnnotations,
  runOperator,
  type SnapshotRegistry,
  vmNameOf,
} from '@godwit/nodes'
import { type Logger, seededRandom, silentLogger, VirtualClock } from '@godwit/ports'
import {
  type AgentKnobs,
  EmbeddedRegistry,
  letTimePass,
  type NodeOptions,
  SnapshotStore,
  startVmCluster,
  type VmCluster,
} from '@godwit/simulation'

export interface NodesTestbedOptions {
  readonly nodes?: readonly NodeOptions[]
  readonly knobs?: Partial<AgentKnobs>
  readonly logger?: Logger
  readonly limits?: OperatorOptions['limits']
  readonly deletion?: boolean
  /** Told of each request of an operator to the API before it is sent; an answer of its own keeps it from being sent. */
  readonly onRequest?: (request: TransportRequest) => Promise<TransportResponse | undefined>
  /** How an operator reaches the registry. */
  readonly registryOf?: (registry: SnapshotRegistry) => SnapshotRegistry
  /** The operator may only do what the shipped rules allow. */
  readonly isConfined?: boolean
}

const NAMESPACE = 'ns'
const PATIENCE_MS = 3 * 60_000
const THREE_NODES = [{ name: 'node-a' }, { name: 'node-b' }, { name: 'node-c' }]
const OPERATOR = 'cocoon-operator'
const BASE = 'registry.test/vms'

export class NodesTestbed {
  readonly clock: VirtualClock
  readonly client: KubeClient
  readonly registry: EmbeddedRegistry
  readonly store: SnapshotStore
  readonly cluster: VmCluster
  readonly #server: KubeServer
  readonly #options: NodesTestbedOptions
  #traffic = 0
  #calls = 0
  #registryCalls = 0
  #epoch = 0
  #stop: (() => Promise<void>) | undefined

  private constructor(
    parts: Pick<NodesTestbed, 'clock' | 'client' | 'registry' | 'cluster'>,
    server: KubeServer,
    options: NodesTestbedOptions,
  ) {
    this.clock = parts.clock
    this.client = parts.client
    this.registry = parts.registry
    this.cluster = parts.cluster
    this.store = new SnapshotStore(parts.registry.transport(), 'vms')
    this.#server = server
    this.#options = options
    this.registry.onRequest(() => {
      this.#traffic++
      this.#registryCalls++
    })
    this.cluster.agents.pods.onChange(() => this.#traffic++)
  }

  static async start(options: NodesTestbedOptions = {}): Promise<NodesTestbed> {
    const clock = new VirtualClock()
    const random = seededRandom(1)
    const server = await KubeServer.start({ listen: false, clock, random, ...(options.isConfined && { auth: {} }) })
    const client = new KubeClient({ transport: server.transport(), clock, random })
    const registry = await EmbeddedRegistry.start({ listen: false, clock, deletion: options.deletion ?? true })
    await client.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE },
    })
    for (const crd of [cocoonSetCrd, cocoonHibernationCrd])
      await client.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
    if (options.isConfined) await grant(client)
    const cluster = await startVmCluster({
      client,
      registry: registry.transport(),
      registryPrefix: 'vms',
      nodes: options.nodes ?? THREE_NODES,
      knobs: { atomicHibernate: true, ...options.knobs },
      clock,
      random,
    })
    return new NodesTestbed({ clock, client, registry, cluster }, server, options)
  }

  /** Starts an operator, or another one after `kill`. */
  operator(): void {
    const epoch = ++this.#epoch
    const stop = new AbortController()
    const { clock } = this
    const transport = this.#server.transport()
    const counted = {
      request: async (request: Parameters<typeof transport.request>[0]) => {
        // Like a process that was killed: what it would still send never leaves it.
        if (stop.signal.aborted) throw new Error('killed')
        this.#traffic++
        if (!request.stream && !/watch=true/.test(request.path)) this.#calls++
        try {
          const own = await this.#options.onRequest?.(request)
          return own ?? (await transport.request(request))
        } finally {
          this.#traffic++
        }
      },
      close: () => transport.close(),
    }
    const admin = new KubeClient({ transport: counted, clock, random: seededRandom(epoch) })
    const client = this.#options.isConfined ? admin.as({ user: OPERATOR }) : admin
    const registry = ociRegistry({ base: BASE, clock, connect: () => this.registry.transport() })
    const running = runOperator(
      {
        client,
        registry: this.#options.registryOf?.(registry) ?? registry,
        identity: `operator-${epoch}`,
        clock,
        random: seededRandom(epoch),
        logger: this.#options.logger ?? silentLogger,
        ...(this.#options.limits && { limits: this.#options.limits }),
      },
      stop.signal,
    )
    this.#stop = async () => {
      stop.abort()
      let isOver = false
      running.finally(() => {
        isOver = true
      })
      while (!isOver) await this.pass(1000)
    }
  }

  async kill(): Promise<void> {
    await this.#stop?.()
    this.#stop = undefined
  }

  async stop(): Promise<void> {
    await this.kill()
    await this.cluster.stop()
    await this.#server.stop()
  }

  /** Lets virtual time go by, and everything happen that is due. */
  async pass(byMs: number, onStep?: () => boolean): Promise<void> {
    const world = {
      clock: this.clock,
      traffic: () => this.#traffic,
      isIdle: () => this.cluster.isIdle(),
      serversIdle: () => this.#server.idle(),
    }
    await letTimePass(world, byMs, onStep)
  }

  /** Lets time go by until a fact holds. */
  async until(what: string, holds: () => Promise<boolean>, withinMs = PATIENCE_MS): Promise<void> {
    const endMs = this.clock.now() + withinMs
    for (;;) {
      await this.pass(200)
      if (await holds()) return
      if (this.clock.now() > endMs)
        throw new Error(
          `not in time: ${what}: ${JSON.stringify([(await this.set())?.status, await this.pod()], undefined, 1)}`,
        )
    }
  }

  async create(spec: Partial<CocoonSet['spec']> = {}, name = 'demo'): Promise<void> {
    const { agent, ...others } = spec
    await this.client.create(cocoon.sets, {
      apiVersion: 'cocoonset.cocoonstack.io/v1',
      kind: 'CocoonSet',
      metadata: { name, namespace: NAMESPACE },
      ...{ spec: { ...others, agent: { image: 'base:1', ...agent } } },
    })
  }

  async patch(spec: object, name = 'demo'): Promise<void> {
    await this.client.patch(cocoon.sets, { name, namespace: NAMESPACE }, { spec })
  }

  async remove(name = 'demo'): Promise<void> {
    await this.client.delete(cocoon.sets, { name, namespace: NAMESPACE })
  }

  /** A pod of nobody the operator knows of takes room on a node. */
  async fill(nodeName: string, cpu: string, name = `full-${nodeName}`): Promise<void> {
    const wanted = { requests: { cpu } }
    await this.client.create<Pod>(resources.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec: { ...(nodeName !== '' && { nodeName }), containers: [{ name: 'x', image: 'x', resources: wanted }] },
    })
  }

  /** Of all Events so far. */
  async reasons(): Promise<string[]> {
    const { items } = await this.client.list<KubeObject & { readonly reason: string }>(resources.events)
    return items.map(({ reason }) => reason)
  }

  /** Calls `onSet` with every version of every set that clients see, until `stop` is called. */
  async follow(onSet: (set: CocoonSet) => void): Promise<() => Promise<void>> {
    const { client, clock } = this
    const sets = new Informer<CocoonSet>({ client, clock, random: seededRandom(2), resource: cocoon.sets })
    sets.onChange(({ object }) => onSet(object))
    sets.start()
    await sets.synced()
    return () => sets.stop()
  }

  set = (name = 'demo') => this.client.get<CocoonSet>(cocoon.sets, { name, namespace: NAMESPACE })
  pod = (name = 'demo-0') => this.client.get<Pod>(resources.pods, { name, namespace: NAMESPACE })
  hibernation = (name = 'demo-0') =>
    this.client.get<CocoonHibernation>(cocoon.hibernations, { name, namespace: NAMESPACE })

  async hibernate(desire: 'Hibernate' | 'Wake', name = 'demo-0'): Promise<void> {
    const ref = { name, namespace: NAMESPACE }
    if (await this.hibernation(name)) await this.client.patch(cocoon.hibernations, ref, { spec: { desire } })
    else
      await this.client.create(cocoon.hibernations, {
        apiVersion: 'cocoonset.cocoonstack.io/v1',
        kind: 'CocoonHibernation',
        metadata: ref,
        ...{ spec: { podRef: { name }, desire } },
      })
  }

  async removePod(name: string): Promise<void> {
    const uid = (await this.pod(name))?.metadata.uid
    await this.client.delete(resources.pods, { name, namespace: NAMESPACE })
    await this.until('the pod to go', async () => (await this.pod(name))?.metadata.uid !== uid)
  }

  async annotate(annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.client.patch(cocoon.sets, { name: 'demo', namespace: NAMESPACE }, { metadata: { annotations } })
  }

  async untilHibernation(phase: string, name = 'demo-0'): Promise<void> {
    await this.until(`hibernation ${phase}`, async () => {
      const { status, metadata } = (await this.hibernation(name)) ?? {}
      return status?.phase === phase && status.observedGeneration === metadata?.generation
    })
  }

  async removeHibernation(name = 'demo-0'): Promise<void> {
    await this.client.delete(cocoon.hibernations, { name, namespace: NAMESPACE })
  }

  /** The phase, with nothing left under way. */
  async untilPhase(phase: string, name = 'demo'): Promise<void> {
    await this.until(`phase ${phase}`, async () => {
      const set = await this.set(name)
      return set?.status?.phase === phase && set.status.observedGeneration === set.metadata.generation
    })
  }

  /** The main agent serves on this node and nothing is owed any more. */
  async untilOn(node: string, podName = 'demo-0'): Promise<void> {
    await this.until(`${podName} on ${node}`, async () => {
      const [set, pod] = [await this.set(), await this.pod(podName)]
      const isQuiet =
        !set?.status?.migrations && !set?.status?.debts && !pod?.metadata.annotations?.[podAnnotations.claim]
      return isQuiet && pod?.spec.nodeName === node && this.guest(podName)?.isReady === true
    })
  }

  guest(podName = 'demo-0') {
    return this.cluster.agents.guests().find(({ vmName }) => vmName === vmNameOf(NAMESPACE, podName))
  }

  tag = (podName = 'demo-0', tag = 'hibernate') => this.store.read(vmNameOf(NAMESPACE, podName), tag)

  /** Requests of operators to the API server so far, without watches. */
  calls = () => this.#calls
  /** Requests of anybody to the registry so far. */
  registryCalls = () => this.#registryCalls

  get damages() {
    return this.cluster.agents.ledger.damages
  }
}

async function grant(client: KubeClient): Promise<void> {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: OPERATOR }
  const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules: operatorRules }
  await client.create(resources.clusterRoles, role)
  await client.create(resources.clusterRoleBindings, {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    ...{
      subjects: [{ kind: 'User', apiGroup: group, name: OPERATOR }],
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: OPERATOR },
    },
  })
}

/** Runs with a world that is stopped whatever happens. */
export async function inNodesWorld(
  options: NodesTestbedOptions,
  run: (world: NodesTestbed) => Promise<void>,
): Promise<void> {
  const world = await NodesTestbed.start(options)
  try {
    await run(world)
  } finally {
    await world.stop()
  }
}
