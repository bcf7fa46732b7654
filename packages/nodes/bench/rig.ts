/** A cluster on the machine's clock, in one process and without sockets, with the real operator in it. */
import { Informer, KubeClient, type KubeObject, resources, type Transport } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { seededRandom, silentLogger, sleep, systemClock, systemRandom } from '@godwit/ports'
import { type AgentKnobs, EmbeddedRegistry, startVmCluster } from '@godwit/simulation'
import { type CocoonSet, cocoon, cocoonHibernationCrd, cocoonSetCrd, ociRegistry, runOperator } from '../src/index.ts'

export interface RigOptions {
  readonly knobs: Partial<AgentKnobs>
  /** Of each request of the operator to the API, in milliseconds. */
  readonly apiLatencyMs: number
}

/** One request of the operator, in milliseconds of the machine's clock. */
export interface TimedCall {
  readonly what: string
  readonly beganMs: number
  readonly endedMs: number
}

interface Parts {
  readonly server: KubeServer
  readonly registry: EmbeddedRegistry
  readonly calls: { api: number; registry: number }
  readonly kinds: Map<string, number>
}

const OPERATOR = 'operator'
const NAMESPACE = 'bench'
const NODES = ['node-a', 'node-b', 'node-c'] as const
const LIMIT_MS = 600_000
/** A wave of moves needs no timeline. */
const MAX_TIMELINE = 1_000

export class Rig {
  readonly #server: KubeServer
  readonly #registry: EmbeddedRegistry
  readonly #client: KubeClient
  readonly #sets: Informer<CocoonSet>
  readonly #stop = new AbortController()
  readonly #calls: { api: number; registry: number }
  readonly #kinds: Map<string, number>
  readonly #options: RigOptions
  readonly #wanted = new Map<string, string>()
  #cluster: Awaited<ReturnType<typeof startVmCluster>> | undefined
  #running: Promise<void> | undefined
  #changed = new AbortController()
  #timeline: TimedCall[] = []

  private constructor(parts: Parts, options: RigOptions) {
    const { server } = parts
    this.#server = server
    this.#registry = parts.registry
    this.#calls = parts.calls
    this.#kinds = parts.kinds
    this.#options = options
    const ports = { clock: systemClock, random: systemRandom }
    this.#client = new KubeClient({ transport: server.transport('admin'), ...ports })
    this.#sets = new Informer<CocoonSet>({ client: this.#client, resource: cocoon.sets, ...ports })
  }

  static async start(options: RigOptions): Promise<Rig> {
    const calls = { api: 0, registry: 0 }
    const kinds = new Map<string, number>()
    const server = await KubeServer.start({
      listen: false,
      onRequest: ({ user, verb, resource }) => {
        if (user !== OPERATOR) return
        calls.api++
        kinds.set(`${verb} ${resource}`, (kinds.get(`${verb} ${resource}`) ?? 0) + 1)
      },
    })
    const registry = await EmbeddedRegistry.start({ listen: false })
    const rig = new Rig({ server, registry, calls, kinds }, options)
    await rig.#populate()
    return rig
  }

