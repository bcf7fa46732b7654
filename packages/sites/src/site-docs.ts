/** The parts of docs/sites.md that are made from the source. */
import { describeDiagram, describeTable } from '@godwit/core'
import {
  type Alarm,
  groupLedByPeer,
  peerUnreachable,
  subcloudOffline,
  subcloudOutOfSync,
} from './alarms/definitions.ts'
import { CONFIG_HINTS } from './config/hints.ts'
import { FAILOVER_RULES } from './failover/decide.ts'
import { METRIC_DOCS } from './metrics/site-metrics.ts'
import { batchTable } from './rehome/batch-table.ts'
import { rehomeTable } from './rehome/table.ts'
import { EDIT_RULES } from './subcloud/edit-rules.ts'

const peer = { peerUuid: 'UUID', peerName: 'PEER' }
const ALARMS: readonly Alarm[] = [
  subcloudOffline('NAME'),
  subcloudOutOfSync('NAME', 'TYPE'),
  peerUnreachable({ uuid: 'UUID', name: 'PEER', ledGroups: [] }),
  peerUnreachable({ uuid: 'UUID', name: 'PEER', ledGroups: ['GROUP'] }),
  groupLedByPeer({ group: 'GROUP', ...peer }),
]

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.map(cell).join(' | ')} |\n`).join('')
const cell = (text: string) => text.replaceAll('|', '\\|')

/** By section name. */
export const sitesDocs: Readonly<Record<string, () => string>> = {
  'sites-batch-table': () => `${describeTable(batchTable)}\n`,
  'sites-rehome-diagram': () => `\`\`\`mermaid\n${describeDiagram(rehomeTable)}\n\`\`\`\n`,
  'sites-rehome-table': () => `${describeTable(rehomeTable)}\n`,
  'sites-edit-rules': () =>
    table(
      ['Rule', 'Holds for the other site too', 'Answer'],
      EDIT_RULES.map(({ rule, alsoForPeers, text }) => [rule, alsoForPeers ? 'yes' : '', text]),
    ),
  'sites-failover': () =>
    [...FAILOVER_RULES.map(({ when }) => when), 'none of these: the batches begin']
      .map((when, index) => `${index + 1}. ${when}\n`)
      .join(''),
  'sites-alarms': () =>
    table(
      ['Id', 'Entity', 'Severity', 'Text', 'What to do'],
      ALARMS.map(({ id, entity, severity, text, repair }) => [id, `\`${entity}\``, severity, text, repair]),
    ),
  'sites-config': () =>
    table(
      ['Key', 'Meaning'],
      Object.entries(CONFIG_HINTS).map(([key, hint]) => [`\`${key}\``, hint]),
    ),
  'sites-metrics': () =>
    table(
      ['Metric', 'Meaning'],
      METRIC_DOCS.map(({ name, help }) => [`\`godwit_sites_${name}\``, help]),
    ),
}
