/** `npm run demo -- sites`: runs it, and says how it went. */
import { oneLine } from '../render-text.ts'
import { parseSitesOptions } from './options.ts'
import { ownershipTable } from './owners.ts'
import { runSitesDemo, type SitesDemoResult } from './run.ts'
import type { SitesWorld } from './world.ts'

/** @returns the exit status: 0 only when everything that the demo promises held. */
export async function sitesMain(args: readonly string[]): Promise<number> {
  const parsed = parseSitesOptions(args)
  if (parsed.kind !== 'run') {
    console.error(parsed.text)
    return parsed.kind === 'help' ? 0 : 2
  }
  const { items, isJson, keep } = parsed.command
  const log = (line: string) => (isJson ? console.error(oneLine(line)) : console.log(oneLine(line)))
  log(`starting two sites and ${items} simulated subclouds …`)
  const { result, world, stop } = await runSitesDemo({ items, log })
  if (isJson) console.log(JSON.stringify(result))
  else for (const line of ['', ...summaryOf(result, world)]) console.log(line)
  if (isJson) for (const line of result.violations) console.error(`promise broken: ${line}`)
  if (keep) await untilInterrupted(world)
  await stop()
  return hasHeld(result) ? 0 : 1
}

export const hasHeld = ({ home, items, violations }: SitesDemoResult) => home === items && violations.length === 0

function summaryOf(result: SitesDemoResult, { a, b }: Pick<SitesWorld, 'a' | 'b'>): string[] {
  const { items, home, seconds, kills, owners, violations } = result
  const names = new Map([a, b].map(({ identity }) => [identity.uuid, identity.name]))
  const broken = violations.length === 0 ? ['none'] : violations.map(line => `\n    ${oneLine(line)}`)
  return [
    ...ownershipTable(owners, owner => names.get(owner) ?? owner),
    '',
    `${home} of ${items} subclouds are home again after ${seconds.toFixed(1)} s, each with one owner at all times`,
    `  sites killed with SIGKILL  ${kills} times`,
    `  promises broken            ${broken.join('')}`,
  ]
}

async function untilInterrupted({ a, b }: SitesWorld): Promise<void> {
  console.error('\nEverything stays up until Ctrl-C. Look around with any dcmanager client:')
  for (const { identity, help } of [a, b]) console.error(`  ${identity.name}: ${help}`)
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
