// npm run torture -- hubs …: kills controllers and agents in every moment, or by chance, and judges what is left.
import { parseArgs } from 'node:util'
import { type CommandOptions, runHubs } from '../tests/torture/hubs/command.ts'

const help = `npm run torture -- hubs OPTIONS

  --exhaustive      one run for each write of each party, with a death just before and one just after it
  --scenario NAME   only this scenario
  --every N         only each N-th crash point (default: 1)
  --party P --write K --when before|after
                    exactly one crash point of one scenario
  --seeds N         N random schedules of crashes, API faults, sleeping processes and edits
  --from S          first seed of them (default: 1)
  --seed S          seed of the world of the other runs (default: 1)
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
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help || positionals.join(' ') !== 'hubs') {
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  const options: CommandOptions = values
  const { passed, failed } = await runHubs(options, line => console.log(line))
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}
