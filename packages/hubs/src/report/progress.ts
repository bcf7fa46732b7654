/** How far a migration is, when it may be done and what comes next: derived from the record, for people. Pure. */
import { rfc3339 } from '@godwit/ports'
import type { ClusterCounts, ProgressRecord, SharedRecord, StageName } from '../api/index.ts'
import { controllerItemTable } from '../controller/item-table.ts'
import { controllerSharedTable } from '../controller/shared-table.ts'

/** Fewer clusters than this say nothing about the rest. */
const MIN_SETTLED = 3

export interface ProgressInput {
  readonly counts: ClusterCounts
  readonly record: SharedRecord
  /** Stage of the slowest cluster that goes forward. */
  readonly slowest: StageName | undefined
  readonly before: ProgressRecord | undefined
  /** Somebody or something holds clusters back: what was measured says nothing about later. */
  readonly isHeld: boolean
  readonly nowMs: number
}

export function progressOf(input: ProgressInput): ProgressRecord {
  const { counts } = input
  const settled = counts.completed + counts.failed
  const next = nextOf(input)
  const done = estimate(input, settled)
  return {
    settled,
    total: counts.total,
    percent: counts.total === 0 ? 0 : Math.floor((settled * 100) / counts.total),
    ...(next !== undefined && { next }),
    ...(done !== undefined && { estimatedCompletion: done }),
  }
}

/** Made anew only when a cluster has settled: in between there is nothing to learn, and status stays as it is. */
function estimate({ counts, record, before, isHeld, nowMs }: ProgressInput, settled: number): string | undefined {
  const left = counts.total - settled
  const isMoving = record.stage === 'Moving' && record.direction === 'Forward'
  if (!isMoving || isHeld || left <= 0 || settled < MIN_SETTLED) return undefined
  const known = before?.settled === settled ? before.estimatedCompletion : undefined
  // What should be over by now and is not was a wrong guess: no guess is better.
  if (before?.settled === settled) return known !== undefined && nowMs <= Date.parse(known) ? known : undefined
  const elapsedMs = nowMs - Date.parse(record.since)
  return elapsedMs > 0 ? rfc3339(nowMs + (elapsedMs / settled) * left) : undefined
}

function nextOf({ record, slowest }: ProgressInput): string | undefined {
  if (record.stage === 'Moving' && slowest !== undefined) {
    const index = controllerItemTable.stages.findIndex(({ name }) => name === slowest)
    return sayNext(controllerItemTable.stages[index]?.proof.what, controllerItemTable.stages[index + 1]?.name)
  }
  const index = controllerSharedTable.stages.findIndex(({ name }) => name === record.stage)
  const row = controllerSharedTable.stages[index]
  if (record.direction === 'Undo') return row && `back from ${row.name} when ${row.undone.what}`
  return sayNext(row?.proof.what, controllerSharedTable.stages[index + 1]?.name)
}

const sayNext = (proof: string | undefined, stage: string | undefined) =>
  proof === undefined ? undefined : `${stage ?? 'the end'}, when ${proof}`
