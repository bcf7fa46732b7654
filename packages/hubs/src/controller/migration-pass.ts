/** One pass over one migration: observe, decide, persist, perform. */
import { type EffectRunner, isEqualJson, mergeDiff } from '@godwit/engine'
import type { EventRecorder, KubeClient } from '@godwit/kube'
import type { Clock, Logger } from '@godwit/ports'
import {
  type Deadlines,
  type Failure,
  FINALIZER,
  godwit,
  isTerminal,
  type ManagedClusterMigration,
  type MigrationStatus,
  type MigrationTask,
} from '../api/index.ts'
import { isPlanning, planMigration } from '../plan/plan-migration.ts'
import type { Reports } from '../report/reports.ts'
import { publishRunbook } from '../runbook/publish.ts'
import { sharedDeadlineMs } from './deadlines.ts'
import type { MigrationFacts } from './migration-facts.ts'
import { type Observed, observe } from './observe.ts'
import { deliverBundle, type PerformContext, performShared } from './perform.ts'
import type { NamedStep } from './progress.ts'
import { isAskedToRollBack, reopen } from './reopen.ts'
import { renderResult, resultsOf } from './result.ts'
import { isAskedToRetry, retryFailed } from './retry.ts'
import type { SharedEffect, SharedStage } from './shared-table.ts'
import { deriveStatus } from './status.ts'
import type { ItemStep } from './step-item.ts'
import { stepItems, wavesAfter, withSteps } from './step-items.ts'
import { firstRecord, type SharedStep, stepMigration } from './step-migration.ts'
import { isContending } from './turn.ts'
import type { Turnstile } from './turnstile.ts'
import type { GlobalHubWorld } from './world.ts'

export type Work =
  | { readonly kind: 'shared'; readonly context: PerformContext; readonly effect: SharedEffect }
  | { readonly kind: 'deliverBundle'; readonly context: PerformContext; readonly bundle: string }

export interface MigrationPassOptions {
  readonly world: GlobalHubWorld
  readonly client: KubeClient
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventRecorder
  readonly epoch: number
  readonly runner: EffectRunner<Work, undefined>
  /** In milliseconds; `spec.supportedConfigs` of a migration goes before them. */
  readonly deadlines: Deadlines
  /** Migrations that may want the same clusters are decided about one at a time. */
  readonly turnstile: Turnstile
  readonly reports: Reports
}

/** A record that another one wrote is news as soon as the informer has it; an answer that was old itself is none. */
const LOOK_AGAIN_MS = 1_000

export const performWork = async (work: Work): Promise<undefined> => {
  if (work.kind === 'shared') await performShared(work.context, work.effect)
  else await deliverBundle(work.context, work.bundle)
  return undefined
}

/** A result that says something else is another effect. */
export function nameOfWork(work: Work): string {
  if (work.kind === 'deliverBundle') return work.bundle
  const { effect, context } = work
  return JSON.stringify(effect.kind === 'writeResult' ? [effect, context.result.data] : effect)
}

/** @returns milliseconds until the next deadline, or undefined when only a change can bring news. */
export async function passOverMigration(
  options: MigrationPassOptions,
  migration: ManagedClusterMigration,
): Promise<number | undefined> {
  if (isAskedToRollBack(migration)) await reopen(options, migration)
  else if (isAskedToRetry(migration)) await retryFailed(options, migration)
  else if ((await keepFinalizer(options, migration)) && !isTerminal(migration.status?.phase))
    return isContending(migration) ? options.turnstile.pass(() => drive(options, migration)) : drive(options, migration)
  return undefined
}

