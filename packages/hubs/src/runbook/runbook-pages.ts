/** When a rollback got stuck: the runbook of every cluster in ConfigMaps, and where to find it in one sentence. */
import type { ConfigMap, ManagedClusterMigration, Progress } from '../api/index.ts'
import type { ItemFacts } from '../controller/item-table.ts'
import { pageName, paginate, WHOLE } from '../pages/pages.ts'
import { askAgain, itemRunbook, renderRunbook, sharedRunbook } from './runbook.ts'

export interface RunbookInput {
  readonly migration: ManagedClusterMigration
  /** Clusters whose rollback cannot finish. */
  readonly stuck: readonly ItemFacts[]
  readonly shared: { readonly source: Progress | undefined; readonly target: Progress | undefined }
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined
}

export function runbookPages(input: RunbookInput): ConfigMap[] {
  const { migration, stuck } = input
  const migrationUid = migration.metadata.uid ?? ''
  const items = stuck.map(item => ({
    key: item.name,
    text: renderRunbook(`Taking cluster ${item.name} back by hand`, itemRunbook({ migrationUid, item })),
  }))
  return paginate(migration, 'runbook', [{ key: WHOLE, text: wholeText(input) }, ...items])
}

function wholeText({ migration, stuck, shared, serviceAccount }: RunbookInput): string {
  const user = serviceAccount && `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`
  const names = stuck.slice(0, 20).map(({ name }) => name)
  const more = stuck.length > names.length ? ` and ${stuck.length - names.length} more` : ''
  return [
    `# Rollback of migration ${migration.metadata.name}: what is left to do.`,
    '# The contexts of kubectl in these commands are called like the hubs.',
    ...(stuck.length > 0
      ? [`# Clusters that are not back, each with a member of its own: ${names.join(', ')}${more}`]
      : []),
    '# Mend what stood in the way, then have the rest done by asking again:',
    askAgain(migration),
    '',
    renderRunbook(
      'Only when that is out of the question, and every cluster was taken back by hand: what the migration needed once',
      sharedRunbook({ migration, source: shared.source, target: shared.target, user }),
    ),
  ].join('\n')
}

/** For a condition. */
export const runbookHint = (migration: string) =>
  `the remaining steps, with their commands, are in ConfigMap ${pageName(migration, 'runbook', 0)}`
