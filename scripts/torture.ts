// npm run torture -- hubs|nodes|sites …: kills controllers, agents and sites in every moment, or by chance, and judges what is left.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { inShards } from '../tests/torture/shards.ts'

const help = `npm run torture -- hubs|nodes|sites OPTIONS

  --exhaustive      one run for each write of each party, with a death just before and one just after it
  --scenario NAME   only this scenario; of nodes also EDIT@WRITE: this edit at this write of a move, and wave@N: N sets
                    pinned at once
  --every N         only each N-th crash point (default: 1)
  --party P --write K --when before|after
                    exactly one crash point of one scenario
  --seeds N         N random schedules of crashes, API faults, sleeping processes and edits
  --from S          first seed of them (default: 1)
  --seed S          seed of the world of the other runs (default: 1)
  --mutants         of hubs: plants bugs into the product, and fails for each that goes unnoticed
  --jobs N          processes at the same time (default: one for each core)
  --verbose         the log of each run that fails`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    exhaustive: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    every: { type: 'string', default: '1' },
    party: { type: 'string' },
    write: { type: 'string' },
    when: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    shard: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Each is loaded by the processes that run it only. */
const domains = {
  hubs: async () => (await import('../tests/torture/hubs/command.ts')).runHubs,
  nodes: async () => (await import('../tests/torture/nodes/command.ts')).runNodes,
  sites: async () => (await import('../tests/torture/sites/command.ts')).runSites,
}
const load =
  positionals.length === 1 ? Object.entries(domains).find(([name]) => name === positionals[0])?.[1] : undefined

if (values.help || !load) {
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  const print = (line: string) => console.log(line)
  const { passed, failed } = isSplit()
    ? await inShards(process.argv.slice(1), Number(values.jobs), print)
    : await (await load())({ ...values, shard: values.shard || '1/1' }, print)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

/** A single run, and one share of many, are done here. */
function isSplit(): boolean {
  if (values.mutants || values.shard !== '' || values.party !== undefined || Number(values.seeds ?? 2) < 2) return false
  return Number(values.jobs) > 1
}
