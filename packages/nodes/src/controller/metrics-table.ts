/** Every metric of the operator. What the reference tells has its name and its labels. */
export interface MetricDescription {
  readonly type: 'gauge' | 'counter' | 'summary' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

export const METRIC_PREFIX = 'cocoon_operator_'

const SET = ['namespace', 'cocoonset'] as const

export const operatorMetrics = {
  cocoonsets: { type: 'gauge', labels: ['phase'], help: 'CocoonSets by phase.' },
  migrations: { type: 'gauge', labels: ['stage'], help: 'VMs on their way, by stage.' },
  snapshot_debts: { type: 'gauge', labels: [], help: 'Snapshots that are still to be deleted.' },
  migrations_total: { type: 'counter', labels: ['outcome'], help: 'Migrations that ended, by outcome.' },
  migration_duration_seconds: { type: 'summary', labels: [], help: 'From the request to the end.' },
  migration_downtime_seconds: {
    type: 'summary',
    labels: [],
    help: 'From the stop at the source to service at the target.',
  },
  migrate_unschedulable_total: {
    type: 'counter',
    labels: [],
    help: 'Times the scheduler had no room for a moved pod.',
  },
  subagent_rebuild_total: { type: 'counter', labels: SET, help: 'Sub-agents and toolboxes that were made anew.' },
  subagent_dead_letter_total: { type: 'counter', labels: SET, help: 'Sub-agents and toolboxes that failed too often.' },
  lifecycle_state_failed_observed_total: {
    type: 'counter',
    labels: ['phase'],
    help: 'Main agents that failed, by the phase of the set before.',
  },
  hibernate_phase_duration_seconds: {
    type: 'histogram',
    labels: ['result'],
    help: 'How long CocoonHibernations were Hibernating.',
  },
  wake_phase_duration_seconds: {
    type: 'histogram',
    labels: ['result'],
    help: 'How long CocoonHibernations were Waking.',
  },
  slot_release_pods_deleted_total: {
    type: 'counter',
    labels: [],
    help: 'Pods that gave their seat back while asleep.',
  },
  slot_release_wake_total: {
    type: 'counter',
    labels: ['placement'],
    help: 'Sets that woke from a released seat: on the node they had (hint-node), or on another (pool).',
  },
  slot_release_wake_unschedulable_total: {
    type: 'counter',
    labels: [],
    help: 'Looks at a waking set for which the scheduler had no room.',
  },
} as const satisfies Readonly<Record<string, MetricDescription>>

export type MetricName = keyof typeof operatorMetrics
type OfType<Type extends MetricDescription['type']> = {
  [Name in MetricName]: (typeof operatorMetrics)[Name]['type'] extends Type ? Name : never
}[MetricName]
export type CounterName = OfType<'counter'>
export type HistogramName = OfType<'histogram'>
export type SummaryName = OfType<'summary'>
export type GaugeName = OfType<'gauge'>

/** Upper bounds in seconds. */
export const DURATION_BUCKETS = [10, 30, 60, 180, 600, 1800] as const

/** As a table for people. */
export function describeOperatorMetrics(): string {
  const rows = Object.entries(operatorMetrics).map(([name, { type, labels, help }]) => {
    const named = labels.map(label => `\`${label}\``).join(', ')
    return `| \`${METRIC_PREFIX}${name}\` | ${type} | ${named || '–'} | ${help} |`
  })
  return ['| Metric | Type | Labels | What it says |', '|---|---|---|---|', ...rows, ''].join('\n')
}
