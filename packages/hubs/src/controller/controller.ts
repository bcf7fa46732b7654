/**
 * The controller on the global hub: drives every ManagedClusterMigration in its namespace. It remembers nothing that
 * is not in a migration or a task, so it may die at any instruction; a deposed one is refused by epoch.
 */
import { EffectRunner, KeyedQueue, Pacer, reconcile } from '@godwit/engine'
import { EventRecorder, type KubeClient } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import {
  type Deadlines,
  GLOBAL_HUB_NAMESPACE,
  isTerminal,
  type ManagedClusterMigration,
  STAGE_DEADLINE_MS,
} from '../api/index.ts'
import { migrationSamples } from '../metrics/collectors.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { Reports } from '../report/reports.ts'
import { nameOfWork, passOverMigration, performWork, type Work } from './migration-pass.ts'
import { isContending } from './turn.ts'
import { Turnstile } from './turnstile.ts'
import { GlobalHubWorld } from './world.ts'

export interface ControllerOptions {
  readonly client: KubeClient
  /** Default `multicluster-global-hub`. */
  readonly namespace?: string
  /** Name of this process in Events and leases. */
  readonly identity: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Deadlines that differ from the defaults. */
  readonly deadlines?: Partial<Deadlines>
  /** Where what the controller sees is counted while it leads. */
  readonly metrics?: Metrics
}

/** Changes that come in a burst are looked at together. */
const SETTLE_MS = 3
/** A migration rests after each look, the longer the more of its clusters are under way: what they bring comes together. */
const REST_MS_PER_CLUSTER = 2
const MAX_REST_MS = 250

/** Leads with this epoch until `signal` aborts. */
export async function runController(options: ControllerOptions, epoch: number, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, identity, namespace = GLOBAL_HUB_NAMESPACE } = options
  const queue = new KeyedQueue({ clock, random })
  const pacer = new Pacer(clock, SETTLE_MS)
  const lookSoon = (uid: string) => queue.addAfter(uid, pacer.delayMs(uid))
  const addAll = () => {
    for (const { metadata } of world.migrations()) if (metadata.uid) lookSoon(metadata.uid)
  }
  const onYield = () => {
    for (const migration of world.migrations()) if (isContending(migration)) lookSoon(migration.metadata.uid ?? '')
  }
  const onChange = (uid: string | undefined) => (uid === undefined ? addAll() : lookSoon(uid))
  const world = new GlobalHubWorld({ client, namespace, clock, random, logger, onChange, onYield })
  const events = new EventRecorder({ client, component: 'godwit-hubs-controller', instance: identity, clock })
  const runner = new EffectRunner<Work, undefined>({
    clock,
    random,
    concurrency: 16,
    perform: (_, work) => performWork(work),
    nameOf: nameOfWork,
    onSettled: key => lookSoon(key.split('/')[0] ?? ''),
  })
  await world.start(signal)
  if (!signal.aborted) logRecovery(logger, world, epoch)
  addAll()
  const deadlines = { ...STAGE_DEADLINE_MS, ...options.deadlines }
  const reports = new Reports({ client, clock, logger })
  const passOptions = {
    world,
    client,
    clock,
    logger,
    events,
    epoch,
    runner,
    deadlines,
    turnstile: new Turnstile(),
    reports,
  }
  const pass = async (uid: string, rest: (ms: number) => void) => {
    const migration = world.migrations().find(({ metadata }) => metadata.uid === uid)
    if (!migration || signal.aborted) return {}
    rest(Math.min(MAX_REST_MS, REST_MS_PER_CLUSTER * underWay(migration)))
    const afterMs = await passOverMigration(passOptions, migration)
    return afterMs === undefined ? {} : { afterMs }
  }
  const forget = options.metrics?.add(() => migrationSamples(world.migrations(), clock.now()))
  const timedPass = (uid: string) => pacer.timed(uid, rest => pass(uid, rest))
  await reconcile({ queue, pass: timedPass, workers: 4, logger }, signal)
  forget?.()
  await runner.stop()
  await Promise.all([world.stop(), events.flush()])
}

function underWay({ status }: ManagedClusterMigration): number {
  const { total = 0, completed = 0, failed = 0 } = status?.clusters ?? {}
  return total - completed - failed
}

function logRecovery(logger: Logger, world: GlobalHubWorld, epoch: number): void {
  const open = world.migrations().filter(({ status }) => status?.phase !== undefined && !isTerminal(status.phase))
  for (const migration of open) logger.info(describe(migration, world, epoch), 'recovered migration, resuming it')
  const message = open.length > 0 ? 'recovered' : 'recovered, nothing is under way'
  logger.info({ epoch, migrations: world.migrations().length, open: open.length }, message)
}

function describe({ metadata, status }: ManagedClusterMigration, world: GlobalHubWorld, epoch: number) {
  const tasks = world.tasksOf(metadata.uid ?? '').length
  const { phase, shared, clusters, epoch: before } = status ?? {}
  return {
    migration: metadata.name,
    phase,
    stage: shared?.stage,
    direction: shared?.direction,
    clusters,
    tasks,
    epoch,
    before,
  }
}
