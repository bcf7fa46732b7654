/**
 * The operator: drives every CocoonSet and CocoonHibernation. It remembers nothing that is not in an object, so it may
 * die at any instruction; what a deposed one still wants to write meets a resourceVersion that has moved on.
 */
import { KeyedQueue, reconcile } from '@godwit/engine'
import { EventRecorder, type KubeClient, keyOf } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import { EVENT_COMPONENT } from '../api/index.ts'
import { DEFAULT_HIBERNATION_LIMITS, type HibernationLimits } from '../hibernation/decide-hibernation.ts'
import type { SnapshotRegistry } from '../registry/registry.ts'
import { DEFAULT_SET_LIMITS, type SetFacts, type SetLimits, type SetPlan } from '../set/set-facts.ts'
import { passOverHibernation } from './hibernation-pass.ts'
import type { OperatorMetrics } from './operator-metrics.ts'
import { passOverSet } from './set-pass.ts'
import { NodesWorld } from './world.ts'

export interface OperatorOptions {
  readonly client: KubeClient
  readonly registry: SnapshotRegistry
  /** Default: all namespaces. */
  readonly namespace?: string
  /** Name of this process in Events. */
  readonly identity: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Sets looked at in parallel. Default 4. */
  readonly setConcurrency?: number
  /** Default 4. */
  readonly hibernationConcurrency?: number
  readonly metrics?: OperatorMetrics
  readonly limits?: Partial<SetLimits>
  /** How a set is decided on. Default: `decideSet`; tests watch it. */
  readonly decide?: (facts: SetFacts) => SetPlan
  readonly hibernationLimits?: Partial<HibernationLimits>
}

export const DEFAULT_CONCURRENCY = 4
/** A move is five Events: a wave of moves must not have its Events written long after it is over. */
const EVENTS_PER_SECOND = 200
/** Longest rest after a failed pass: an outage that ends is noticed within this. */
const MAX_RETRY_MS = 15_000

/** Throws a RangeError: a start with no worker would wait for ever. */
export function checkConcurrency(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new RangeError(`${name} must be a whole number of at least 1, not ${value}`)
}

/** Leads until `signal` aborts. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { client, registry, clock, random, logger, identity, namespace } = options
  const setWorkers = checkConcurrency('cocoonset-concurrency', options.setConcurrency ?? DEFAULT_CONCURRENCY)
  const workers = checkConcurrency('hibernation-concurrency', options.hibernationConcurrency ?? DEFAULT_CONCURRENCY)
  const sets = new KeyedQueue({ clock, random, maxDelayMs: MAX_RETRY_MS })
  const hibernations = new KeyedQueue({ clock, random, maxDelayMs: MAX_RETRY_MS })
  const world = new NodesWorld({
    client,
    ...(namespace !== undefined && { namespace }),
    clock,
    random,
    logger,
    onSet: key => sets.add(key),
    onHibernation: key => hibernations.add(key),
  })
  const events = new EventRecorder({
    client,
    component: EVENT_COMPONENT,
    instance: identity,
    perSecond: EVENTS_PER_SECOND,
    clock,
    logger,
  })
  const { metrics, decide } = options
  metrics?.watch(world.sets)
  const common = { world, client, registry, clock, logger, events, signal, ...(metrics && { metrics }) }
  const deciding = decide ? { decide } : {}
  const limits = { ...DEFAULT_SET_LIMITS, ...options.limits }
  const hibernationLimits = { ...DEFAULT_HIBERNATION_LIMITS, ...options.hibernationLimits }
  const unwritten = new Map<string, number>()
  await world.start(signal)
  logRecovery(logger, world)
  const passOf = (pass: (namespace: string, name: string) => Promise<number | undefined>) => async (key: string) => {
    const [space = '', name = ''] = key.split('/')
    if (signal.aborted) return {}
    const afterMs = await pass(space, name)
    return afterMs === undefined ? {} : { afterMs }
  }
  await Promise.all([
    reconcile(
      {
        queue: sets,
        pass: passOf((space, name) => passOverSet({ ...common, ...deciding, limits, unwritten }, space, name)),
        workers: setWorkers,
        logger,
      },
      signal,
    ),
    reconcile(
      {
        queue: hibernations,
        pass: passOf((space, name) => passOverHibernation({ ...common, hibernationLimits }, space, name)),
        workers,
        logger,
      },
      signal,
    ),
  ])
  await Promise.all([world.stop(), events.flush()])
}

function logRecovery(logger: Logger, world: NodesWorld): void {
  const sets = world.sets()
  for (const { metadata, status } of sets)
    for (const { id, stage, direction, vmName } of status?.migrations ?? [])
      logger.info({ set: keyOf(metadata), migration: id, vmName, stage, direction }, 'recovered migration, resuming it')
  logger.info({ sets: sets.length }, 'recovered')
}
