/** All clusters of a migration, one look: what each is allowed, and what it does with it. Pure. */
import type { Deadlines, ManagedClusterMigration, SharedRecord, StageName } from '../api/index.ts'
import { admit } from './admission.ts'
import { itemDeadlineMs } from './deadlines.ts'
import { CANCELLED } from './give-up.ts'
import { hasReached } from './item-table.ts'
import type { Observed } from './observe.ts'
import type { NamedStep } from './progress.ts'
import { type ItemStep, stepItem } from './step-item.ts'
import { stepWaves } from './waves.ts'

const ITEM_STAGES: ReadonlySet<string> = new Set(['Claiming', 'Initializing', 'Moving'])
type Record = Pick<SharedRecord, 'stage' | 'direction'>
const isMoving = ({ stage, direction }: Record) => stage === 'Moving' && direction === 'Forward'

export function stepItems(observed: Observed, record: Record, nowMs: number, deadlines: Deadlines): NamedStep[] {
  const { migration, items, attempt } = observed
  if (!ITEM_STAGES.has(record.stage) || record.direction !== 'Forward')
    return items.map(item => ({ name: item.name, step: settled(item) }))
  const spec = migration.spec ?? {}
  const deadlineMs = (stage: StageName | 'Rollbacking') => itemDeadlineMs(migration.spec, deadlines, stage)
  const admissions = admit({
    isMoving: isMoving(record),
    giveUp: observed.isCancelled ? givenUp(migration) : undefined,
    spec,
    waves: migration.status?.waves,
    items: inOrder(
      observed,
      items.map(({ name, source }) => ({ name, wish: source.wish })),
    ),
  })
  return items.map(item => {
    const admission = admissions.get(item.name) ?? { limit: 'Validating' }
    return { name: item.name, step: stepItem(item, { nowMs, deadlineMs, attempt, ...admission }) }
  })
}

const givenUp = ({ metadata }: ManagedClusterMigration) => ({
  code: CANCELLED,
  message: `the migration was ${metadata.deletionTimestamp ? 'deleted' : 'cancelled'} before the cluster had arrived`,
})

/** Waves are cut in the order of the migration, whatever the order of its tasks. */
function inOrder<T extends { readonly name: string }>({ clusters = [] }: Observed, items: readonly T[]): readonly T[] {
  const byName = new Map(items.map(item => [item.name, item]))
  return clusters.flatMap(name => byName.get(name) ?? [])
}

/** The waves as they should be after this look; they count for the clusters from the next look on. */
export function wavesAfter(observed: Observed, record: Record, items: readonly NamedStep[], nowMs: number) {
  const { migration, isCancelled } = observed
  const before = migration.status?.waves
  if (!isMoving(record)) return before
  return stepWaves(before, {
    strategy: migration.spec?.strategy,
    wishes: inOrder(observed, items).map(({ step }) => step.source),
    isHeld: migration.spec?.paused === true || isCancelled,
    nowMs,
  })
}

/** What was left behind because time was up is no debt any more once the agent has cleaned it up after all. */
function settled({ source, target }: Observed['items'][number]): ItemStep {
  const { residue, ...wish } = source.wish ?? { stage: 'Validating', direction: 'Forward' }
  const isOwed = residue !== undefined && !(wish.outcome === 'Completed' && hasReached(source.progress, 'Cleaning'))
  return { source: { ...wish, ...(isOwed && { residue }) }, target: target.wish }
}

/** The clusters as the record will show them after this look. */
export const withSteps = (observed: Observed, items: readonly NamedStep[]) =>
  observed.items.map((item, index) => {
    const step = items[index]?.step
    return step
      ? { ...item, source: { ...item.source, wish: step.source }, target: { ...item.target, wish: step.target } }
      : item
  })
