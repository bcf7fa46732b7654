/** The command line of `npm run demo`. */
import { parseArgs } from 'node:util'
import { isTerminal, MAX_ITEMS, PHASES, type Phase } from '@godwit/hubs'
import { DEFAULT_KILLS, type Kill } from './hubs/kill-plan.ts'
import { PARTIES } from './hubs/processes.ts'

export interface DemoCommand {
  readonly domain: 'hubs'
  readonly items: number
  readonly kills: readonly Kill[]
  readonly isJson: boolean
  /** The API servers stay up after the end, until Ctrl-C. */
  readonly keep: boolean
}

/** What the command line asks for; `error` says what is wrong, why, and what to do. */
export type Parsed =
  | { readonly kind: 'run'; readonly command: DemoCommand }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }

const defaultItems = 300
const killable: readonly Phase[] = PHASES.filter(phase => !isTerminal(phase))

export const helpText = `npm run demo -- [hubs] [options]
       npm run demo -- nodes --help

Moves simulated managed clusters from one hub to another, over real API servers, and kills the processes
that move them on the way.

  --items N           how many clusters to move, 1 to ${MAX_ITEMS} (default: ${defaultItems})
  --kill WHO@STAGE    kill -9 WHO when the migration reaches STAGE, and start it again; may be repeated
                      WHO:   ${PARTIES.join(', ')}
                      STAGE: ${killable.join(', ')}
                      (default: ${DEFAULT_KILLS.map(({ who, stage }) => `${who}@${stage}`).join(' ')})
  --no-kill           kill nobody
  --json              print the summary as one line of JSON; progress goes to standard error
  --keep              leave the API servers running afterwards and say how to look at them
  --help              print this text`

/** @param args the arguments after `npm run demo --` */
export function parseDemoOptions(args: readonly string[]): Parsed {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        items: { type: 'string', default: String(defaultItems) },
        kill: { type: 'string', multiple: true },
        'no-kill': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    if (values.help) return { kind: 'help', text: helpText }
    const command: DemoCommand = {
      domain: domainOf(positionals),
      items: itemsOf(values.items),
      kills: killsOf(values.kill, values['no-kill']),
      isJson: values.json,
      keep: values.keep,
    }
    return { kind: 'run', command }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'error', text: `demo: ${reason}\nSee npm run demo -- --help.` }
  }
}

function domainOf(positionals: readonly string[]): 'hubs' {
  const [domain = 'hubs', ...others] = positionals
  if (others.length > 0) throw new Error(`only one demo runs at a time; leave out ${others.join(' ')}`)
  if (domain !== 'hubs') throw new Error(`there is no demo called ${domain}; choose hubs or nodes`)
  return domain
}

function itemsOf(text: string): number {
  const items = Number(text)
  if (/^\d+$/.test(text) && items >= 1 && items <= MAX_ITEMS) return items
  throw new Error(`--items ${text}: one migration moves 1 to ${MAX_ITEMS} clusters; give a whole number in that range`)
}

function killsOf(wanted: readonly string[] | undefined, isNobody: boolean): readonly Kill[] {
  if (isNobody && wanted) throw new Error('--kill and --no-kill contradict each other; give one of them')
  if (isNobody) return []
  return wanted?.map(killOf) ?? DEFAULT_KILLS
}

function killOf(text: string): Kill {
  const [whoText, stageText, ...rest] = text.split('@')
  const who = PARTIES.find(party => party === whoText)
  const stage = killable.find(phase => phase.toLowerCase() === stageText?.toLowerCase())
  if (who && stage && rest.length === 0) return { who, stage }
  if (!stageText || rest.length > 0) throw new Error(`--kill ${text}: the form is WHO@STAGE, such as source@Deploying`)
  if (!who) throw new Error(`--kill ${text}: there is no process ${whoText}; choose ${PARTIES.join(', ')}`)
  throw new Error(`--kill ${text}: no migration passes a stage ${stageText}; choose ${killable.join(', ')}`)
}
