import type { KubeClient } from '@godwit/kube'
import { isTerminal, type ManagedClusterMigration, type MigrationTask } from '../api/index.ts'
import type { Sample } from './metrics.ts'

/** Adds up equal labels. */
function sum(
  metric: Sample['metric'],
  rows: readonly { readonly labels: Record<string, string>; readonly by: number }[],
) {
  const sums = new Map<string, { labels: Record<string, string>; value: number }>()
  for (const { labels, by } of rows) {
    const key = JSON.stringify(labels)
    const known = sums.get(key)
    if (known) known.value += by
    else sums.set(key, { labels, value: by })
  }
  return [...sums.values()].map(({ labels, value }): Sample => ({ metric, labels, value }))
}

/** @param nowMs in the clock of the controller, which wrote the times */
export function migrationSamples(migrations: readonly ManagedClusterMigration[], nowMs: number): Sample[] {
  const open = migrations.filter(({ status }) => !isTerminal(status?.phase))
  const phases = migrations.map(({ status }) => ({ labels: { phase: status?.phase ?? 'Pending' }, by: 1 }))
  const clusters = open.flatMap(({ status }) =>
    Object.entries(status?.clusters ?? {})
      .filter(([state]) => state !== 'total')
      .map(([state, by]) => ({ labels: { state }, by })),
  )
  const waits = open.flatMap(({ status }) => status?.waitingFor?.map(({ since }) => nowMs - Date.parse(since)) ?? [])
  const residue = migrations.reduce((count, { status }) => count + (status?.residue?.length ?? 0), 0)
  return [
    ...sum('godwit_hubs_migrations', phases),
    ...sum('godwit_hubs_clusters', clusters),
    { metric: 'godwit_hubs_longest_wait_seconds', value: Math.max(0, ...waits) / 1000 },
    { metric: 'godwit_hubs_residue', value: residue },
  ]
}

export function taskSamples(tasks: readonly MigrationTask[]): Sample[] {
  const kinds = tasks.map(({ spec: { role, scope } }) => ({ labels: { role, scope }, by: 1 }))
  const clusters = tasks.flatMap(({ spec: { role }, status }) =>
    Object.values(status?.items ?? {}).map(({ stage, state }) => ({ labels: { role, stage, state }, by: 1 })),
  )
  return [...sum('godwit_hubs_tasks', kinds), ...sum('godwit_hubs_task_clusters', clusters)]
}

/** @param server `global-hub` or `hub` */
export const requestSamples = (server: string, { calls }: KubeClient): Sample[] =>
  calls.entries().map(({ verb, resource, count }) => ({
    metric: 'godwit_kube_requests_total',
    labels: { server, verb, resource },
    value: count,
  }))

export const processSamples = (): Sample[] => {
  const { user, system } = process.cpuUsage()
  return [
    { metric: 'process_resident_memory_bytes', value: process.memoryUsage.rss() },
    { metric: 'process_cpu_seconds_total', value: (user + system) / 1e6 },
  ]
}
