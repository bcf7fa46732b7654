/** Figures beside their targets. */

export interface Target {
  readonly value: number
  /** Rates shall be at least the target, times and sizes at most. */
  readonly wanted: 'at least' | 'at most'
}

export interface Row {
  readonly what: string
  readonly unit: string
  readonly target?: Target
  /** One for each run. */
  readonly figures: readonly number[]
  readonly note?: string
}

/** The run that stands for all: the middle one. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function isMet(figure: number, { value, wanted }: Target): boolean {
  return wanted === 'at least' ? figure >= value : figure <= value
}

const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1))

function verdict({ target, figures }: Row): string {
  if (!target) return ''
  if (isMet(median(figures), target)) return 'met'
  return figures.some(figure => isMet(figure, target)) ? 'met in the best run only' : 'MISSED'
}

/** Lines of a table; with several runs also the lowest and the highest. */
export function table(rows: readonly Row[]): string {
  const header = ['what', 'unit', 'target', 'figure', 'lowest … highest', 'verdict', '']
  const cells = rows.map(row => {
    const { what, unit, target, figures, note = '' } = row
    const spread = figures.length > 1 ? `${number(Math.min(...figures))} … ${number(Math.max(...figures))}` : ''
    const wanted = target ? `${target.wanted === 'at least' ? '≥' : '≤'} ${number(target.value)}` : ''
    return [what, unit, wanted, number(median(figures)), spread, verdict(row), note]
  })
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map(row => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 || column > 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map(width => '-'.repeat(width))), ...cells.map(line)].join('\n')
}