async function drive(options: MigrationPassOptions, migration: ManagedClusterMigration): Promise<number | undefined> {
  const { world, clock, epoch, deadlines } = options
  const nowMs = clock.now()
  if (isPlanning(migration)) return planMigration(options, migration)
  const observed = await observe(world, migration)
  const record = migration.status?.shared ?? firstRecord(sharedContext(migration, nowMs, deadlines))
  const items = stepItems(observed, record, nowMs, deadlines)
  const waves = wavesAfter(observed, record, items, nowMs)
  const result = renderResult(
    migration,
    resultsOf({ clusters: observed.clusters ?? [], items: withSteps(observed, items) }),
    record.failure,
  )
  const facts: MigrationFacts = {
    ...observed,
    items: withSteps(observed, items),
    isResultWritten: observed.result !== undefined && isEqualJson(observed.result.data ?? {}, result.data ?? {}),
  }
  const step = stepMigration(facts, record, sharedContext(migration, nowMs, deadlines))
  await publishRunbook(options.client, { before: observed.items, facts, items, step })
  await persistItems(options, observed, items)
  const total = observed.clusters?.length ?? 0
  const status = deriveStatus({ migration, step, items, waves, total, epoch, nowMs })
  const written = await persistStatus(options, migration, status)
  announce(options, migration, status, items)
  await options.reports.publish(written, status, items)
  // Who stood still while another one led would act upon what it knew: a write just now would have been refused.
  const isFenced = written !== migration || step.effects.length === 0 || (await isCurrent(options, migration))
  if (!isFenced) return LOOK_AGAIN_MS
  const owner = { migration: written, epoch }
  perform(options, { world, owner, facts: observed, result: resultAfter(written, facts, step) }, step, items)
  return untilNextDeadline(status, items, nowMs)
}

/**
 * A migration that is under way is held by our finalizer, so that deleting it takes it back instead of abandoning it
 * (H-24); one that is over, with nothing left to do, is not. Returns whether the record is as it should be; otherwise it was
 * written just now.
 */
async function keepFinalizer(
  { client, world }: MigrationPassOptions,
  migration: ManagedClusterMigration,
): Promise<boolean> {
  const { finalizers = [], deletionTimestamp, resourceVersion = '' } = migration.metadata
  const isHeld = finalizers.includes(FINALIZER)
  // What could not be finished is kept in the tasks, for whoever finishes it: they need their migration.
  const isOver = isTerminal(migration.status?.phase) && world.tasksOf(migration.metadata.uid ?? '').length === 0
  if (isHeld !== isOver) return true
  // Deleted before it was ever held: there is nothing to take back.
  if (!isHeld && deletionTimestamp) return false
  const wanted = isOver ? finalizers.filter(name => name !== FINALIZER) : [...finalizers, FINALIZER]
  const patch = { metadata: { finalizers: wanted } }
  const written = await client.patch<ManagedClusterMigration>(godwit.migrations, migration.metadata, patch, {
    precondition: { resourceVersion },
  })
  world.records.wrote(written)
  return false
}

async function isCurrent({ client }: MigrationPassOptions, { metadata }: ManagedClusterMigration): Promise<boolean> {
  const live = await client.get<ManagedClusterMigration>(godwit.migrations, metadata)
  return live?.metadata.uid === metadata.uid && live?.metadata.resourceVersion === metadata.resourceVersion
}

/** The failure that this very pass found belongs into the result as well. */
const resultAfter = (migration: ManagedClusterMigration, facts: MigrationFacts, step: SharedStep) =>
  renderResult(migration, resultsOf(facts), step.record.failure)

const sharedContext = ({ spec }: ManagedClusterMigration, nowMs: number, deadlines: Deadlines) => ({
  nowMs,
  deadlineMs: (stage: SharedStage | 'Rollbacking') => sharedDeadlineMs(spec, deadlines, stage),
})

/** Wishes are the record of the clusters: the source's side first, because it holds the cursor. */
async function persistItems(
  { world, epoch }: MigrationPassOptions,
  { uid }: Observed,
  items: readonly NamedStep[],
): Promise<void> {
  const steps = new Map(items.map(({ name, step }) => [name, step]))
  const tasks = world.tasksOf(uid).filter(({ spec }) => spec.scope === 'Items')
  const ofRole = (role: string) => tasks.filter(({ spec }) => spec.role === role)
  for (const role of ['Source', 'Target'] as const)
    await Promise.all(ofRole(role).map(task => persistTask(world, epoch, task, steps)))
}

