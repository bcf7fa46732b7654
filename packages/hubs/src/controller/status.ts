/** The status of a migration, computed once a pass from the record and patched once. One writer (law: derived). */
import { rfc3339 } from '@godwit/ports'
import type { ClusterCounts, ManagedClusterMigration, MigrationStatus, Phase, WaveRecord } from '../api/index.ts'
import { progressOf } from '../report/progress.ts'
import { deriveConditions, mergeConditions } from './conditions.ts'
import { countClusters, type NamedStep, phaseOf, slowestStage, waitsOf } from './progress.ts'
import type { SharedStep } from './step-migration.ts'

export interface StatusInput {
  readonly migration: ManagedClusterMigration
  readonly step: SharedStep
  readonly items: readonly NamedStep[]
  readonly waves: WaveRecord | undefined
  /** How many clusters the migration has; 0 while nobody knows. */
  readonly total: number
  readonly epoch: number
  readonly nowMs: number
}

const MAX_RESIDUE = 200

export function deriveStatus(input: StatusInput): MigrationStatus {
  const { migration, step, items, epoch, nowMs } = input
  const before = migration.status ?? {}
  const now = rfc3339(nowMs)
  const counts = countsOf(input)
  const phase = step.isFinished ? finalPhase(step, counts) : phaseOf(step.record, isRetiring(step) ? [] : items)
  const shown = isRetiring(step) && !step.isFinished ? (before.phase ?? phase) : phase
  const residue = residueOf(input)
  const conditions = deriveConditions({
    phase: shown,
    step,
    items,
    counts,
    residue,
    resultName: migration.metadata.name,
    from: migration.spec?.from ?? '',
    to: migration.spec?.to ?? '',
    isPaused: migration.spec?.paused === true && !step.isFinished,
    wasPaused: before.conditions?.some(({ type }) => type === 'Paused') ?? false,
  })
  const generation = migration.metadata.generation
  const waitingFor = step.isFinished ? [] : waitingForOf(input)
  return {
    phase: shown,
    conditions: mergeConditions(before.conditions ?? [], conditions, now),
    ...(generation !== undefined && { observedGeneration: generation }),
    epoch,
    shared: step.record,
    clusters: counts,
    progress: progressOf({
      counts,
      record: step.record,
      slowest: slowestStage(items),
      before: before.progress,
      isHeld: migration.spec?.paused === true || input.waves !== undefined,
      nowMs,
    }),
    ...(input.waves && { waves: input.waves }),
    ...(waitingFor.length > 0 && { waitingFor }),
    ...(residue.length > 0 && { residue }),
    startTime: before.startTime ?? now,
    ...(step.isFinished && { completionTime: before.completionTime ?? now }),
  }
}

const isRetiring = (step: SharedStep) => step.record.stage === 'Retiring'

/** While the tasks are being deleted the clusters cannot be counted any more: the last count stays. */
function countsOf({ migration, step, items, total }: StatusInput): ClusterCounts {
  const before = migration.status?.clusters
  if (isRetiring(step) && before) return before
  const counts = countClusters(total, items)
  return step.record.failure ? { ...countClusters(0, []), total, failed: total } : counts
}

const finalPhase = (step: SharedStep, counts: ClusterCounts): Phase =>
  step.record.failure || counts.failed > 0 ? 'Failed' : 'Completed'

function residueOf({ migration, step, items }: StatusInput): string[] {
  const known = migration.status?.residue ?? []
  const ofItems = items.flatMap(({ name, step: { source } }) =>
    (source.residue ?? []).map(text => `cluster ${name}: ${text}`),
  )
  const isOfItem = (text: string) => items.some(({ name }) => text.startsWith(`cluster ${name}: `))
  const all = [...known.filter(text => !isOfItem(text)), ...ofItems, ...(step.debt === undefined ? [] : [step.debt])]
  return [...new Set(all)].slice(0, MAX_RESIDUE)
}

function waitingForOf({ step, items, nowMs }: StatusInput) {
  const { record, waitsFor } = step
  const ofItems = waitsOf(items)
  if (!waitsFor || record.stage === 'Moving') return ofItems
  const { since, deadline } = record
  return [{ ...waitsFor, since: since ?? rfc3339(nowMs), ...(deadline && { until: deadline }) }, ...ofItems]
}
