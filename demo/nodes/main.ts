/** `npm run demo -- nodes`: runs it, and says how it went. */
import { oneLine } from '../render-text.ts'
import { parseNodesOptions } from './options.ts'
import { type NodesDemoResult, runNodesDemo } from './run.ts'
import { NAMESPACE, type NodesDemoWorld } from './world.ts'

/** @returns the exit status: 0 only when everything that the demo promises held. */
export async function nodesMain(args: readonly string[]): Promise<number> {
  const parsed = parseNodesOptions(args)
  if (parsed.kind !== 'run') {
    console.error(parsed.text)
    return parsed.kind === 'help' ? 0 : 2
  }
  const { items, isKilling, isJson, keep } = parsed.command
  const log = (line: string) => (isJson ? console.error(oneLine(line)) : console.log(oneLine(line)))
  log(`starting an API server, a registry and three nodes for ${items} sets …`)
  const { result, world, stop } = await runNodesDemo({ items, isKilling, log })
  if (isJson) console.log(JSON.stringify(result))
  else for (const line of ['', ...summaryOf(result)]) console.log(line)
  if (isJson) for (const line of result.violations) console.error(`promise broken: ${line}`)
  if (keep) await untilInterrupted(world)
  await stop()
  return hasHeld(result) ? 0 : 1
}

export const hasHeld = ({ moved, wanted, violations }: NodesDemoResult) => moved === wanted && violations.length === 0

export function summaryOf(result: NodesDemoResult): string[] {
  const { wanted, moved, seconds, kills, recoveries, unseen, downtimeMs, windowWrites, apiCallsPerMove, violations } =
    result
  const broken =
    violations.length === 0 ? ['none'] : [`${violations.length}:`, ...violations.map(line => `\n    ${oneLine(line)}`)]
  return [
    `${moved} of ${wanted} VMs moved in ${seconds.toFixed(1)} s, with everything they had saved`,
    `  operator killed with SIGKILL  ${kills} times, recovered ${recoveries} times${unseen.length > 0 ? ` (${unseen.join(', ')} passed unseen)` : ''}`,
    `  downtime of a VM              median ${downtimeMs.median} ms, longest ${downtimeMs.longest} ms`,
    `  API calls of the operator     ${apiCallsPerMove.toFixed(1)} for each move`,
    `  after a save, before removal  ${windowWrites} guest writes (the window of node agents that do not save atomically)`,
    `  promises broken               ${broken.join('')}`,
  ]
}

async function untilInterrupted({ kubeconfigs }: NodesDemoWorld): Promise<void> {
  const kubectl = `kubectl --kubeconfig ${kubeconfigs.admin} -n ${NAMESPACE}`
  console.error('\nEverything stays up until Ctrl-C. Look around, and move another one:')
  console.error(`  ${kubectl} get cocoonsets,pods -o wide`)
  console.error(`  ${kubectl} patch cocoonset set-01 --type merge -p '{"spec":{"nodeName":"node-c"}}'`)
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
