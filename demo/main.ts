// npm run demo [-- hubs|nodes|sites] [--items N] [--kill WHO@STAGE] [--no-kill] [--json] [--keep]
if (Number(process.versions.node.split('.')[0]) < 24)
  throw new Error(`Node ${process.versions.node} is too old for the demo: use \`npm run demo\`, which brings Node 24`)

import { systemClock } from '@godwit/ports'
import { type Progress, runHubsDemo } from './hubs/run.ts'
import { viewOf } from './hubs/view.ts'
import type { World } from './hubs/world.ts'
import { nodesMain } from './nodes/main.ts'
import { type DemoCommand, parseDemoOptions } from './options.ts'
import { type Output, ProgressWriter } from './render-writer.ts'
import { sitesMain } from './sites/main.ts'
import { hasSucceeded, renderSummary, summaryJson } from './summary.ts'

const [domain, ...rest] = process.argv.slice(2)
if (domain === 'nodes') process.exit(await nodesMain(rest))
if (domain === 'sites') process.exit(await sitesMain(rest))
const parsed = parseDemoOptions(process.argv.slice(2))
if (parsed.kind === 'run') process.exit(await run(parsed.command))
console.error(parsed.text)
process.exit(parsed.kind === 'help' ? 0 : 2)

/** @returns the exit status: 0 only when everything that the demo promises held. */
async function run(command: DemoCommand): Promise<number> {
  const writer = new ProgressWriter({
    // With --json the last line of standard output is for programs; people read the progress on standard error.
    output: command.isJson ? process.stderr : (process.stdout as Output),
    clock: systemClock,
    environment: process.env,
  })
  console.error(`starting three API servers and ${command.items} simulated clusters …`)
  const { result, world, stop } = await runHubsDemo(command, progressTo(writer, command.items))
  writer.stop()
  if (command.isJson) console.log(summaryJson(result))
  else for (const line of ['', ...renderSummary(result)]) console.log(line)
  if (command.isJson) for (const line of result.violations) console.error(`promise broken: ${line}`)
  if (command.keep) await keep(world)
  await stop()
  return hasSucceeded(result) ? 0 : 1
}

function progressTo(writer: ProgressWriter, items: number): Progress {
  const startedAt = systemClock.now()
  const log: string[] = []
  let migration: Parameters<Progress['onMigration']>[0] | undefined
  const view = () => viewOf({ migration, startedAt, nowMs: systemClock.now(), items, log: [...log] })
  return {
    onStart: () => writer.start(view()),
    onMigration: seen => {
      migration = seen
      writer.update(view())
    },
    log: line => {
      log.push(line)
      writer.update(view())
    },
  }
}

async function keep(world: World): Promise<void> {
  console.error('\nThe API servers stay up until Ctrl-C. Look around with, for instance:')
  for (const name of ['global', 'hub1', 'hub2'] as const)
    console.error(
      `  kubectl --kubeconfig ${world.kubeconfig(name, 'admin')} get ${name === 'global' ? 'mcm -A' : 'managedclusters'}`,
    )
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
