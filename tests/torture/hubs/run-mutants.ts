/** Plants each mutant into the product, one process each, and sees whether the torture notices. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Tally } from '../shards.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

const PLANT = fileURLToPath(new URL('plant.ts', import.meta.url))
const TORTURE = fileURLToPath(new URL('../../../scripts/torture.ts', import.meta.url))
/** One crash point: the run without any crash comes before it. */
const SHORT = ['--exhaustive', '--every', '1000', '--jobs', '1']
const COMPLAINTS = /FAILED|fails without any crash/

export function runMutants(print: (line: string) => void): Tally {
  const missed = MUTANTS.filter(mutant => !isFound(mutant, print))
  return { passed: MUTANTS.length - missed.length, failed: missed.length }
}

/** A torture that cannot even begin has noticed nothing. */
function isFound({ name, scenario }: Mutant, print: (line: string) => void): boolean {
  const args = ['--import', PLANT, TORTURE, 'hubs', '--scenario', scenario, ...SHORT]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, MUTANT: name },
    encoding: 'utf8',
  })
  const isNoticed = status === 1 && COMPLAINTS.test(stdout + stderr)
  print(`${isNoticed ? 'found' : 'MISSED'}: ${name}`)
  if (!isNoticed) print(stderr)
  return isNoticed
}
