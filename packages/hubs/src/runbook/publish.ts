/** Writes the runbook before the record says that a rollback is stuck: who reads that finds the steps. */
import type { KubeClient } from '@godwit/kube'
import type { ItemFacts } from '../controller/item-table.ts'
import type { MigrationFacts } from '../controller/migration-facts.ts'
import type { NamedStep } from '../controller/progress.ts'
import type { SharedStep } from '../controller/step-migration.ts'
import { paginate, WHOLE, writePages } from '../pages/pages.ts'
import { runbookPages } from './runbook-pages.ts'

export interface RunbookSight {
  /** As they were observed, and as they will be after this look. */
  readonly before: readonly ItemFacts[]
  readonly facts: MigrationFacts
  readonly items: readonly NamedStep[]
  readonly step: SharedStep
}

export async function publishRunbook(client: KubeClient, sight: RunbookSight): Promise<void> {
  const { facts, step } = sight
  const { migration, source, target } = facts
  const stuck = facts.items.filter(item => item.source.wish?.outcome === 'Stuck')
  const isLeft = stuck.length > 0 || (step.record.failure !== undefined && step.debt !== undefined)
  if (isLeft && isNews(sight)) {
    const shared = { source: source.progress, target: target.progress }
    const { serviceAccount } = target.wish ?? {}
    await writePages(client, runbookPages({ migration, stuck, shared, serviceAccount }))
  } else if (!isLeft && step.isFinished && facts.attempt > 0) {
    const text = `# Rollback of migration ${migration.metadata.name}: nothing is left to do.\n`
    await writePages(client, paginate(migration, 'runbook', [{ key: WHOLE, text }]))
  }
}

/** The last look of all has everything; before it, each cluster that gets stuck is told at once. */
function isNews({ before, items, step }: RunbookSight): boolean {
  if (step.isFinished) return true
  const known = new Set(before.flatMap(({ name, source }) => (source.wish?.outcome === 'Stuck' ? [name] : [])))
  return items.some(({ name, step: { source } }) => source.outcome === 'Stuck' && !known.has(name))
}
