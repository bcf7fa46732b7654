/** What the operator must be allowed to do, and nothing else. Shipped manifests and tests use these rules. */
import { GROUP } from './api/index.ts'

export interface OperatorRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

const READ = ['get', 'list', 'watch'] as const
const rule = (group: string, kinds: readonly string[], verbs: readonly string[]): OperatorRule => ({
  apiGroups: [group],
  resources: kinds,
  verbs,
})

/** In every namespace with sets; nodes are read only. */
export const operatorRules: readonly OperatorRule[] = [
  rule(GROUP, ['cocoonsets', 'cocoonhibernations'], [...READ, 'patch']),
  rule(GROUP, ['cocoonsets/status', 'cocoonhibernations/status'], ['patch']),
  // Pods name their set as an owner that is not deleted before them.
  rule(GROUP, ['cocoonsets/finalizers'], ['update']),
  rule('', ['pods'], [...READ, 'create', 'patch', 'delete']),
  rule('', ['nodes'], READ),
  rule('', ['events'], ['create', 'patch']),
  rule('coordination.k8s.io', ['leases'], ['get', 'list', 'watch', 'create', 'update']),
]