  /** Requests of the operator so far. */
  get calls(): { readonly api: number; readonly registry: number } {
    return { ...this.#calls }
  }

  /** Forgets which kinds of requests there were, and tells them. */
  takeKinds(): string {
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${count} ${kind}`)
    this.#kinds.clear()
    return kinds.join(', ')
  }

  /** What the operator asked since it was last asked for, in the order of the answers; watches are left out. */
  takeTimeline(): readonly TimedCall[] {
    return this.#timeline.splice(0)
  }

  /** Sets that run on the first node, all made at once. */
  async createSets(count: number): Promise<void> {
    for (let index = 0; index < count; index++)
      await this.#client.create<KubeObject>(cocoon.sets, {
        apiVersion: 'cocoonset.cocoonstack.io/v1',
        kind: 'CocoonSet',
        metadata: { name: nameOf(index), namespace: NAMESPACE },
        spec: { nodeName: NODES[0], snapshotPolicy: 'never', agent: { image: 'ubuntu' } },
      } as KubeObject)
    await this.settled(count)
  }

  async pin(index: number, node: number): Promise<void> {
    const nodeName = NODES[node % NODES.length] ?? NODES[0]
    this.#wanted.set(nameOf(index), nodeName)
    const spec = { nodeName }
    await this.#client.patch(cocoon.sets, { name: nameOf(index), namespace: NAMESPACE }, { spec })
  }

  /** When so many sets run on what their newest spec says, with nothing under way: what their users wait for. */
  settled(count: number): Promise<void> {
    return this.#until(`${count} sets settled`, () => this.#settledCount() >= count)
  }

  /** When the snapshots that have served are gone as well. */
  clean(): Promise<void> {
    return this.#until('all debts paid', this.#isClean)
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const deadline = systemClock.now() + LIMIT_MS
    while (!holds()) {
      if (systemClock.now() > deadline) throw new Error(`not in time: ${what}; ${this.#settledCount()} sets settled`)
      await this.#nextChange()
    }
  }

  /** Saved states that were lost: always none. */
  get damages(): number {
    return this.#cluster?.agents.ledger.damages.length ?? 0
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#cluster?.stop()
    await this.#sets.stop()
    await this.#server.stop()
  }

  /** A set may be Running on its newest spec before anybody has begun to move it. */
  #isThere(name: string): boolean {
    const pod = this.#cluster?.agents.pods.get({ namespace: NAMESPACE, name: `${name}-0` })
    return pod?.spec?.nodeName === (this.#wanted.get(name) ?? NODES[0])
  }

  #settledCount = () =>
    this.#sets
      .list()
      .filter(
        ({ metadata, status }) =>
          status?.phase === 'Running' &&
          this.#isThere(metadata.name) &&
          status.observedGeneration === metadata.generation &&
          !status.migrations?.length,
      ).length

  #isClean = () => this.#sets.list().every(({ status }) => !status?.debts?.length)

  async #nextChange(): Promise<void> {
    this.#changed = new AbortController()
    await sleep(systemClock, 1_000, this.#changed.signal)
  }

  async #populate(): Promise<void> {
    const client = this.#client
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    for (const crd of [cocoonSetCrd, cocoonHibernationCrd])
      await client.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
    await this.#server.idle()
    this.#sets.onChange(() => this.#changed.abort())
    this.#sets.start()
    await this.#sets.synced()
    this.#cluster = await startVmCluster({
      client,
      registry: this.#registry.transport(),
      nodes: NODES.map(name => ({ name, cpu: '10000', memory: '100Ti' })),
      knobs: { ...this.#options.knobs },
      clock: systemClock,
      random: seededRandom(1),
    })
    const { apiLatencyMs } = this.#options
    if (apiLatencyMs > 0)
      this.#server.faults.add({
        users: [OPERATOR],
        verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'],
        effect: { kind: 'delay', delayMs: apiLatencyMs },
      })
    this.#running = this.#operate()
  }

  #timed(direct: Transport): Transport {
    return {
      request: async request => {
        const beganMs = systemClock.now()
        const answer = await direct.request(request)
        const what = `${request.method} ${request.path} ${request.body ?? ''}`
        if (!request.stream && this.#timeline.length < MAX_TIMELINE)
          this.#timeline.push({ what, beganMs, endedMs: systemClock.now() })
        return answer
      },
      close: () => direct.close(),
    }
  }

  #operate(): Promise<void> {
    const ports = { clock: systemClock, random: systemRandom }
    const transport = this.#timed(this.#server.transport({ name: OPERATOR, groups: ['system:masters'] }))
    const registry = ociRegistry({
      base: 'registry.invalid',
      connect: () => {
        const direct = this.#timed(this.#registry.transport())
        return {
          request: request => {
            this.#calls.registry++
            return direct.request(request)
          },
          close: () => direct.close(),
        }
      },
    })
    const client = new KubeClient({ transport, ...ports })
    const options = { client, registry, identity: 'bench', logger: silentLogger, ...ports }
    return runOperator(options, this.#stop.signal)
  }
}

const nameOf = (index: number) => `set-${index}`
