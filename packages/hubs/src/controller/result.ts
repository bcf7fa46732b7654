/** The result ConfigMap of a migration: same name and namespace, keys of the reference plus the reasons. */
import type { ConfigMap, Failure, ManagedClusterMigration } from '../api/index.ts'
import type { MigrationFacts } from './migration-facts.ts'

/** Reasons are cut to this many characters each, so that 5,000 of them fit into one object. */
const MAX_REASON = 150

export interface ItemResult {
  readonly name: string
  readonly isCompleted: boolean
  readonly failure: Failure | undefined
}

export function resultsOf({ clusters = [], items }: Pick<MigrationFacts, 'clusters' | 'items'>): ItemResult[] {
  const known = new Map(items.map(item => [item.name, item.source.wish]))
  return clusters.map(name => {
    const wish = known.get(name)
    return { name, isCompleted: wish?.outcome === 'Completed', failure: wish?.failure }
  })
}

/** `wholeFailure`: the migration as a whole failed, which is then the reason of every cluster without its own. */
export function renderResult(
  migration: ManagedClusterMigration,
  results: readonly ItemResult[],
  wholeFailure: Failure | undefined,
): ConfigMap {
  const success = results.filter(({ isCompleted }) => isCompleted)
  const failed = results.filter(({ isCompleted }) => !isCompleted)
  const reasons = failed.flatMap(({ name, failure = wholeFailure }) =>
    failure ? [[name, `${failure.stage}: ${failure.code}: ${failure.message}`.slice(0, MAX_REASON)] as const] : [],
  )
  const { name, namespace = '', uid = '' } = migration.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      ownerReferences: [{ apiVersion: migration.apiVersion, kind: migration.kind, name, uid }],
    },
    data: {
      ...listUnder(
        'all-clusters',
        results.map(result => result.name),
      ),
      ...listUnder(
        'success',
        success.map(result => result.name),
      ),
      ...listUnder(
        'failure',
        failed.map(result => result.name),
      ),
      ...(reasons.length > 0 && { 'failure-reasons': JSON.stringify(Object.fromEntries(reasons)) }),
    },
  }
}

const listUnder = (key: string, names: readonly string[]) => (names.length > 0 ? { [key]: JSON.stringify(names) } : {})
