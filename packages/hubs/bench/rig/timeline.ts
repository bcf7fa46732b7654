/**
 * How long each cluster waits for others on its way. The waits, as facts on the API servers: its two-hub configuration
 * to be applied, its klusterlet to renew the lease on the target, its certificate by the target's own bootstrap, its
 * namespace to go from the source. What is left of its time is the control plane's.
 */
import { Informer, type KubeObject, type Resource, resources } from '@godwit/kube'
import { sleep, systemClock, systemRandom } from '@godwit/ports'
import {
  annotation,
  annotations,
  type CertificateSigningRequest,
  conditionOf,
  godwit,
  importBootstrapUser,
  klusterletWorkName,
  LEASE_NAME,
  type Lease,
  labels,
  type ManagedCluster,
  type ManifestWork,
  type MigrationTask,
  ocm,
} from '../../src/index.ts'
import type { World } from './world.ts'

type Moment =
  | 'begun'
  | 'claimed'
  | 'applied'
  | 'denied'
  | 'alive'
  | 'handedOver'
  | 'certified'
  | 'deleted'
  | 'gone'
  | 'ended'

/** From what the control plane did to what the others made of it. */
const WAITS: readonly (readonly [Moment, Moment])[] = [
  ['claimed', 'applied'],
  ['denied', 'alive'],
  ['handedOver', 'certified'],
  ['deleted', 'gone'],
]

export interface Way {
  readonly name: string
  readonly totalMs: number
  readonly waitedMs: number
}

const CATCH_UP_MS = 15_000
const LOOK_MS = 250

export class Timeline {
  readonly #moments = new Map<string, Map<Moment, number>>()
  readonly #informers: Informer<KubeObject>[] = []
  readonly #leases = new Map<string, string | undefined>()

  constructor(world: World, from: string, to: string) {
    const watch = <T extends KubeObject>(
      hub: string,
      resource: Resource,
      see: (object: T, isGone: boolean) => void,
    ) => {
      const client = hub === 'global' ? world.globalHub : world.client(hub)
      const informer = new Informer<KubeObject>({ client, resource, clock: systemClock, random: systemRandom })
      informer.onChange(({ type, object }) => see(object as T, type === 'deleted'))
      this.#informers.push(informer)
    }
    watch<ManagedCluster>(from, ocm.managedClusters, cluster => this.#onSource(cluster))
    watch<KubeObject>(from, resources.namespaces, ({ metadata }, isGone) => {
      if (isGone) this.#note(metadata.name, 'gone')
    })
    watch<ManifestWork>(from, ocm.manifestWorks, work => this.#onWork(work))
    watch<Lease>(to, resources.leases, lease => this.#onLease(lease))
    watch<ManagedCluster>(to, ocm.managedClusters, cluster => this.#onTarget(cluster))
    watch<CertificateSigningRequest>(to, resources.certificateSigningRequests, request => this.#onRequest(request))
    watch<MigrationTask & KubeObject>('global', godwit.tasks, task => this.#onTask(task))
  }

  async start(): Promise<void> {
    for (const informer of this.#informers) informer.start()
    await Promise.all(this.#informers.map(informer => informer.synced()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.stop()))
  }

  /** Waits until every moment of so many clusters was seen: what is watched here may come later than the end. */
  async caughtUp(clusters: number): Promise<void> {
    const patience = performance.now() + CATCH_UP_MS
    while (this.ways.length < clusters && performance.now() < patience) await sleep(systemClock, LOOK_MS)
    if (this.ways.length === 0) throw new Error('of no cluster every moment was seen')
  }

  /** Clusters that have ended and of which every moment was seen. */
  get ways(): readonly Way[] {
    return [...this.#moments].flatMap(([name, seen]) => {
      const between = (from: Moment, to: Moment) => (seen.get(to) ?? Number.NaN) - (seen.get(from) ?? Number.NaN)
      const waitedMs = WAITS.reduce((sum, [from, to]) => sum + Math.max(0, between(from, to)), 0)
      const totalMs = between('begun', 'ended')
      return Number.isNaN(waitedMs + totalMs) ? [] : [{ name, totalMs, waitedMs }]
    })
  }

  #note(name: string, moment: Moment): void {
    const seen = this.#moments.get(name) ?? new Map<Moment, number>()
    if (!seen.has(moment)) this.#moments.set(name, seen.set(moment, performance.now()))
  }

  #has = (name: string, moment: Moment) => this.#moments.get(name)?.has(moment) === true

  #onSource(cluster: ManagedCluster): void {
    const { name, deletionTimestamp } = cluster.metadata
    if (annotation(cluster, annotations.migration) !== undefined) this.#note(name, 'claimed')
    if (!this.#has(name, 'claimed')) return
    if (cluster.spec?.hubAcceptsClient === false) this.#note(name, 'denied')
    if (deletionTimestamp) this.#note(name, 'deleted')
  }

  /** The generation that carries the second hub is the first one after the claim. */
  #onWork(work: ManifestWork): void {
    const { name, namespace = '', generation = 0 } = work.metadata
    if (name !== klusterletWorkName(namespace) || !this.#has(namespace, 'claimed')) return
    const applied = conditionOf(work, 'Applied')
    if (generation > 1 && applied?.status === 'True' && applied.observedGeneration === generation)
      this.#note(namespace, 'applied')
  }

  #onLease(lease: Lease): void {
    const { name, namespace = '' } = lease.metadata
    if (name !== LEASE_NAME) return
    const renewed = lease.spec?.renewTime
    if (!this.#leases.has(namespace)) this.#leases.set(namespace, renewed)
    else if (this.#leases.get(namespace) !== renewed) this.#note(namespace, 'alive')
  }

  #onTarget(cluster: ManagedCluster): void {
    const { name } = cluster.metadata
    if (!this.#has(name, 'alive')) return
    if (annotation(cluster, annotations.disableAutoImport) === undefined) this.#note(name, 'handedOver')
  }

  #onRequest(request: CertificateSigningRequest): void {
    const name = request.metadata.labels?.[labels.clusterName] ?? ''
    const isOwn = request.spec?.username === importBootstrapUser(name)
    if (isOwn && request.status?.certificate && this.#has(name, 'handedOver')) this.#note(name, 'certified')
  }

  #onTask({ spec }: MigrationTask): void {
    if (spec.role !== 'Source') return
    for (const [name, wish] of Object.entries(spec.items ?? {})) {
      if (wish.stage !== 'Validating') this.#note(name, 'begun')
      if (wish.outcome !== undefined) this.#note(name, 'ended')
    }
  }
}
