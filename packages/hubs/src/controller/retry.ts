/**
 * A person asks to try the failed clusters of a finished migration again. What is over never changes (INV-4): a new
 * migration is made that names only the clusters that failed and are back where they were.
 */
import { type EventRecorder, isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import type { Logger } from '@godwit/ports'
import {
  annotation,
  annotations,
  type ConfigMap,
  godwit,
  type ManagedClusterMigration,
  type MigrationSpec,
  type MigrationTask,
} from '../api/index.ts'
import type { GlobalHubWorld } from './world.ts'

const REQUEST = 'retry'
const NAMED = `${REQUEST}/`

export interface RetryOptions {
  readonly world: GlobalHubWorld
  readonly client: KubeClient
  readonly logger: Logger
  readonly events: EventRecorder
}

const requestOf = (migration: ManagedClusterMigration) => annotation(migration, annotations.request) ?? ''

export const isAskedToRetry = (migration: ManagedClusterMigration) =>
  migration.status?.phase === 'Failed' &&
  migration.metadata.deletionTimestamp === undefined &&
  (requestOf(migration) === REQUEST || requestOf(migration).startsWith(NAMED))

/** What the new migration should move: names, or the placement again when nobody ever knew the names. */
export type Selection = Pick<MigrationSpec, 'includedManagedClusters' | 'includedManagedClustersPlacementRef'>

/**
 * @param failure names in the result of the migration; undefined: it never knew its clusters
 * @param stuck clusters that could not be taken back: they still belong to the old migration
 * @returns undefined when nothing is left to try
 */
export function selectionOf(
  spec: MigrationSpec,
  failure: readonly string[] | undefined,
  stuck: ReadonlySet<string>,
): Selection | undefined {
  if (failure === undefined) {
    const { includedManagedClustersPlacementRef: placement } = spec
    return placement === undefined ? undefined : { includedManagedClustersPlacementRef: placement }
  }
  const out = new Set(spec.cancelledManagedClusters ?? [])
  const names = failure.filter(name => !stuck.has(name) && !out.has(name))
  return names.length > 0 ? { includedManagedClusters: names } : undefined
}

/** `move` becomes `move-retry-1`, that one `move-retry-2`: the first that is free. */
export function nextName(name: string, taken: ReadonlySet<string>): string {
  const base = name.replace(/-retry-[0-9]+$/, '').slice(0, 200)
  for (let number = 1; ; number++) if (!taken.has(`${base}-retry-${number}`)) return `${base}-retry-${number}`
}

/** Says in the request itself what it will make before it makes it: after a crash the same one is made, or found. */
export async function retryFailed(options: RetryOptions, migration: ManagedClusterMigration): Promise<void> {
  const request = requestOf(migration)
  if (request === REQUEST) return chooseName(options, migration)
  const name = request.slice(NAMED.length)
  const selection = await selectFailed(options, migration)
  if (!selection) return finish(options, migration, 'nothing to try again: roll back first what is not back yet')
  const isOurs = await create(options.client, migration, name, selection)
  if (!isOurs) return chooseName(options, migration)
  return finish(options, migration, `the clusters that failed are tried again by migration ${name}`)
}

function chooseName(options: RetryOptions, migration: ManagedClusterMigration): Promise<void> {
  const taken = new Set(options.world.migrations().map(({ metadata }) => metadata.name))
  return setRequest(options, migration, NAMED + nextName(migration.metadata.name, taken))
}

async function setRequest({ client, world }: RetryOptions, migration: ManagedClusterMigration, value: string | null) {
  const { resourceVersion = '' } = migration.metadata
  const body = { metadata: { annotations: { [annotations.request]: value } } }
  const options = { precondition: { resourceVersion } }
  world.records.wrote(await client.patch<ManagedClusterMigration>(godwit.migrations, migration.metadata, body, options))
}

async function finish(options: RetryOptions, migration: ManagedClusterMigration, message: string): Promise<void> {
  await setRequest(options, migration, null)
  options.logger.info({ migration: migration.metadata.name }, message)
  options.events.record({ regarding: migration, type: 'Normal', reason: 'RetryRequested', message })
}

async function selectFailed({ client, world }: RetryOptions, { metadata, spec }: ManagedClusterMigration) {
  const { name, namespace = '', uid = '' } = metadata
  if (!spec) return undefined
  const result = await client.get<ConfigMap>(resources.configMaps, { name, namespace })
  const isOurs = result?.metadata.ownerReferences?.some(owner => owner.uid === uid) ?? false
  const text = isOurs ? result?.data?.['failure'] : undefined
  const failure = text === undefined ? spec.includedManagedClusters : (JSON.parse(text) as string[])
  return selectionOf(spec, failure, stuckOf(world.tasksOf(uid)))
}

const stuckOf = (tasks: readonly MigrationTask[]) =>
  new Set(
    tasks
      .filter(({ spec }) => spec.role === 'Source')
      .flatMap(({ spec }) => Object.entries(spec.items ?? {}))
      .flatMap(([name, wish]) => (wish.outcome === 'Stuck' ? [name] : [])),
  )

/** @returns false when the name is somebody else's */
async function create(
  client: KubeClient,
  migration: ManagedClusterMigration,
  name: string,
  selection: Selection,
): Promise<boolean> {
  const retry = renderRetry(migration, name, selection)
  try {
    await client.create<ManagedClusterMigration>(godwit.migrations, retry)
    return true
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const live = await client.get<ManagedClusterMigration>(godwit.migrations, retry.metadata)
    return live !== undefined && annotation(live, annotations.retryOf) === annotation(retry, annotations.retryOf)
  }
}

/** Hubs, deadlines and strategy are those of the old migration; a pause or a cancellation is not taken over. */
export function renderRetry(
  { apiVersion, kind, metadata, spec }: ManagedClusterMigration,
  name: string,
  selection: Selection,
): ManagedClusterMigration {
  const { from = '', to = '', supportedConfigs, strategy } = spec ?? {}
  const installNamespace = metadata.annotations?.[annotations.installNamespace]
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(metadata.namespace && { namespace: metadata.namespace }),
      annotations: {
        [annotations.retryOf]: `${metadata.name}/${metadata.uid}`,
        ...(installNamespace && { [annotations.installNamespace]: installNamespace }),
      },
    },
    spec: {
      from,
      to,
      ...selection,
      ...(supportedConfigs && { supportedConfigs }),
      ...(strategy && { strategy }),
    },
  }
}
