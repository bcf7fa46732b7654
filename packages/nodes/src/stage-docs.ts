/** The parts of docs/nodes.md that are made from the source. */
import { describeDiagram, describeTable } from '@godwit/core'
import { describeOperatorMetrics } from './controller/metrics-table.ts'
import { moveTable } from './migration/move-table.ts'
import { operatorRules } from './rbac.ts'

function describeRules(): string {
  const rows = operatorRules.map(
    ({ apiGroups, resources, verbs }) =>
      `| ${apiGroups.map(group => group || 'core').join(', ')} | ${resources.join(', ')} | ${verbs.join(', ')} |`,
  )
  return ['| API group | Resources | Verbs |', '|---|---|---|', ...rows, ''].join('\n')
}

/** By section name. */
export const nodesDocs: Readonly<Record<string, () => string>> = {
  'nodes-move-diagram': () => `\`\`\`mermaid\n${describeDiagram(moveTable)}\n\`\`\`\n`,
  'nodes-move-table': () => `${describeTable(moveTable)}\n`,
  'nodes-metrics': describeOperatorMetrics,
  'nodes-permissions': describeRules,
}
