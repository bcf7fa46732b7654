/**
 * How far each cluster may go now: what the migration as a whole, a pause, a wave, a limit or a cancellation allow.
 * Pure. Whatever is in the middle of a stage may always come to its end: only the begin of the next one is held.
 */
import type { ItemWish, MigrationSpec, StageName, WaveRecord } from '../api/index.ts'
import { CANCELLED, type GiveUp, NOT_STARTED } from './give-up.ts'
import { countFailures, hasBegun } from './waves.ts'

export interface Hold {
  readonly what: string
  readonly who: string
  /** RFC 3339, when it is known. */
  readonly until?: string
}

export interface Admission {
  /** The last stage that the cluster may enter now. */
  readonly limit: StageName
  /** Why it may not go on, for people. */
  readonly hold?: Hold
  readonly giveUp?: GiveUp
}

export interface AdmissionInput {
  /** Clusters go beyond Validating only while the migration as a whole is moving. */
  readonly isMoving: boolean
  /** Why the whole migration is given up. */
  readonly giveUp: GiveUp | undefined
  readonly spec: Pick<MigrationSpec, 'paused' | 'strategy' | 'cancelledManagedClusters'>
  /** As it was persisted. */
  readonly waves: WaveRecord | undefined
  /** Every cluster in the order of the migration. */
  readonly items: readonly { readonly name: string; readonly wish: ItemWish | undefined }[]
}

/** What everything waits for that a pause holds back. */
export const RESUMED = 'the migration to be resumed'
export const PAUSED = { what: RESUMED, who: 'whoever paused it' } as const satisfies Hold
const STOPPING: Hold = { what: 'the migration to stop: too many clusters have failed', who: 'controller' }
const CANCELLED_ALONE: GiveUp = {
  code: CANCELLED,
  message: 'the cluster was cancelled before it had arrived',
}

/** @returns what is allowed to each cluster, by name */
export function admit(input: AdmissionInput): ReadonlyMap<string, Admission> {
  const { items, spec, waves } = input
  const cancelled = new Set(spec.cancelledManagedClusters ?? [])
  const beginners = chooseBeginners(input, cancelled)
  return new Map(
    items.map(({ name, wish }) => {
      const giveUp = input.giveUp ?? (cancelled.has(name) ? CANCELLED_ALONE : notStarted(waves, wish))
      const limits = limitOf(input, wish, beginners.get(name))
      return [name, { ...limits, ...(giveUp && { giveUp }) }]
    }),
  )
}

function notStarted(waves: WaveRecord | undefined, wish: ItemWish | undefined): GiveUp | undefined {
  if (waves?.stopped === undefined || hasBegun(wish)) return undefined
  return { code: NOT_STARTED, message: `the cluster was not started: the migration was ${waves.stopped}` }
}

function limitOf({ isMoving, spec }: AdmissionInput, wish: ItemWish | undefined, hold: Hold | undefined): Admission {
  if (!isMoving) return { limit: 'Validating' }
  if (spec.paused) return { limit: wish?.cursor?.stage ?? 'Validating', hold: PAUSED }
  return hold ? { limit: 'Validating', hold } : { limit: 'Cleaning' }
}

/** @returns what holds each cluster that may not begin now; those that may, or have begun, are not in it */
function chooseBeginners(input: AdmissionInput, cancelled: ReadonlySet<string>): ReadonlyMap<string, Hold> {
  const { items, spec, waves } = input
  const holds = new Map<string, Hold>()
  const { strategy } = spec
  const wishes = items.map(({ wish }) => wish)
  const isStopping = strategy?.stopAfterFailures !== undefined && countFailures(wishes) >= strategy.stopAfterFailures
  const onTheWay = wishes.filter(wish => hasBegun(wish) && wish?.outcome === undefined).length
  let places = (strategy?.maxConcurrent ?? Number.POSITIVE_INFINITY) - onTheWay
  const allowed = waves?.begun ?? (strategy ? 0 : Number.POSITIVE_INFINITY)
  for (const [index, { name, wish }] of items.entries()) {
    if (hasBegun(wish) || cancelled.has(name)) continue
    if (isStopping) holds.set(name, STOPPING)
    else if (index >= allowed) holds.set(name, waveHold(waves))
    else if (places < 1)
      holds.set(name, { what: `one of ${strategy?.maxConcurrent} places on the way`, who: 'clusters that have one' })
    else places--
  }
  return holds
}

function waveHold(waves: WaveRecord | undefined): Hold {
  if (!waves) return { what: 'the first wave to begin', who: 'controller' }
  const next = `wave ${waves.number + 1} of ${waves.of} to begin`
  if (waves.soakUntil !== undefined) return { what: `${next}, after the rest`, who: 'time', until: waves.soakUntil }
  return { what: next, who: `clusters of wave ${waves.number}` }
}
