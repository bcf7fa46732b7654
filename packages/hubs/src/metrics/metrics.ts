/**
 * Metrics in the text format that Prometheus reads. They are collected when somebody asks, so there is no state to be
 * wrong. Names and labels are a closed list: no cluster and no migration ever becomes a label.
 */

interface MetricSpec {
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
}

export const METRICS = {
  godwit_leader: { type: 'gauge', help: '1 while this process leads, 0 while it stands by.', labels: [] },
  godwit_hubs_migrations: { type: 'gauge', help: 'Migrations by phase (controller).', labels: ['phase'] },
  godwit_hubs_clusters: {
    type: 'gauge',
    help: 'Clusters of migrations that are not over, by what they are doing (controller).',
    labels: ['state'],
  },
  godwit_hubs_longest_wait_seconds: {
    type: 'gauge',
    help: 'How long the longest wait of all open migrations has lasted (controller).',
    labels: [],
  },
  godwit_hubs_residue: {
    type: 'gauge',
    help: 'Things that migrations knowingly left behind, as listed in their status (controller).',
    labels: [],
  },
  godwit_hubs_tasks: {
    type: 'gauge',
    help: 'MigrationTasks of the hub, by role and scope (agent).',
    labels: ['role', 'scope'],
  },
  godwit_hubs_task_clusters: {
    type: 'gauge',
    help: 'Clusters in the tasks of the hub, by role, stage and state (agent).',
    labels: ['role', 'stage', 'state'],
  },
  godwit_kube_requests_total: {
    type: 'counter',
    help: 'Requests to API servers, by server, verb and resource.',
    labels: ['server', 'verb', 'resource'],
  },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.', labels: [] },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of the process.', labels: [] },
} as const satisfies Readonly<Record<string, MetricSpec>>

export type MetricName = keyof typeof METRICS

export interface Sample {
  readonly metric: MetricName
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export type Collect = () => readonly Sample[]

export class Metrics {
  readonly #collectors = new Set<Collect>()

  /** @returns takes the collector out again */
  add(collect: Collect): () => void {
    this.#collectors.add(collect)
    return () => this.#collectors.delete(collect)
  }

  /** Prometheus text format, version 0.0.4. */
  render(): string {
    const samples = [...this.#collectors].flatMap(collect => collect())
    const names = (Object.keys(METRICS) as MetricName[]).filter(name => samples.some(({ metric }) => metric === name))
    return names.map(name => renderMetric(name, samples)).join('')
  }
}

function renderMetric(name: MetricName, samples: readonly Sample[]): string {
  const { type, help } = METRICS[name]
  const lines = samples.filter(({ metric }) => metric === name).map(renderSample)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

function renderSample({ metric, labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`)
  return `${metric}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`
}

const escapeLabel = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** The reference for docs/hubs.md. */
export function describeMetrics(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const list = labels.map(label => `\`${label}\``).join(', ') || '–'
    return `| \`${name}\` | ${type} | ${list} | ${help} |`
  })
  return ['| Metric | Type | Labels | What it says |', '|---|---|---|---|', ...rows, ''].join('\n')
}
