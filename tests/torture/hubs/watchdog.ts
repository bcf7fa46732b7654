/** What must hold at every moment, looked at often while a run goes on. Reports each cause once. */
import { type ManagedCluster, ocm } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import type { HubsWorld } from './world.ts'

type Lease = KubeObject & { readonly spec?: { readonly renewTime?: string } }

interface Seen {
  readonly cluster: ManagedCluster | undefined
  readonly lease: Lease | undefined
}

const LEASE_MS = 60_000

export class Watchdog {
  readonly #world: HubsWorld
  readonly #violations = new Map<string, string>()
  #ended: string | undefined

  constructor(world: HubsWorld) {
    this.#world = world
  }

  get violations(): readonly string[] {
    return [...this.#violations.values()]
  }

  async look(): Promise<void> {
    const [source, target] = await Promise.all([this.#hub('hub1'), this.#hub('hub2')])
    for (const name of this.#world.names) {
      const [from, to] = [source(name), target(name)]
      if (this.#isOwner(from) && this.#isOwner(to))
        this.#report(name, 'INV-1', 'both hubs accept it, and its agent renewed its lease on both within a minute')
      const isLeaving = !from.cluster || from.cluster.metadata.deletionTimestamp !== undefined
      if (isLeaving && !to.cluster?.spec?.hubAcceptsClient)
        this.#report(name, 'INV-3', 'it is deleted from the source while the target does not accept it')
      const { hub, label } = this.#world.fleet.klusterlet(name) ?? {}
      if (isLeaving && hub === 'hub1')
        this.#report(name, 'INV-3', `it is deleted from the source while its klusterlet is in ${label} there`)
    }
    const phase = (await this.#world.migration())?.status?.phase
    if (this.#ended !== undefined && phase !== undefined && phase !== this.#ended)
      this.#report('migration', 'INV-4', `it was ${this.#ended} and is ${phase}`)
    if (phase === 'Completed' || phase === 'Failed') this.#ended = phase
  }

  #report(who: string, id: string, what: string): void {
    const at = `${Math.round(this.#world.sinceBirthMs / 100) / 10} s`
    if (!this.#violations.has(`${who} ${id}`)) this.#violations.set(`${who} ${id}`, `${id} at ${at}: ${who}: ${what}`)
  }

  /** A lease that the hub made and nobody renewed says nothing about the agent. */
  #isOwner({ cluster, lease }: Seen): boolean {
    const renewedMs = Date.parse(lease?.spec?.renewTime ?? '')
    const isRenewed = renewedMs >= Date.parse(lease?.metadata.creationTimestamp ?? '') + 1_000
    const isFresh = this.#world.clock.now() - renewedMs < LEASE_MS
    return cluster?.spec?.hubAcceptsClient === true && isRenewed && isFresh
  }

  async #hub(name: 'hub1' | 'hub2'): Promise<(cluster: string) => Seen> {
    const client = this.#world.clients[name]
    const [clusters, leases] = await Promise.all([
      client.list<ManagedCluster>(ocm.managedClusters),
      client.list<Lease>(resources.leases, { fieldSelector: 'metadata.name=managed-cluster-lease' }),
    ])
    return cluster => ({
      cluster: clusters.items.find(({ metadata }) => metadata.name === cluster),
      lease: leases.items.find(({ metadata }) => metadata.namespace === cluster),
    })
  }
}
