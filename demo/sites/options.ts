/** The command line of `npm run demo -- sites`. */
import { parseArgs } from 'node:util'

export interface SitesDemoCommand {
  readonly items: number
  readonly isJson: boolean
  /** Everything stays up after the end, until Ctrl-C. */
  readonly keep: boolean
}

export type ParsedSites =
  | { readonly kind: 'run'; readonly command: SitesDemoCommand }
  | { readonly kind: 'help' | 'error'; readonly text: string }

const DEFAULT_ITEMS = 40
const MIN_ITEMS = 4
const MAX_ITEMS = 1_000

export const sitesHelpText = `npm run demo -- sites [options]

Runs two sites as processes with databases of their own, and simulated subclouds as a third one. Kills site A with
SIGKILL, migrates on site B, kills that in the middle and starts it again, corrects a wrong bootstrap address where
somebody is alive, brings A back, migrates home, and shows that every subcloud had one owner at all times.

  --items N   how many subclouds, ${MIN_ITEMS} to ${MAX_ITEMS} (default: ${DEFAULT_ITEMS})
  --json      print the summary as one line of JSON; progress goes to standard error
  --keep      leave everything running afterwards and say how to look around
  --help      print this text`

/** @param args the arguments after `npm run demo -- sites` */
export function parseSitesOptions(args: readonly string[]): ParsedSites {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        items: { type: 'string', default: String(DEFAULT_ITEMS) },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    if (values.help) return { kind: 'help', text: sitesHelpText }
    const items = Number(values.items)
    if (!/^\d+$/.test(values.items) || items < MIN_ITEMS || items > MAX_ITEMS)
      throw new Error(`--items ${values.items}: give a whole number from ${MIN_ITEMS} to ${MAX_ITEMS}`)
    return { kind: 'run', command: { items, isJson: values.json, keep: values.keep } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'error', text: `demo: ${reason}\nSee npm run demo -- sites --help.` }
  }
}
