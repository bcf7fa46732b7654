/** The part of a plan that an agent knows: it looks at its hub, and changes nothing there. */
import type { Remembered } from '../agent/advance.ts'
import type { MigrationTask, PlanOfCluster, Progress, TaskPlan } from '../api/index.ts'
import { sourceItemCommands, targetItemCommands } from '../runbook/item-commands.ts'
import { itemRunbook, renderRunbook } from '../runbook/runbook.ts'
import { type SharedPlace, sourceSharedCommands, targetSharedCommands } from '../runbook/shared-commands.ts'
import { journalFor } from '../source/item-facts.ts'
import * as sourceItems from '../source/item-side.ts'
import { sourceItemTable } from '../source/item-table.ts'
import * as sourceShared from '../source/shared-side.ts'
import { sourceSharedTable } from '../source/shared-table.ts'
import * as targetItems from '../target/item-side.ts'
import { targetItemTable } from '../target/item-table.ts'
import * as targetShared from '../target/shared-side.ts'
import { targetSharedTable } from '../target/shared-table.ts'
import { planTable, type TablePlan } from './plan-table.ts'

export interface PlanSides {
  readonly hubName: string
  readonly source: sourceItems.SourceSide
  readonly sourceShared: sourceShared.SourceSharedSide
  readonly target: targetItems.TargetSide
  readonly targetShared: targetShared.TargetSharedSide
}

const NOTHING_YET: Remembered = { journal: {}, evidence: {} }

export async function planTask(sides: PlanSides, task: MigrationTask, now: string): Promise<TaskPlan> {
  const clusters = task.spec.plan?.clusters ?? []
  const of = task.spec.role === 'Source' ? planSourceCluster : planTargetCluster
  const items = Object.fromEntries(clusters.map(name => [name, of(sides, task, name)]))
  const shared = task.spec.shared ? await planShared(sides, task) : {}
  return { at: now, ...shared, ...(clusters.length > 0 && { items }) }
}

const placeOf = ({ hubName }: PlanSides, { spec }: MigrationTask): SharedPlace => {
  const [from, to] = spec.role === 'Source' ? [hubName, spec.peer] : [spec.peer, hubName]
  return { migration: spec.migration.name, uid: spec.migration.uid, from, to }
}

async function planShared(sides: PlanSides, task: MigrationTask): Promise<Partial<TaskPlan>> {
  const place = placeOf(sides, task)
  if (task.spec.role === 'Source') {
    const { facts, selected } = await sourceShared.look(sides.sourceShared, task)
    const plan = planTable({
      title: `Hub ${place.from}, once (source)`,
      table: sourceSharedTable,
      facts: facts(NOTHING_YET),
      commands: effect => sourceSharedCommands(place, effect),
    })
    return { ...named(plan), ...(selected && { selected: [...selected] }) }
  }
  const { facts } = await targetShared.look(sides.targetShared, task)
  return named(
    planTable({
      title: `Hub ${place.to}, once (target)`,
      table: targetSharedTable,
      facts: facts(NOTHING_YET),
      commands: effect => targetSharedCommands(place, effect),
    }),
  )
}

const named = ({ text, problem }: TablePlan) => ({ shared: text, ...(problem !== undefined && { problem }) })

function planSourceCluster(sides: PlanSides, task: MigrationTask, cluster: string): PlanOfCluster {
  const hub = sides.hubName
  const facts = sourceItems.observe(sides.source, task, cluster, NOTHING_YET)
  const plan = planTable({
    title: `Hub ${hub} (source)`,
    table: sourceItemTable,
    facts,
    commands: effect => sourceItemCommands({ hub, cluster }, effect),
  })
  const journal = journalFor(facts, 'Initializing', 'Forward')
  const steps = itemRunbook({
    migrationUid: task.spec.migration.uid,
    item: {
      name: cluster,
      isBundleDelivered: () => false,
      source: { hub, wish: undefined, progress: arrivedWith({ journal: { ...journal } }) },
      target: { hub: task.spec.peer, wish: undefined, progress: undefined },
    },
  })
  return withRollback(plan, renderRunbook(`Rollback on hub ${hub}, from the last stage back`, steps))
}

function planTargetCluster(sides: PlanSides, task: MigrationTask, cluster: string): PlanOfCluster {
  const hub = sides.hubName
  const facts = targetItems.observe(sides.target, task, cluster, NOTHING_YET)
  const plan = planTable({
    title: `Hub ${hub} (target)`,
    table: targetItemTable,
    facts,
    commands: effect => targetItemCommands({ hub, cluster }, effect),
  })
  const steps = itemRunbook({
    migrationUid: task.spec.migration.uid,
    item: {
      name: cluster,
      source: { hub: task.spec.peer, wish: undefined, progress: undefined },
      target: { hub, wish: undefined, progress: arrivedWith({}) },
      isBundleDelivered: () => false,
    },
  })
  return withRollback(plan, renderRunbook(`Rollback on hub ${hub}, from the last stage back`, steps))
}

/** A cluster that went wrong at the latest moment at which it is still taken back. */
const arrivedWith = (over: Partial<Progress>): Progress => ({
  stage: 'Registering',
  direction: 'Forward',
  state: 'Done',
  entered: true,
  since: '',
  ...over,
})

const withRollback = ({ text, problem }: TablePlan, rollback: string): PlanOfCluster => ({
  text: `${text}\n${rollback}`,
  ...(problem !== undefined && { problem }),
})
