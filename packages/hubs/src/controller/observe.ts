/** One look at a migration: informers where they suffice, fresh reads for what is asked once. */
import { resources } from '@godwit/kube'
import {
  annotation,
  annotations,
  type ConfigMap,
  DEFAULT_ADDON_NAMESPACE,
  isTerminal,
  labels,
  MANAGED_SERVICE_ACCOUNT_ADDON,
  type ManagedClusterAddOn,
  type ManagedClusterMigration,
  type MigrationTask,
  ocm,
  type Role,
} from '../api/index.ts'
import type { ItemFacts } from './item-table.ts'
import type { HubFacts, MigrationFacts, SharedSide } from './migration-facts.ts'
import { hubOf } from './tasks.ts'
import { contenderOf, isContending, type Rival, rivalOf } from './turn.ts'
import type { GlobalHubWorld } from './world.ts'

export type Observed = Omit<MigrationFacts, 'isResultWritten'> & { readonly result: ConfigMap | undefined }

export async function observe(world: GlobalHubWorld, migration: ManagedClusterMigration): Promise<Observed> {
  const { uid = '', name, namespace = '' } = migration.metadata
  const [from, to] = [hubOf(migration, 'Source'), hubOf(migration, 'Target')]
  const tasks = world.tasksOf(uid)
  const [source, target] = (['Source', 'Target'] as const).map(role => sharedSide(migration, tasks, role)) as [
    SharedSide,
    SharedSide,
  ]
  const clusters = migration.spec?.includedManagedClusters ?? source.progress?.selected
  const bundles = world.ownSecrets(uid, 'bundle')
  const delivered = new Set(
    bundles.filter(secret => secret.metadata.namespace === to).map(secret => secret.metadata.name),
  )
  const items = itemsOf(migration, tasks, delivered)
  const [lacking, fromHub, toHub, installNamespace, result] = await Promise.all([
    isBeginning(migration) ? world.lacking() : undefined,
    hubFacts(world, from, namespace),
    hubFacts(world, to, namespace),
    installNamespaceOf(world, migration, target),
    needsResult(migration) ? world.client.get<ConfigMap>(resources.configMaps, { name, namespace }) : undefined,
  ])
  return {
    migration,
    uid,
    isCancelled: isCancelled(migration, clusters),
    attempt: migration.status?.shared?.attempt ?? 0,
    rival: rivalOfMigration(world, migration, source.progress?.selected),
    lacking,
    from: fromHub,
    to: toHub,
    installNamespace,
    serviceAccount: world.serviceAccount(to, name),
    token: world.token(to, name),
    hasCredential: world.ownSecrets(uid, 'credential').length > 0,
    source,
    target,
    clusters,
    items,
    unassigned: clusters === undefined ? 0 : clusters.length - items.length,
    leftovers: { tasks: tasks.length, bundles: bundles.length },
    result,
  }
}

/** Nothing was done yet: the only moment in which the permissions of the controller are asked about. */
const isBeginning = ({ status }: ManagedClusterMigration) =>
  status?.shared?.direction !== 'Undo' && ['Pending', 'Validating'].includes(status?.shared?.stage ?? 'Pending')

/** Deleted, cancelled as a whole, or cluster by cluster until none is left. */
function isCancelled({ metadata, spec }: ManagedClusterMigration, clusters: readonly string[] | undefined): boolean {
  if (metadata.deletionTimestamp !== undefined || spec?.cancel === true) return true
  const cancelled = new Set(spec?.cancelledManagedClusters ?? [])
  return clusters !== undefined && clusters.length > 0 && clusters.every(name => cancelled.has(name))
}

/** The result is written when all clusters have settled or the migration is taken back; nobody asks for it before. */
const needsResult = ({ status }: ManagedClusterMigration) =>
  status?.shared?.stage === 'Revoking' || status?.shared?.direction === 'Undo'

function sharedSide(migration: ManagedClusterMigration, tasks: readonly MigrationTask[], role: Role): SharedSide {
  const task = tasks.find(({ spec }) => spec.scope === 'Shared' && spec.role === role)
  return { hub: hubOf(migration, role), task, wish: task?.spec.shared, progress: task?.status?.shared }
}

/** Items exist once both sides have them: a crash between the two is mended by making what is missing. */
function itemsOf(
  migration: ManagedClusterMigration,
  tasks: readonly MigrationTask[],
  delivered: ReadonlySet<string>,
): ItemFacts[] {
  const sides = (['Source', 'Target'] as const).map(role => sideOf(tasks, role))
  const [source, target] = sides as [Map<string, MigrationTask>, Map<string, MigrationTask>]
  const [from, to] = [hubOf(migration, 'Source'), hubOf(migration, 'Target')]
  return [...source].flatMap(([name, task]) => {
    const peer = target.get(name)
    if (!peer) return []
    return {
      name,
      source: { hub: from, wish: task.spec.items?.[name], progress: task.status?.items?.[name] },
      target: { hub: to, wish: peer.spec.items?.[name], progress: peer.status?.items?.[name] },
      isBundleDelivered: (bundle: string) => delivered.has(bundle),
    }
  })
}

function sideOf(tasks: readonly MigrationTask[], role: Role): Map<string, MigrationTask> {
  const of = tasks.filter(({ spec }) => spec.scope === 'Items' && spec.role === role)
  return new Map(of.flatMap(task => Object.keys(task.spec.items ?? {}).map(name => [name, task] as const)))
}

async function hubFacts(world: GlobalHubWorld, name: string, namespace: string): Promise<HubFacts> {
  const cluster = world.hub(name)
  const isLocal = cluster?.metadata.labels?.[labels.localCluster] === 'true'
  const agent =
    isLocal && (await world.client.get(resources.deployments, { name: 'multicluster-global-hub-agent', namespace }))
  return { name, cluster, hasLocalAgent: Boolean(agent) }
}

async function installNamespaceOf(
  world: GlobalHubWorld,
  migration: ManagedClusterMigration,
  target: SharedSide,
): Promise<string | undefined> {
  const given = annotation(migration, annotations.installNamespace)
  if (given) return given
  // The target agent was told once; from then on it is the record that counts.
  const told = target.wish?.serviceAccount?.namespace
  if (told) return told
  const ref = { name: MANAGED_SERVICE_ACCOUNT_ADDON, namespace: hubOf(migration, 'Target') }
  if (!ref.namespace) return undefined
  const addon = await world.client.get<ManagedClusterAddOn>(ocm.managedClusterAddOns, ref)
  return addon && (addon.status?.namespace ?? DEFAULT_ADDON_NAMESPACE)
}

function rivalOfMigration(
  world: GlobalHubWorld,
  migration: ManagedClusterMigration,
  selected: readonly string[] | undefined,
): Rival | undefined {
  if (!isContending(migration)) return undefined
  const others = world.migrations().filter(({ status }) => !isTerminal(status?.phase))
  return rivalOf(
    contenderOf(migration, selected),
    others.map(other => contenderOf(other, selectedOf(world, other))),
  )
}

/** Only a placement has to be asked for its clusters. */
function selectedOf(world: GlobalHubWorld, { metadata, spec }: ManagedClusterMigration) {
  if (!spec?.includedManagedClustersPlacementRef) return undefined
  return world.tasksOf(metadata.uid ?? '').find(({ status }) => status?.shared?.selected)?.status?.shared?.selected
}