async function persistTask(
  world: GlobalHubWorld,
  epoch: number,
  task: MigrationTask,
  steps: ReadonlyMap<string, ItemStep>,
): Promise<void> {
  const before = task.spec.items ?? {}
  const after = Object.fromEntries(
    Object.entries(before).map(([name, wish]) => {
      const step = steps.get(name)
      const wanted = task.spec.role === 'Source' ? step?.source : step?.target
      return [name, wanted ?? wish]
    }),
  )
  const patch = mergeDiff({ items: before, epoch: task.spec.epoch }, { items: after, epoch })
  if (patch) await world.tasks.patchSpec(task, { ...patch, epoch })
}

async function persistStatus(
  { client, world }: MigrationPassOptions,
  migration: ManagedClusterMigration,
  status: MigrationStatus,
): Promise<ManagedClusterMigration> {
  const patch = mergeDiff({ ...migration.status }, { ...status })
  if (!patch) return migration
  const { resourceVersion = '' } = migration.metadata
  const options = { subresource: 'status', precondition: { resourceVersion } }
  return world.records.wrote(
    await client.patch<ManagedClusterMigration>(godwit.migrations, migration.metadata, { status: patch }, options),
  )
}

function perform(
  { runner }: MigrationPassOptions,
  context: PerformContext,
  step: SharedStep,
  items: readonly NamedStep[],
): void {
  const { uid } = context.facts
  if (step.effects.length > 0)
    runner.start(
      uid,
      step.effects.map(effect => ({ kind: 'shared', context, effect })),
    )
  const bundles = new Set(items.flatMap(({ step: { bundleToDeliver } }) => bundleToDeliver ?? []))
  for (const bundle of bundles) {
    runner.start(`${uid}/${bundle}`, [{ kind: 'deliverBundle', context, bundle }])
  }
}

/** One log line and one Event for each change that a person may want to know of. */
function announce(
  { logger, events, epoch }: MigrationPassOptions,
  migration: ManagedClusterMigration,
  status: MigrationStatus,
  items: readonly NamedStep[],
): void {
  const { name } = migration.metadata
  if (migration.status?.phase !== status.phase) {
    const { clusters, waitingFor } = status
    logger.info(
      { migration: name, epoch, from: migration.status?.phase, phase: status.phase, clusters },
      'phase changed',
    )
    if (waitingFor?.[0]) logger.debug({ migration: name, waitingFor: waitingFor[0] }, 'waiting')
  }
  const known = new Set(migration.status?.shared?.failure ? [migration.status.shared.failure.code] : [])
  const { failure } = status.shared ?? {}
  if (failure && !known.has(failure.code)) warn(events, logger, migration, undefined, failure)
  for (const { name: cluster, step } of items)
    if (step.source.failure) warn(events, logger, migration, cluster, step.source.failure)
}

function warn(
  events: EventRecorder,
  logger: Logger,
  migration: ManagedClusterMigration,
  cluster: string | undefined,
  { stage, code, message }: Failure,
): void {
  const reason = `${stage}Failed`
  const text = cluster === undefined ? `${code}: ${message}` : `${cluster}: ${code}: ${message}`
  events.record({ regarding: migration, type: 'Warning', reason, message: text })
  logger.debug({ migration: migration.metadata.name, item: cluster, stage, code }, 'failed')
}

function untilNextDeadline(status: MigrationStatus, items: readonly NamedStep[], nowMs: number): number | undefined {
  const deadlines = items.flatMap(({ step: { source } }) =>
    source.cursor && !source.outcome ? [Date.parse(source.cursor.deadline)] : [],
  )
  for (const until of [status.shared?.deadline, status.waves?.soakUntil]) if (until) deadlines.push(Date.parse(until))
  const next = Math.min(...deadlines.filter(deadline => deadline > nowMs))
  return Number.isFinite(next) ? next - nowMs : undefined
}
