/**
 * A migration with spec.dryRun: the agents are asked what they would do, and the answers are written into pages. On the
 * hubs nothing but reading happens; on the global hub only our own records are written.
 */
import { mergeDiff } from '@godwit/engine'
import { isAlreadyExists, type KubeClient } from '@godwit/kube'
import { type Clock, rfc3339 } from '@godwit/ports'
import {
  godwit,
  type ManagedClusterMigration,
  type MigrationStatus,
  type MigrationTask,
  type Role,
  type SharedWish,
} from '../api/index.ts'
import { mergeConditions } from '../controller/conditions.ts'
import { type Observed, observe } from '../controller/observe.ts'
import { controllerSharedTable } from '../controller/shared-table.ts'
import { planTaskOf, shardsOf } from '../controller/tasks.ts'
import { deleteSeen, type GlobalHubWorld } from '../controller/world.ts'
import { type Entry, paginate, WHOLE, writePages } from '../pages/pages.ts'
import { controllerCommands } from '../runbook/shared-commands.ts'
import { planTable } from './plan-table.ts'

export interface PlanContext {
  readonly world: GlobalHubWorld
  readonly client: KubeClient
  readonly clock: Clock
  readonly epoch: number
}

/** Nothing has begun, and nothing is to begin. A migration that is deleted or cancelled ends in the usual way. */
export const isPlanning = ({ metadata, spec, status }: ManagedClusterMigration) =>
  spec?.dryRun === true &&
  spec.cancel !== true &&
  metadata.deletionTimestamp === undefined &&
  (status?.shared === undefined || (status.shared.stage === 'Pending' && status.shared.direction === 'Forward'))

export async function planMigration(context: PlanContext, migration: ManagedClusterMigration): Promise<undefined> {
  const { world, client } = context
  const { generation = 0, uid = '' } = migration.metadata
  const tasks = () => world.tasksOf(uid).filter(({ spec }) => spec.scope === 'Plan')
  if (migration.status?.plan?.generation === generation) {
    for (const task of tasks()) await deleteSeen(client, godwit.tasks, task)
    return undefined
  }
  const observed = await observe(world, migration)
  const whole = planWhole(observed)
  const areHubsKnown = observed.from.cluster !== undefined && observed.to.cluster !== undefined
  if (areHubsKnown) await makeTasks(context, observed, tasks())
  const answers = tasks()
  const isOpen = areHubsKnown && !areAllAnswered(observed, answers)
  if (isOpen) return writeStatus(context, migration, waiting(migration))
  const entries = entriesOf(whole, answers)
  const pages = paginate(migration, 'plan', entries)
  await writePages(client, pages)
  const plan = {
    at: rfc3339(context.clock.now()),
    generation,
    clusters: entries.length - 1,
    problems: entries.filter(({ problem }) => problem !== undefined).length,
    pages: pages.map(({ metadata }) => metadata.name),
  }
  return writeStatus(context, migration, planned(plan, entries))
}

interface PlanEntry extends Entry {
  readonly problem?: string
}

function planWhole(observed: Observed) {
  const { migration, uid, from, to } = observed
  const place = { migration: migration.metadata.name, uid, from: from.name, to: to.name }
  return planTable({
    title: 'Global hub (controller)',
    table: controllerSharedTable,
    facts: { ...observed, isResultWritten: false },
    commands: effect => controllerCommands(place, effect),
  })
}

