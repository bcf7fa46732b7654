/** Prometheus' text format, version 0.0.4. Names of samples and labels come from code, values of labels from anywhere. */

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

const PREFIX = 'godwit_sites_'

export const exposition = (metrics: readonly Metric[]): string =>
  metrics
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${PREFIX}${name} ${help}`,
        `# TYPE ${PREFIX}${name} ${type}`,
        ...samples.map(({ labels, value }) => `${PREFIX}${name}${labelText(labels)} ${value}`),
        '',
      ].join('\n'),
    )
    .join('')

function labelText(labels: Sample['labels'] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
