/** What must hold at every moment, looked at often while a run goes on. Reports each cause once. */
import { type ManagedCluster, ocm } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import type { HubsWorld } from './world.ts'
import { SERVERS } from './world-image.ts'

type Lease = KubeObject & { readonly spec?: { readonly renewTime?: string } }
type Hub = 'hub1' | 'hub2'

interface Seen {
  readonly cluster: ManagedCluster | undefined
  /** When the agent renewed its lease; undefined when it never did. */
  readonly renewedMs: number | undefined
}

/** From the first renewal to the last one that was seen while the hub accepted the cluster without a break. */
interface Ownership {
  readonly sinceMs: number
  readonly untilMs: number
}

const LEASE_MS = 60_000

export class Watchdog {
  readonly #world: HubsWorld
  readonly #violations = new Map<string, string>()
  readonly #ownerships = new Map<string, Ownership>()
  #seen = ''

  constructor(world: HubsWorld) {
    this.#world = world
  }

  get violations(): readonly string[] {
    return [...this.#violations.values()]
  }

  look(): void {
    const { servers, names, fleet } = this.#world
    const whereabouts = names.map(name => fleet.klusterlet(name)).map(agent => `${agent?.label} ${agent?.hub}`)
    const seen = [...SERVERS.map(name => servers[name].version), ...whereabouts].join()
    // Time alone makes nothing worse: leases only grow older.
    if (seen === this.#seen) return
    this.#seen = seen
    const [source, target] = [this.#hub('hub1'), this.#hub('hub2')]
    for (const name of names) {
      const [from, to] = [source(name), target(name)]
      if (this.#haveBoth(name, from, to))
        this.#report(name, 'INV-1', 'both hubs accept it, and its agent renewed its lease on both by turns')
      const isLeaving = !from.cluster || from.cluster.metadata.deletionTimestamp !== undefined
      if (isLeaving && !to.cluster?.spec?.hubAcceptsClient)
        this.#report(name, 'INV-3', 'it is deleted from the source while the target does not accept it')
      const { hub, label } = fleet.klusterlet(name) ?? {}
      if (isLeaving && hub === 'hub1')
        this.#report(name, 'INV-3', `it is deleted from the source while its klusterlet is in ${label} there`)
    }
  }

  #report(who: string, id: string, what: string): void {
    const at = `${Math.round(this.#world.sinceBirthMs / 100) / 10} s`
    if (!this.#violations.has(`${who} ${id}`)) this.#violations.set(`${who} ${id}`, `${id} at ${at}: ${who}: ${what}`)
  }

  /**
   * A klusterlet may switch as soon as the target accepts it, a moment before the source denies it: then one lease is
   * still fresh and the other one is already. Two owners are those that it works with by turns.
   */
  #haveBoth(name: string, from: Seen, to: Seen): boolean {
    const [source, target] = [this.#ownership(`hub1 ${name}`, from), this.#ownership(`hub2 ${name}`, to)]
    if (!source || !target) return false
    return Math.max(source.sinceMs, target.sinceMs) <= Math.min(source.untilMs, target.untilMs)
  }

  #ownership(key: string, { cluster, renewedMs }: Seen): Ownership | undefined {
    const isFresh = renewedMs !== undefined && this.#world.clock.now() - renewedMs < LEASE_MS
    if (!isFresh || !cluster?.spec?.hubAcceptsClient) {
      this.#ownerships.delete(key)
      return undefined
    }
    const ownership = { sinceMs: this.#ownerships.get(key)?.sinceMs ?? renewedMs, untilMs: renewedMs }
    this.#ownerships.set(key, ownership)
    return ownership
  }

  #hub(name: Hub): (cluster: string) => Seen {
    const clusters = new Map<string, ManagedCluster>()
    for (const cluster of this.#world.objects<ManagedCluster>(name, ocm.managedClusters))
      clusters.set(cluster.metadata.name, cluster)
    const renewals = new Map<string, number | undefined>()
    for (const lease of this.#world.objects<Lease>(name, resources.leases))
      if (lease.metadata.name === 'managed-cluster-lease')
        renewals.set(lease.metadata.namespace ?? '', renewalOf(lease))
    return cluster => ({ cluster: clusters.get(cluster), renewedMs: renewals.get(cluster) })
  }
}

/** A lease that the hub made and nobody renewed says nothing about the agent. */
function renewalOf({ metadata, spec }: Lease): number | undefined {
  const renewedMs = Date.parse(spec?.renewTime ?? '')
  return renewedMs >= Date.parse(metadata.creationTimestamp ?? '') + 1_000 ? renewedMs : undefined
}
