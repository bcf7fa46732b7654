/** Migrations as a user writes them, and what their status tells. */
import { Informer, type KubeClient } from '@godwit/kube'
import { systemClock, systemRandom } from '@godwit/ports'
import { GLOBAL_HUB_NAMESPACE, godwit, isTerminal, type ManagedClusterMigration } from '../../src/index.ts'

export interface Move {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly clusters: readonly string[]
}

export async function create(globalHub: KubeClient, { name, from, to, clusters }: Move): Promise<void> {
  const { group, version, kind } = godwit.migrations
  await globalHub.create<ManagedClusterMigration>(godwit.migrations, {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name, namespace: GLOBAL_HUB_NAMESPACE },
    spec: { from, to, includedManagedClusters: [...clusters] },
  })
}

export const cancel = (globalHub: KubeClient, name: string) =>
  globalHub.delete(godwit.migrations, { name, namespace: GLOBAL_HUB_NAMESPACE })

type Fact = (migrations: readonly ManagedClusterMigration[]) => boolean

/** All migrations of a global hub as they change. */
export class Observer {
  readonly #informer: Informer<ManagedClusterMigration>
  #listeners: (() => void)[] = []

  constructor(client: KubeClient) {
    this.#informer = new Informer<ManagedClusterMigration>({
      client,
      resource: godwit.migrations,
      clock: systemClock,
      random: systemRandom,
    })
    this.#informer.onChange(() => {
      for (const listener of this.#listeners) listener()
    })
    this.#informer.start()
  }

  get all(): readonly ManagedClusterMigration[] {
    return this.#informer.list()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves when the fact holds; rejects after `withinMs`, with what was seen last. */
  until(what: string, fact: Fact, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        cancelTimer()
        this.#listeners = this.#listeners.filter(each => each !== look)
        settle()
      }
      const look = () => {
        if (fact(this.all)) end(resolve)
      }
      const cancelTimer = systemClock.after(withinMs, () =>
        end(() => reject(new Error(`${what} did not happen within ${withinMs / 1000} s: ${this.#summary()}`))),
      )
      this.#listeners.push(look)
      look()
    })
  }

  stop(): Promise<void> {
    return this.#informer.stop()
  }

  #summary(): string {
    const states = this.all.map(({ metadata, status }) => ({ name: metadata.name, ...status }))
    return JSON.stringify(
      states.map(({ name, phase, clusters, waitingFor }) => ({ name, phase, clusters, waitingFor })),
    ).slice(0, 2000)
  }
}

export const isOver = (migration: ManagedClusterMigration | undefined) => isTerminal(migration?.status?.phase)
export const named =
  (name: string, fact: (migration: ManagedClusterMigration) => boolean): Fact =>
  migrations =>
    migrations.some(migration => migration.metadata.name === name && fact(migration))
