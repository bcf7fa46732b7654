/** The result ConfigMap of a migration: same name and namespace, keys of the reference plus the reasons. */
import type { ConfigMap, Failure, ManagedClusterMigration } from '../api/index.ts'
import type { MigrationFacts } from './migration-facts.ts'

const MAX_REASON = 150
/** Of an object's data; an API server takes 1 MiB. Names come first: reasons get what is left. */
const MAX_DATA_BYTES = 1_000_000

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
  const lists = {
    ...listUnder('all-clusters', results),
    ...listUnder('success', success),
    ...listUnder('failure', failed),
  }
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
    data: { ...lists, ...reasonsWithin(MAX_DATA_BYTES - Buffer.byteLength(Object.values(lists).join('')), reasons) },
  }
}

/** As many reasons as fit, and how many do not: every one of them is in an Event as well. */
function reasonsWithin(
  bytes: number,
  reasons: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> {
  let left = bytes
  const shown = reasons.filter(entry => {
    left -= Buffer.byteLength(JSON.stringify(entry))
    return left > 0
  })
  return {
    ...(shown.length > 0 && { 'failure-reasons': JSON.stringify(Object.fromEntries(shown)) }),
    ...(shown.length < reasons.length && { 'failure-reasons-omitted': String(reasons.length - shown.length) }),
  }
}

const listUnder = (key: string, results: readonly ItemResult[]) =>
  results.length > 0 ? { [key]: JSON.stringify(results.map(({ name }) => name)) } : {}
