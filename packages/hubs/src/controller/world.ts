/** Informers of the global hub, and which migrations a change concerns. Facts only. */
import { type Change, Informer, type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import {
  godwit,
  isTerminal,
  labels,
  type ManagedCluster,
  type ManagedClusterMigration,
  type MigrationTask,
  ocm,
  type Secret,
} from '../api/index.ts'
import { type AskLacking, controllerPreflight } from '../preflight/parties.ts'
import { Newest } from '../record/newest.ts'
import { TaskCache } from '../record/task-cache.ts'
import { contenderOf } from './turn.ts'

export interface WorldOptions {
  readonly client: KubeClient
  /** Only migrations in this namespace are acted on. */
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called with the uid of each migration whose world changed; undefined: look at all of them. */
  readonly onChange: (migrationUid: string | undefined) => void
  /** Called when a migration is over, gone or paused: others may have waited for that. */
  readonly onYield: () => void
}

export class GlobalHubWorld {
  readonly client: KubeClient
  readonly lacking: AskLacking
  readonly tasks: TaskCache
  readonly records: Newest<ManagedClusterMigration>
  readonly #migrations: Informer<ManagedClusterMigration>
  readonly #tasks: Informer<MigrationTask>
  readonly #hubs: Informer<ManagedCluster>
  readonly #accounts: Informer<KubeObject>
  readonly #tokens: Informer<Secret>
  readonly #own: Informer<Secret>

  constructor({ client, namespace, clock, random, logger, onChange, onYield }: WorldOptions) {
    this.client = client
    this.lacking = controllerPreflight(client, clock)
    const common = { client, clock, random, logger }
    this.#migrations = new Informer<ManagedClusterMigration>({ ...common, resource: godwit.migrations, namespace })
    this.#tasks = new Informer<MigrationTask>({ ...common, resource: godwit.tasks })
    this.#hubs = new Informer<ManagedCluster>({ ...common, resource: ocm.managedClusters })
    this.#accounts = new Informer<KubeObject>({
      ...common,
      resource: ocm.managedServiceAccounts,
      labelSelector: 'owner=managedclustermigration',
    })
    this.#tokens = new Informer<Secret>({
      ...common,
      resource: resources.secrets,
      labelSelector: `${labels.isManagedServiceAccount}=true`,
    })
    this.#own = new Informer<Secret>({
      ...common,
      resource: resources.secrets,
      labelSelector: labels.purpose,
      transform: withoutContent,
    })
    this.tasks = new TaskCache(this.#tasks, client)
    this.records = new Newest(this.#migrations)
    this.#tasks.addIndex('migration', task => [task.spec.migration.uid])
    this.#own.addIndex('migration', secret => [secret.metadata.labels?.[labels.migration] ?? ''])
    this.#migrations.onChange(change => {
      onChange(change.object.metadata.uid)
      if (isYielding(change)) onYield()
    })
    this.#tasks.onChange(({ object }) => onChange(object.spec.migration.uid))
    this.#own.onChange(({ object }) => onChange(object.metadata.labels?.[labels.migration]))
    for (const informer of [this.#hubs, this.#accounts, this.#tokens]) informer.onChange(() => onChange(undefined))
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const informer of this.#all) informer.start()
    await Promise.all(this.#all.map(informer => informer.synced(signal)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(informer => informer.stop()))
  }

  get #all() {
    return [this.#migrations, this.#tasks, this.#hubs, this.#accounts, this.#tokens, this.#own]
  }

  migrations = () => this.records.list()
  hub = (name: string) => this.#hubs.get({ name })
  serviceAccount = (hub: string, name: string) => this.#accounts.get({ name, namespace: hub })
  token = (hub: string, name: string) => this.#tokens.get({ name, namespace: hub })

  tasksOf(migrationUid: string): MigrationTask[] {
    return this.#tasks.byIndex('migration', migrationUid).flatMap(({ metadata }) => this.tasks.get(metadata) ?? [])
  }

  /** Secrets that Godwit made on the global hub for a migration, without their content. */
  ownSecrets = (migrationUid: string, purpose: 'bundle' | 'credential') =>
    this.#own.byIndex('migration', migrationUid).filter(secret => secret.metadata.labels?.[labels.purpose] === purpose)
}

function isYielding({ type, object, previous }: Change<ManagedClusterMigration>): boolean {
  const isInTheWay = (migration: ManagedClusterMigration) =>
    !isTerminal(migration.status?.phase) && !contenderOf(migration, undefined).isPaused
  if (type === 'deleted') return true
  return previous !== undefined && isInTheWay(previous) && !isInTheWay(object)
}

function withoutContent(secret: Secret): Secret {
  const { data: _, stringData: __, ...rest } = secret
  return rest
}

/** Deletes exactly the object that was seen. */
export const deleteSeen = (client: KubeClient, resource: Resource, { metadata }: KubeObject) =>
  client.delete(
    resource,
    { name: metadata.name, ...(metadata.namespace && { namespace: metadata.namespace }) },
    { ...(metadata.uid && { precondition: { uid: metadata.uid } }) },
  )
