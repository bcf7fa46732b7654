/**
 * Waves of a migration with a strategy: which clusters may begin, and when the next ones may. A wave is a fact in the
 * status of the migration: it is written before its clusters begin, so a restart neither repeats nor skips one. Pure.
 */
import { rfc3339 } from '@godwit/ports'
import { type ItemWish, parseDuration, type Strategy, type WaveRecord } from '../api/index.ts'
import { CANCELLED, NOT_STARTED } from './give-up.ts'

type Wish = ItemWish | undefined

/** The cluster has left the place where nothing was changed yet. */
export const hasBegun = (wish: Wish) =>
  wish?.outcome !== undefined || (wish?.cursor !== undefined && wish.cursor.stage !== 'Validating')

/** Clusters that went wrong by themselves; those that somebody took out do not count. */
export const countFailures = (wishes: readonly Wish[]) =>
  wishes.filter(wish => wish?.failure && wish.failure.code !== CANCELLED && wish.failure.code !== NOT_STARTED).length

/** How many clusters a wave has; a part of all is rounded up, so that every wave has at least one. */
export function waveSize({ batchSize }: Strategy, total: number): number {
  if (batchSize === undefined) return Math.max(1, total)
  const size = typeof batchSize === 'number' ? batchSize : Math.ceil((total * Number.parseInt(batchSize, 10)) / 100)
  return Math.max(1, size)
}

export interface WaveInput {
  readonly strategy: Strategy | undefined
  /** Of all clusters, in the order of the migration. */
  readonly wishes: readonly Wish[]
  /** Nothing new may begin: paused or given up. */
  readonly isHeld: boolean
  readonly nowMs: number
}

/** @returns the record as it should be now; undefined: no waves, everything may begin */
export function stepWaves(record: WaveRecord | undefined, input: WaveInput): WaveRecord | undefined {
  const { strategy, wishes } = input
  if (!record) return strategy && !input.isHeld ? nextWave(undefined, input) : undefined
  if (record.stopped !== undefined) return record
  const limit = strategy?.stopAfterFailures
  const failures = countFailures(wishes)
  const isWaiting = wishes.some(wish => !hasBegun(wish))
  if (limit !== undefined && failures >= limit && isWaiting) {
    const { soakUntil: _, ...rest } = record
    return { ...rest, stopped: `stopped after ${failures} failed clusters (stopAfterFailures: ${limit})` }
  }
  const isOver = wishes.slice(0, record.begun).every(wish => wish?.outcome !== undefined)
  if (!isOver || record.begun >= wishes.length) return withTotal(record, input)
  return afterWave(record, input)
}

function afterWave(record: WaveRecord, input: WaveInput): WaveRecord {
  const { strategy, isHeld, nowMs } = input
  const soakMs = parseDuration(strategy?.soak ?? '')
  if (record.soakUntil === undefined && soakMs !== undefined)
    return withTotal({ ...record, soakUntil: rfc3339(nowMs + soakMs) }, input)
  const isResting = record.soakUntil !== undefined && nowMs < Date.parse(record.soakUntil)
  return isResting || isHeld ? withTotal(record, input) : nextWave(record, input)
}

function nextWave(record: WaveRecord | undefined, input: WaveInput): WaveRecord {
  const { number, begun } = record ?? { number: 0, begun: 0 }
  const total = input.wishes.length
  const end = Math.min(total, begun + waveSize(input.strategy ?? {}, total))
  return withTotal({ number: number + 1, of: 0, begun: end, since: rfc3339(input.nowMs) }, input)
}

/** The strategy may have changed: waves that have not begun are counted anew. */
function withTotal(record: WaveRecord, { strategy, wishes }: WaveInput): WaveRecord {
  const left = Math.max(0, wishes.length - record.begun)
  return { ...record, of: record.number + Math.ceil(left / waveSize(strategy ?? {}, wishes.length)) }
}
