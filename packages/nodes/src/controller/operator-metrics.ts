/** Metrics of the operator in the text format that Prometheus reads: what was counted since the process started. */
import type { CocoonSet, MoveOutcome } from '../api/index.ts'
import {
  type CounterName,
  DURATION_BUCKETS,
  type HistogramName,
  METRIC_PREFIX,
  type MetricName,
  operatorMetrics,
  type SummaryName,
} from './metrics-table.ts'

interface Sum {
  count: number
  total: number
  /** How many were at most as long as each bound of the buckets. */
  readonly within: number[]
}

/** Something that happened, with the values of the labels of its metric in their order. */
export interface Count {
  readonly name: CounterName
  readonly labels: readonly string[]
}

/** Series of one metric; what comes after is counted without its labels. */
const MAX_SERIES = 1_000

/** Gauges come from the sets as they are when somebody asks. */
export class OperatorMetrics {
  readonly #counts = new Map<CounterName, Map<string, number>>()
  readonly #sums = new Map<string, Sum>()
  #sets: () => readonly CocoonSet[] = () => []

  /** Where the gauges are read from. */
  watch(sets: () => readonly CocoonSet[]): void {
    this.#sets = sets
  }

  count({ name, labels }: Count): void {
    const series = this.#counts.get(name) ?? new Map<string, number>()
    this.#counts.set(name, series)
    const key = labelled(name, labels)
    const known = series.has(key) || series.size < MAX_SERIES ? key : labelled(name, [])
    series.set(known, (series.get(known) ?? 0) + 1)
  }

  finished({ outcome, totalMs, downtimeMs }: MoveOutcome): void {
    this.count({ name: 'migrations_total', labels: [outcome] })
    if (totalMs !== undefined) this.#add('migration_duration_seconds', '', totalMs / 1000)
    if (downtimeMs !== undefined) this.#add('migration_downtime_seconds', '', downtimeMs / 1000)
  }

  /** A phase that took so long ended well, or by its deadline. */
  took(name: HistogramName, result: 'ok' | 'timeout', seconds: number): void {
    this.#add(name, result, seconds)
  }

  /** Text format, version 0.0.4. */
  render(): string {
    const sets = this.#sets()
    const debts = sets.reduce((sum, { status }) => sum + (status?.debts?.length ?? 0), 0)
    const gauges: Partial<Record<MetricName, readonly string[]>> = {
      cocoonsets: tally(
        'cocoonsets',
        sets.map(({ status }) => status?.phase ?? 'Pending'),
      ),
      migrations: tally(
        'migrations',
        sets.flatMap(({ status }) => (status?.migrations ?? []).map(({ stage }) => stage)),
      ),
      snapshot_debts: [` ${debts}`],
    }
    const names = Object.keys(operatorMetrics) as MetricName[]
    return names.map(name => block(name, gauges[name] ?? this.#samplesOf(name))).join('')
  }

  #add(name: HistogramName | SummaryName, result: string, seconds: number): void {
    const key = `${name} ${result}`
    const sum = this.#sums.get(key) ?? { count: 0, total: 0, within: DURATION_BUCKETS.map(() => 0) }
    this.#sums.set(key, sum)
    sum.count++
    sum.total += seconds
    for (const [index, bound] of DURATION_BUCKETS.entries())
      if (seconds <= bound) sum.within[index] = (sum.within[index] ?? 0) + 1
  }

  #samplesOf(name: MetricName): string[] {
    const { type } = operatorMetrics[name]
    if (type === 'counter') return [...(this.#counts.get(name as CounterName) ?? [])].map(([key, n]) => `${key} ${n}`)
    if (type === 'histogram') return ['ok', 'timeout'].flatMap(result => this.#histogram(name, result))
    const { count, total } = this.#sums.get(`${name} `) ?? { count: 0, total: 0 }
    return [`_sum ${total}`, `_count ${count}`]
  }

  #histogram(name: MetricName, result: string): string[] {
    const sum = this.#sums.get(`${name} ${result}`)
    if (!sum) return []
    const { count, total, within } = sum
    const bounds = DURATION_BUCKETS.map((bound, index) => `_bucket{result="${result}",le="${bound}"} ${within[index]}`)
    const all = `_bucket{result="${result}",le="+Inf"} ${count}`
    return [...bounds, all, `_sum{result="${result}"} ${total}`, `_count{result="${result}"} ${count}`]
  }
}

/** Values are names of Kubernetes objects and our own words: nothing that would have to be escaped. */
function labelled(name: MetricName, values: readonly string[]): string {
  const { labels } = operatorMetrics[name]
  if (labels.length === 0) return ''
  return `{${labels.map((label, index) => `${label}="${values[index] ?? 'others'}"`).join(',')}}`
}

function tally(name: MetricName, values: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([value, count]) => `${labelled(name, [value])} ${count}`)
}

function block(name: MetricName, samples: readonly string[]): string {
  const full = `${METRIC_PREFIX}${name}`
  const { help, type } = operatorMetrics[name]
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples.map(sample => full + sample), ''].join('\n')
}
