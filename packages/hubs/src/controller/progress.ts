/** Where the clusters of a migration are, in numbers and in words; derived from the record, never stored alone. */
import type { ClusterCounts, Phase, SharedRecord, StageName, WaitingFor } from '../api/index.ts'
import { stageIndex } from '../api/index.ts'
import type { ItemStep } from './step-item.ts'

export interface NamedStep {
  readonly name: string
  readonly step: ItemStep
}

type Bucket = Exclude<keyof ClusterCounts, 'total'>

const BUCKETS: Readonly<Record<StageName, Bucket>> = {
  Validating: 'validating',
  Initializing: 'initializing',
  Deploying: 'deploying',
  Registering: 'registering',
  Cleaning: 'cleaning',
}

export function bucketOf({ source }: ItemStep): Bucket {
  const { outcome, cursor, failure } = source
  if (outcome === 'Completed') return 'completed'
  if (outcome !== undefined) return 'failed'
  if (!cursor) return 'waiting'
  return cursor.direction === 'Undo' || failure ? 'rollingBack' : BUCKETS[cursor.stage]
}

export function countClusters(total: number, items: readonly NamedStep[]): ClusterCounts {
  const counts: ClusterCounts = {
    total,
    waiting: Math.max(0, total - items.length),
    validating: 0,
    initializing: 0,
    deploying: 0,
    registering: 0,
    cleaning: 0,
    completed: 0,
    rollingBack: 0,
    failed: 0,
  }
  for (const { step } of items) counts[bucketOf(step)]++
  return counts
}

/** The stage of the slowest cluster that still goes forward; undefined when none does. */
export function slowestStage(items: readonly NamedStep[]): StageName | undefined {
  const stages = items.flatMap(({ step: { source } }) =>
    source.cursor && !source.outcome && source.cursor.direction === 'Forward' ? [source.cursor.stage] : [],
  )
  return stages.reduce<StageName | undefined>(
    (slow, stage) => (slow === undefined || stageIndex(stage) < stageIndex(slow) ? stage : slow),
    undefined,
  )
}

const isUndoing = ({ step: { source } }: NamedStep) =>
  source.outcome === undefined && source.cursor?.direction === 'Undo'
const hasArrived = ({ step: { source } }: NamedStep) => source.outcome === 'Completed'

/** The reference's phase; derived. Never called for a migration that is over. */
export function phaseOf(record: SharedRecord, items: readonly NamedStep[]): Phase {
  if (record.direction === 'Undo' || record.failure)
    return record.failure?.stage === 'Validating' ? 'Validating' : 'Rollbacking'
  switch (record.stage) {
    case 'Pending':
    case 'Validating':
    case 'Initializing':
      return record.stage
    case 'Claiming':
      return 'Validating'
    case 'Moving': {
      const slowest = slowestStage(items)
      if (slowest === 'Validating') return 'Initializing'
      if (slowest !== undefined && slowest !== 'Cleaning') return slowest
      return items.some(isUndoing) ? 'Rollbacking' : 'Cleaning'
    }
    default:
      return items.length === 0 || items.some(hasArrived) ? 'Cleaning' : 'Rollbacking'
  }
}

const MAX_WAITS = 10

/** What the clusters wait for, the most common first: what, who, since when, until when, how many, for instance which. */
export function waitsOf(items: readonly NamedStep[]): WaitingFor[] {
  const waits = new Map<string, WaitingFor & { items: number }>()
  for (const { name, step } of items) {
    const { waitsFor, source } = step
    if (!waitsFor || !source.cursor) continue
    const { what, who, isHeld, until = isHeld ? undefined : source.cursor.deadline } = waitsFor
    const { since } = source.cursor
    const first = { since, ...(until !== undefined && { until }), example: name }
    const known = waits.get(`${what}\n${who}`)
    if (!known) waits.set(`${what}\n${who}`, { what, who, ...first, items: 1 })
    else {
      known.items++
      if (since < known.since) Object.assign(known, first)
    }
  }
  return [...waits.values()].sort((a, b) => b.items - a.items || a.what.localeCompare(b.what)).slice(0, MAX_WAITS)
}
