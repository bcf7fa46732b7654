/** How a migration is cut into MigrationTasks: one shared task a side, and items in shards of a bounded size. */
import {
  godwit,
  type ItemWish,
  MAX_TASK_ITEMS,
  type ManagedClusterMigration,
  type MigrationTask,
  ownLabels,
  RECORD_FINALIZER,
  type Role,
  type SharedWish,
  type TaskSpec,
  taskName,
} from '../api/index.ts'

export interface TaskOwner {
  readonly migration: ManagedClusterMigration
  readonly epoch: number
}

export const hubOf = ({ spec }: ManagedClusterMigration, role: Role) =>
  (role === 'Source' ? spec?.from : spec?.to) ?? ''

function task(
  { migration, epoch }: TaskOwner,
  role: Role,
  part: 'shared' | number | `plan-${string}`,
  rest: Partial<TaskSpec>,
): MigrationTask {
  const { name, namespace = '', uid = '' } = migration.metadata
  const { group, version, kind } = godwit.tasks
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      name: taskName(name, uid, part) + (role === 'Source' ? '-source' : '-target'),
      namespace: hubOf(migration, role),
      labels: ownLabels(uid, 'task'),
      // A plan is no record: nothing is lost with it.
      ...(typeof part === 'string' && part !== 'shared' ? {} : { finalizers: [RECORD_FINALIZER] }),
    },
    spec: {
      migration: { name, namespace, uid },
      role,
      scope: part === 'shared' ? 'Shared' : 'Items',
      ...(typeof part === 'number' && { shard: part }),
      peer: hubOf(migration, role === 'Source' ? 'Target' : 'Source'),
      epoch,
      ...rest,
    },
  }
}

/** Looks and tells: the agents do nothing for it. */
export const planTaskOf = (owner: TaskOwner, role: Role, part: 'shared' | number, rest: Partial<TaskSpec>) =>
  task(owner, role, `plan-${part}`, { ...rest, scope: 'Plan' })

export const sharedTask = (owner: TaskOwner, role: Role, wish: SharedWish) =>
  task(owner, role, 'shared', { shared: wish })

export interface ShardContent {
  readonly source: Readonly<Record<string, ItemWish>>
  readonly target: Readonly<Record<string, ItemWish>>
}

/** Both tasks of one shard; clusters go into shards in the order of the migration, so a repeat cuts them the same. */
export function shardTasks(
  owner: TaskOwner,
  shard: number,
  content: ShardContent,
  sealTo: string | undefined,
): MigrationTask[] {
  return [
    task(owner, 'Source', shard, { items: { ...content.source }, ...(sealTo && { sealTo }) }),
    task(owner, 'Target', shard, { items: { ...content.target } }),
  ]
}

export function shardsOf(clusters: readonly string[]): readonly (readonly string[])[] {
  const shards: string[][] = []
  for (let start = 0; start < clusters.length; start += MAX_TASK_ITEMS)
    shards.push(clusters.slice(start, start + MAX_TASK_ITEMS))
  return shards
}