/** Made one after the other where one needs the answer of another: a placement says which clusters there are. */
async function makeTasks(
  { client, epoch }: PlanContext,
  observed: Observed,
  known: readonly MigrationTask[],
): Promise<void> {
  const owner = { migration: observed.migration, epoch }
  const names = new Set(known.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  const wanted = (['Source', 'Target'] as const).flatMap(role => [
    planTaskOf(owner, role, 'shared', { shared: lookOf(observed, role) }),
    ...shardsOf(clustersOf(observed, known) ?? []).map((clusters, shard) =>
      planTaskOf(owner, role, shard, { plan: { clusters: [...clusters] } }),
    ),
  ])
  for (const task of wanted.filter(({ metadata }) => !names.has(`${metadata.namespace}/${metadata.name}`))) {
    try {
      await client.create(godwit.tasks, task)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

function lookOf({ migration, installNamespace }: Observed, role: Role): SharedWish {
  const wish = { stage: 'Validating', direction: 'Forward' } as const
  const placement = migration.spec?.includedManagedClustersPlacementRef
  if (role === 'Source') return { ...wish, ...(placement && { placement }) }
  const { name } = migration.metadata
  return { ...wish, ...(installNamespace && { serviceAccount: { namespace: installNamespace, name } }) }
}

const clustersOf = ({ migration }: Observed, tasks: readonly MigrationTask[]) =>
  migration.spec?.includedManagedClusters ?? tasks.find(({ status }) => status?.plan?.selected)?.status?.plan?.selected

function areAllAnswered(observed: Observed, tasks: readonly MigrationTask[]): boolean {
  const clusters = clustersOf(observed, tasks)
  const expected = 2 + 2 * shardsOf(clusters ?? []).length
  return clusters !== undefined && tasks.length === expected && tasks.every(({ status }) => status?.plan !== undefined)
}

function entriesOf(whole: { readonly text: string; readonly problem?: string }, tasks: readonly MigrationTask[]) {
  const shared = tasks.flatMap(({ status }) => (status?.plan?.shared ? [status.plan] : []))
  const problem = whole.problem ?? shared.find(plan => plan.problem !== undefined)?.problem
  const first: PlanEntry = {
    key: WHOLE,
    text: [whole.text, ...shared.map(plan => plan.shared ?? '')].join('\n'),
    ...(problem !== undefined && { problem }),
  }
  const clusters = new Map<string, PlanEntry>()
  for (const { status } of inOrder(tasks))
    for (const [key, { text, problem: why }] of Object.entries(status?.plan?.items ?? {})) {
      const known = clusters.get(key)
      const found = known?.problem ?? why
      clusters.set(key, {
        key,
        text: known ? `${known.text}\n${text}` : text,
        ...(found !== undefined && { problem: found }),
      })
    }
  return [first, ...[...clusters.values()].sort((a, b) => (a.key < b.key ? -1 : 1))]
}

/** The source first, as it acts first. */
const inOrder = (tasks: readonly MigrationTask[]) =>
  [...tasks].sort((a, b) => (`${a.spec.role}${a.metadata.name}` < `${b.spec.role}${b.metadata.name}` ? -1 : 1))

const NOT_STARTED = {
  type: 'MigrationStarted',
  status: 'False',
  reason: 'Waiting',
  message: 'spec.dryRun is true: nothing begins before it is turned off',
} as const

type Wanted = Parameters<typeof mergeConditions>[1][number]
interface Shown {
  readonly plan?: MigrationStatus['plan']
  readonly condition: Wanted
  readonly waitsFor: { readonly what: string; readonly who: string }
}

const waiting = ({ spec }: ManagedClusterMigration): Shown => ({
  condition: {
    type: 'Planned',
    status: 'False',
    reason: 'Waiting',
    message: `waiting for the agents of hubs ${spec?.from} and ${spec?.to} to look`,
  },
  waitsFor: { what: 'the plan', who: 'agents of both hubs' },
})

const SHOWN = 5

function planned(plan: NonNullable<MigrationStatus['plan']>, entries: readonly PlanEntry[]): Shown {
  const problems = entries.filter(({ problem }) => problem !== undefined)
  const shown = problems.slice(0, SHOWN).map(({ key, problem }) => `${key}: ${problem}`)
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : ''
  const where = `the plan of ${plan.clusters} clusters is in ConfigMap ${plan.pages[0]} (${plan.pages.length} pages)`
  const message = problems.length === 0 ? where : `${where}; now it would be refused: ${shown.join('; ')}${more}`
  return {
    plan,
    condition: {
      type: 'Planned',
      status: 'True',
      reason: problems.length === 0 ? 'Planned' : 'WouldBeRefused',
      message: message.slice(0, 8000),
    },
    waitsFor: { what: 'spec.dryRun to be turned off', who: 'whoever set it' },
  }
}

async function writeStatus(
  { world, client, clock, epoch }: PlanContext,
  migration: ManagedClusterMigration,
  { plan, condition, waitsFor }: Shown,
): Promise<undefined> {
  const { resourceVersion = '', generation } = migration.metadata
  const before = migration.status ?? {}
  const now = rfc3339(clock.now())
  const [known] = before.waitingFor ?? []
  const since = known?.what === waitsFor.what ? known.since : now
  const status: MigrationStatus = {
    ...before,
    phase: 'Pending',
    epoch,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: mergeConditions(before.conditions ?? [], [NOT_STARTED, condition], now),
    waitingFor: [{ ...waitsFor, since }],
    ...(plan && { plan }),
  }
  const patch = mergeDiff({ ...before }, { ...status })
  if (!patch) return
  const options = { subresource: 'status', precondition: { resourceVersion } }
  const written = client.patch<ManagedClusterMigration>(
    godwit.migrations,
    migration.metadata,
    { status: patch },
    options,
  )
  world.records.wrote(await written)
}
