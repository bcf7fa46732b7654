/** One line for each cluster: where it is, why it waits, how it ended. For pages and for the command line. Pure. */
import type { ItemWish, ManagedClusterMigration, MigrationTask } from '../api/index.ts'
import type { NamedStep } from '../controller/progress.ts'
import { bucketOf } from '../controller/progress.ts'

export interface ClusterRow {
  readonly cluster: string
  /** As in the counts of the migration: waiting, registering, completed … */
  readonly state: string
  readonly stage?: string
  readonly since?: string
  readonly until?: string
  readonly waitsFor?: string
  readonly who?: string
  /** Why it does not arrive, or what was left behind. */
  readonly why?: string
}

interface Waits {
  readonly what: string
  readonly who: string
}

function rowOf(cluster: string, source: ItemWish, waits: Waits | undefined): ClusterRow {
  const { cursor, outcome, failure, residue = [] } = source
  const why = [...(failure ? [`${failure.stage}: ${failure.code}: ${failure.message}`] : []), ...residue].join('; ')
  const isOpen = outcome === undefined
  return {
    cluster,
    state: bucketOf({ source, target: undefined }),
    ...(cursor && { stage: cursor.stage, since: cursor.since }),
    ...(isOpen && cursor && { until: cursor.deadline }),
    ...(isOpen && waits && { waitsFor: waits.what, who: waits.who }),
    ...(why !== '' && { why }),
  }
}

export const rowsOfSteps = (items: readonly NamedStep[]): ClusterRow[] =>
  items.map(({ name, step }) => rowOf(name, step.source, step.waitsFor))

/** From the tasks of both sides, as anybody can read them on the global hub. */
export function rowsOfTasks(migration: ManagedClusterMigration, tasks: readonly MigrationTask[]): ClusterRow[] {
  const own = tasks.filter(({ spec }) => spec.migration.uid === migration.metadata.uid && spec.scope === 'Items')
  const waits = new Map<string, Waits>()
  for (const { status } of own)
    for (const [name, { waitsFor: what, who = 'agent', state }] of Object.entries(status?.items ?? {}))
      if (what !== undefined && state === 'Acting') waits.set(name, { what, who })
  return own
    .filter(({ spec }) => spec.role === 'Source')
    .flatMap(({ spec }) => Object.entries(spec.items ?? {}))
    .map(([name, wish]) => rowOf(name, wish, waits.get(name)))
    .sort((a, b) => (a.cluster < b.cluster ? -1 : 1))
}

/** One line of a page. */
export function sayRow({ state, stage, since, until, waitsFor, who, why }: ClusterRow): string {
  const place = stage === undefined ? state : `${state} (${stage})`
  const parts = [
    since === undefined ? place : `${place} since ${since}`,
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(waitsFor === undefined ? [] : [`waits for ${waitsFor} (${who ?? 'agent'})`]),
    ...(why === undefined ? [] : [why]),
  ]
  return parts.join('; ')
}
