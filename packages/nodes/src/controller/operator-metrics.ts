/** Metrics of the operator in the text format that Prometheus reads. No set and no VM ever becomes a label. */
import type { CocoonSet, MoveOutcome } from '../api/index.ts'

const PREFIX = 'cocoon_operator_'

interface Sum {
  count: number
  totalMs: number
}

/** What was counted since the process started; gauges come from the sets as they are when somebody asks. */
export class OperatorMetrics {
  readonly #outcomes = new Map<string, number>()
  readonly #duration: Sum = { count: 0, totalMs: 0 }
  readonly #downtime: Sum = { count: 0, totalMs: 0 }
  #sets: () => readonly CocoonSet[] = () => []

  /** Where the gauges are read from. */
  watch(sets: () => readonly CocoonSet[]): void {
    this.#sets = sets
  }

  finished({ outcome, totalMs, downtimeMs }: MoveOutcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
    add(this.#duration, totalMs)
    add(this.#downtime, downtimeMs)
  }

  /** Text format, version 0.0.4. */
  render(): string {
    const sets = this.#sets()
    const phases = tally(sets.map(({ status }) => status?.phase ?? 'Pending'))
    const moves = tally(sets.flatMap(({ status }) => (status?.migrations ?? []).map(({ stage }) => stage)))
    const debts = sets.reduce((sum, { status }) => sum + (status?.debts?.length ?? 0), 0)
    return [
      gauge('cocoonsets', 'CocoonSets by phase.', 'phase', phases),
      gauge('migrations', 'VMs on their way, by stage.', 'stage', moves),
      block('snapshot_debts', 'gauge', 'Snapshots that are still to be deleted.', [['', debts]]),
      block(
        'migrations_total',
        'counter',
        'Migrations that ended, by outcome.',
        [...this.#outcomes].map(([outcome, count]) => [`{outcome="${outcome}"}`, count]),
      ),
      summary('migration_duration_seconds', 'From the request to the end.', this.#duration),
      summary('migration_downtime_seconds', 'From the stop at the source to service at the target.', this.#downtime),
    ].join('')
  }
}

function add(sum: Sum, ms: number | undefined): void {
  if (ms === undefined) return
  sum.count++
  sum.totalMs += ms
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function block(name: string, type: string, help: string, samples: readonly (readonly [string, number])[]): string {
  const lines = samples.map(([suffix, value]) => `${PREFIX}${name}${suffix} ${value}`)
  return [`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`, ...lines, ''].join('\n')
}

const gauge = (name: string, help: string, label: string, counts: ReadonlyMap<string, number>) =>
  block(
    name,
    'gauge',
    help,
    [...counts].map(([value, count]) => [`{${label}="${value}"}`, count]),
  )

const summary = (name: string, help: string, { count, totalMs }: Sum) =>
  block(name, 'summary', help, [
    ['_sum', totalMs / 1000],
    ['_count', count],
  ])
