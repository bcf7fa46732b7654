/** A person asks to roll back again what ended Failed: accepted at any later time, also while others migrate (H-20, H-21). */
import type { EventRecorder, KubeClient } from '@godwit/kube'
import { type Clock, type Logger, rfc3339 } from '@godwit/ports'
import {
  annotation,
  annotations,
  FINALIZER,
  godwit,
  type ManagedClusterMigration,
  type SharedRecord,
} from '../api/index.ts'
import type { GlobalHubWorld } from './world.ts'

const REQUEST = 'rollback'

export const isAskedToRollBack = (migration: ManagedClusterMigration) =>
  migration.status?.phase === 'Failed' && annotation(migration, annotations.request) === REQUEST

export interface ReopenOptions {
  readonly world: GlobalHubWorld
  readonly client: KubeClient
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventRecorder
}

/**
 * Opens the record first and drops the request last: a crash between the two asks once more, which is harmless. A
 * migration without tasks was taken back to the end; nothing is opened for it.
 */
export async function reopen(options: ReopenOptions, migration: ManagedClusterMigration): Promise<void> {
  const { world, client, clock, logger, events } = options
  const { name, uid = '', finalizers = [] } = migration.metadata
  const isOpenable = world.tasksOf(uid).length > 0
  const held = isOpenable ? [...new Set([...finalizers, FINALIZER])] : finalizers
  const metadata = { annotations: { [annotations.request]: null }, finalizers: held }
  let seen = migration
  if (isOpenable) seen = await patch(client, seen, { status: opened(migration, rfc3339(clock.now())) }, 'status')
  world.records.wrote(await patch(client, seen, { metadata }))
  const message = isOpenable ? 'rolling back again, as asked' : 'nothing is left to roll back'
  logger.info({ migration: name, attempt: seen.status?.shared?.attempt }, message)
  events.record({ regarding: migration, type: 'Normal', reason: 'RollbackRequested', message })
}

function opened({ status }: ManagedClusterMigration, now: string) {
  const { stage = 'Moving', direction = 'Forward', attempt = 0, failure } = status?.shared ?? {}
  // Clusters are undone one by one while the migration is moving; a migration that failed as a whole goes on undoing.
  const shared: SharedRecord = {
    stage: direction === 'Undo' ? stage : 'Moving',
    direction,
    entered: true,
    since: now,
    attempt: attempt + 1,
    ...(failure && { failure }),
  }
  return { phase: 'Rollbacking', shared: { ...shared, deadline: null }, residue: null, completionTime: null }
}

async function patch(client: KubeClient, migration: ManagedClusterMigration, body: object, subresource?: 'status') {
  const { resourceVersion = '' } = migration.metadata
  const options = { precondition: { resourceVersion }, ...(subresource && { subresource }) }
  return client.patch<ManagedClusterMigration>(godwit.migrations, migration.metadata, body, options)
}
