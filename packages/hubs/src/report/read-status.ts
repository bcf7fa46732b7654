/** What `godwit hubs status` shows: the migration and a table of its clusters, read on the global hub. Writes nothing. */
import { type KubeClient, resources } from '@godwit/kube'
import { type ConfigMap, godwit, labels, type ManagedClusterMigration, type MigrationTask } from '../api/index.ts'
import { pageName, WHOLE } from '../pages/pages.ts'
import { type ClusterRow, rowsOfTasks, sayRow } from './rows.ts'

export interface MigrationView {
  readonly migration: ManagedClusterMigration
  /** While the migration has tasks; afterwards `report` tells how each cluster ended. */
  readonly clusters: readonly ClusterRow[]
  /** By cluster, one line each; from the last report. */
  readonly report: Readonly<Record<string, string>>
}

/** @returns undefined when there is no such migration */
export async function readStatus(
  client: KubeClient,
  ref: { readonly name: string; readonly namespace: string },
): Promise<MigrationView | undefined> {
  const migration = await client.get<ManagedClusterMigration>(godwit.migrations, ref)
  if (!migration) return undefined
  const { items } = await client.list<MigrationTask>(godwit.tasks, {
    labelSelector: `${labels.migration}=${migration.metadata.uid ?? ''}`,
  })
  const clusters = rowsOfTasks(migration, items)
  return { migration, clusters, report: clusters.length > 0 ? {} : await readReport(client, ref) }
}

async function readReport(
  client: KubeClient,
  { name, namespace }: { readonly name: string; readonly namespace: string },
) {
  const report: Record<string, string> = {}
  for (let page = 0; ; page++) {
    const map = await client.get<ConfigMap>(resources.configMaps, { name: pageName(name, 'report', page), namespace })
    if (!map) return report
    for (const [cluster, line] of Object.entries(map.data ?? {})) if (cluster !== WHOLE) report[cluster] = line
  }
}

/** For a terminal: where it is, what it waits for, what comes next, then a line for each cluster. */
export function renderStatus({ migration, clusters, report }: MigrationView): string {
  const { metadata, spec, status = {} } = migration
  const { progress, waitingFor = [], conditions = [], residue = [] } = status
  const failed = conditions.filter(({ status: is, reason }) => is === 'False' && reason !== 'Waiting')
  const lines = [
    `${metadata.name}: ${spec?.from} -> ${spec?.to}: ${status.phase ?? 'not seen by a controller yet'}`,
    ...(progress ? [`  ${progress.settled} of ${progress.total} clusters have settled (${progress.percent} %)`] : []),
    ...(progress?.estimatedCompletion ? [`  may be done at ${progress.estimatedCompletion}`] : []),
    ...waitingFor.map(
      ({ what, who, since, until, items }) =>
        `  waits for ${what} (${who}) since ${since}${until ? `, until ${until}` : ''}${items ? `, ${items} clusters` : ''}`,
    ),
    ...(progress?.next && status.completionTime === undefined ? [`  next: ${progress.next}`] : []),
    ...failed.map(({ type, reason, message }) => `  ${type}: ${reason}: ${message}`),
    ...residue.map(text => `  left behind: ${text}`),
  ]
  const width = Math.max(0, ...clusters.map(({ cluster }) => cluster.length), ...Object.keys(report).map(k => k.length))
  const rows = clusters.length > 0 ? clusters.map(row => [row.cluster, sayRow(row)] as const) : Object.entries(report)
  return [...lines, '', ...rows.map(([cluster, line]) => `${cluster.padEnd(width)}  ${line}`)].join('\n')
}
