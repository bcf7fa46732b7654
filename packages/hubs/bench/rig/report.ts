/** Figures beside their targets. */

interface Target {
  readonly value: number
  readonly wanted: 'at least' | 'at most'
}

export const atMost = (value: number): Target => ({ value, wanted: 'at most' })
export const atLeast = (value: number): Target => ({ value, wanted: 'at least' })

const render = (value: number) => (value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1))

/** One line: what, figure, target, verdict. */
export function figure(what: string, value: number, unit: string, target?: Target): void {
  const sign = target?.wanted === 'at least' ? '≥' : '≤'
  const isMet = target === undefined || (target.wanted === 'at least' ? value >= target.value : value <= target.value)
  const wanted = target ? `target ${sign} ${render(target.value)} ${unit}  ${isMet ? 'met' : 'MISSED'}` : ''
  console.log(`  ${what.padEnd(66)} ${`${render(value)} ${unit}`.padStart(12)}  ${wanted}`.trimEnd())
}

export const heading = (text: string) => console.log(`\n${text}`)
export const remark = (text: string) => console.log(`  ${text}`)

/** The value below which this part of all values lies. NaN for none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
