/** The command line of `npm run demo -- nodes`. */
import { parseArgs } from 'node:util'

export interface NodesDemoCommand {
  readonly items: number
  readonly isKilling: boolean
  readonly isJson: boolean
  /** Everything stays up after the end, until Ctrl-C. */
  readonly keep: boolean
}

export type ParsedNodes =
  | { readonly kind: 'run'; readonly command: NodesDemoCommand }
  | { readonly kind: 'help' | 'error'; readonly text: string }

const DEFAULT_ITEMS = 20
const MAX_ITEMS = 1_000

export const nodesHelpText = `npm run demo -- nodes [options]

Runs CocoonSets on three simulated nodes, moves half of their VMs to other nodes, kills the operator with
SIGKILL in each stage of a move, and proves by the counters of the guests that no saved state was lost.

  --items N   how many sets, 2 to ${MAX_ITEMS} (default: ${DEFAULT_ITEMS})
  --no-kill   kill nobody
  --json      print the summary as one line of JSON; progress goes to standard error
  --keep      leave everything running afterwards and say how to move more
  --help      print this text`

/** @param args the arguments after `npm run demo -- nodes` */
export function parseNodesOptions(args: readonly string[]): ParsedNodes {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        items: { type: 'string', default: String(DEFAULT_ITEMS) },
        'no-kill': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    if (values.help) return { kind: 'help', text: nodesHelpText }
    const items = Number(values.items)
    if (!/^\d+$/.test(values.items) || items < 2 || items > MAX_ITEMS)
      throw new Error(`--items ${values.items}: give a whole number from 2 to ${MAX_ITEMS}`)
    return {
      kind: 'run',
      command: { items, isKilling: !values['no-kill'], isJson: values.json, keep: values.keep },
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'error', text: `demo: ${reason}\nSee npm run demo -- nodes --help.` }
  }
}
