/** The parts of docs/hubs.md that are made from the stage tables. */
import { describeDiagram, describeTable } from '@godwit/core'
import { describeErrorCodes } from './api/error-codes.ts'
import { controllerItemTable } from './controller/item-table.ts'
import { controllerSharedTable } from './controller/shared-table.ts'
import { describeMetrics } from './metrics/metrics.ts'
import { sourceItemTable } from './source/item-table.ts'
import { sourceSharedTable } from './source/shared-table.ts'
import { targetItemTable } from './target/item-table.ts'
import { targetSharedTable } from './target/shared-table.ts'

const mermaid = (text: string) => `\`\`\`mermaid\n${text}\n\`\`\`\n`

/** By section name. */
export const hubsStageDocs: Readonly<Record<string, () => string>> = {
  'hubs-shared-diagram': () => mermaid(describeDiagram(controllerSharedTable)),
  'hubs-item-diagram': () => mermaid(describeDiagram(controllerItemTable)),
  'hubs-controller-shared': () => `${describeTable(controllerSharedTable)}\n`,
  'hubs-controller-items': () => `${describeTable(controllerItemTable)}\n`,
  'hubs-source-shared': () => `${describeTable(sourceSharedTable)}\n`,
  'hubs-source-items': () => `${describeTable(sourceItemTable)}\n`,
  'hubs-target-shared': () => `${describeTable(targetSharedTable)}\n`,
  'hubs-errors': describeErrorCodes,
  'hubs-metrics': describeMetrics,
  'hubs-target-items': () => `${describeTable(targetItemTable)}\n`,
}
