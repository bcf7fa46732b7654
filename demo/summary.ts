/** What a demo has to say at its end, for people and for programs. */
import { oneLine } from './render-text.ts'

export interface DemoResult {
  readonly items: number
  readonly completed: number
  readonly failed: number
  readonly seconds: number
  readonly kills: number
  readonly recoveries: number
  readonly apiCallsPerItem: number
  /** What was knowingly left behind, by name. */
  readonly residue: readonly string[]
  /** Promises that did not hold; a demo with any has failed. */
  readonly violations: readonly string[]
}

const maxListed = 20

/** Whether the demo showed what it promises: everything arrived, nothing is left behind, every invariant held. */
export function hasSucceeded({ items, completed, violations, residue }: DemoResult): boolean {
  return completed === items && violations.length === 0 && residue.length === 0
}

/** The summary for people, as lines. */
export function renderSummary(result: DemoResult, item = 'cluster'): string[] {
  const { items, completed, failed, seconds, kills, recoveries, apiCallsPerItem, residue, violations } = result
  return [
    `${completed} of ${count(items, item)} moved in ${seconds.toFixed(1)} s, ${failed === 0 ? 'none' : failed} failed`,
    `  killed with SIGKILL   ${count(kills, 'process', 'processes')}`,
    `  recovered             ${count(recoveries, 'time')}`,
    `  API calls             ${apiCallsPerItem.toFixed(1)} for each ${item}`,
    ...listed('  left behind           ', residue),
    ...listed('  promises broken       ', violations),
  ]
}

/** The summary for programs: one line of JSON. */
export function summaryJson(result: DemoResult): string {
  const { items, completed, failed, seconds, kills, recoveries, apiCallsPerItem, residue } = result
  return JSON.stringify({ items, completed, failed, seconds, kills, recoveries, apiCallsPerItem, residue })
}

function listed(label: string, entries: readonly string[]): string[] {
  const shown = entries.slice(0, maxListed).map(entry => `    ${oneLine(entry)}`)
  const hidden = entries.length - shown.length
  if (entries.length === 0) return [`${label}none`]
  return [`${label}${entries.length}:`, ...shown, ...(hidden > 0 ? [`    and ${hidden} more`] : [])]
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
