import type { ClusterCounts, ManagedClusterMigration, WaitingFor } from '@godwit/hubs'
import type { DemoView, StageView } from '../render.ts'

const ORDER = ['validating', 'initializing', 'deploying', 'registering', 'cleaning'] as const

/** Counts say where clusters are; a stage is done for all that are in a later one. */
export function stagesOf(counts: ClusterCounts): StageView[] {
  return ORDER.map((name, index) => {
    const later = ORDER.slice(index + 1).reduce((sum, next) => sum + counts[next], 0)
    return {
      name: name.charAt(0).toUpperCase() + name.slice(1),
      done: later + counts.completed,
      acting: counts[name],
      waiting: 0,
      // A cluster that failed is counted where it ends: in the last stage it will not reach.
      failed: index === ORDER.length - 1 ? counts.failed + counts.rollingBack : 0,
    }
  })
}

const waitText = ({ what, who, since, items, example }: WaitingFor) => {
  const count = items === undefined ? '' : `${items} × `
  const instance = example === undefined ? '' : `, for instance ${example}`
  return `${count}${what} (${who}), since ${since.slice(11, 19)}${instance}`
}

export interface ViewState {
  readonly migration: ManagedClusterMigration | undefined
  readonly startedAt: number
  readonly nowMs: number
  readonly items: number
  readonly log: readonly string[]
}

/** What the renderer draws of a migration. */
export function viewOf({ migration, startedAt, nowMs, items, log }: ViewState): DemoView {
  const { phase = 'starting', clusters, waitingFor = [] } = migration?.status ?? {}
  return {
    title: `${items} managed clusters, hub1 → hub2`,
    phase,
    elapsedMs: nowMs - startedAt,
    stages: clusters ? stagesOf(clusters) : [],
    total: items,
    waitingFor: waitingFor.map(waitText),
    log,
  }
}
