/**
 * The table of all clusters in ConfigMaps: now and then while they move, and once when they have settled, because the
 * tasks go after that. Whether it can be written decides nothing.
 */
import type { KubeClient } from '@godwit/kube'
import type { Clock, Logger } from '@godwit/ports'
import type { ManagedClusterMigration, MigrationStatus } from '../api/index.ts'
import type { NamedStep } from '../controller/progress.ts'
import { paginate, WHOLE, writePages } from '../pages/pages.ts'
import { rowsOfSteps, sayRow } from './rows.ts'

export interface ReportOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly logger: Logger
}

/** Few writes, however many clusters: a page of 3,000 clusters has some hundred KB. */
const EVERY_MS = 15_000

interface Last {
  readonly atMs: number
  readonly settledAs: string
}

export class Reports {
  readonly #options: ReportOptions
  readonly #last = new Map<string, Last>()

  constructor(options: ReportOptions) {
    this.#options = options
  }

  async publish(
    migration: ManagedClusterMigration,
    status: MigrationStatus,
    items: readonly NamedStep[],
  ): Promise<void> {
    const { clock, client, logger } = this.#options
    const { uid = '', name } = migration.metadata
    // The tasks are going: what the last report says is the whole truth.
    if (status.shared?.stage === 'Retiring') this.#last.delete(uid)
    if (items.length === 0 || status.shared?.stage === 'Retiring') return
    const nowMs = clock.now()
    const last = this.#last.get(uid) ?? { atMs: nowMs, settledAs: '' }
    const settledAs = settledAsOf(status)
    const isDue = settledAs !== last.settledAs || nowMs - last.atMs >= EVERY_MS
    this.#last.set(uid, isDue ? { atMs: nowMs, settledAs } : last)
    if (!isDue) return
    try {
      await writePages(client, reportPages(migration, status, items))
    } catch (error) {
      this.#last.set(uid, { atMs: nowMs, settledAs: last.settledAs })
      logger.warn({ migration: name, error: String(error) }, 'the report could not be written')
    }
  }
}

/** Changes when the clusters have settled, each time they have. */
function settledAsOf({ shared, phase, clusters }: MigrationStatus): string {
  const isSettled = shared?.stage === 'Revoking' || phase === 'Completed' || phase === 'Failed'
  return isSettled ? `${phase}/${shared?.attempt ?? 0}/${clusters?.completed}/${clusters?.failed}` : ''
}

export function reportPages(
  migration: ManagedClusterMigration,
  { phase, clusters, progress }: MigrationStatus,
  items: readonly NamedStep[],
) {
  const counts = Object.entries(clusters ?? {}).map(([key, count]) => `${key}: ${count}`)
  const next = progress?.next === undefined ? [] : [`next: ${progress.next}`]
  const whole = { key: WHOLE, text: [`phase: ${phase}`, ...counts, ...next, ''].join('\n') }
  const rows = rowsOfSteps(items).map(row => ({ key: row.cluster, text: sayRow(row) }))
  return paginate(migration, 'report', [whole, ...rows])
}
