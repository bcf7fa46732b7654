/** RBAC kinds. Their rules live in the auth module; escalation is checked when a request is authorized. */
import { pathSegmentProblem } from '../../api/names.ts'
import type { JsonObject } from '../../api/object.ts'
import { defaultBinding, validateBinding, validateRole } from '../../auth/index.ts'
import { column } from '../../table/columns.ts'
import { type BuiltinDescription, defineBuiltin } from '../define.ts'
import { anything, keptList, listOf, record, type Schema, strings, text } from '../openapi-types.ts'
import type { Resource } from '../resource.ts'

const rule: Schema = record(
  { verbs: strings, apiGroups: strings, resources: strings, resourceNames: strings, nonResourceURLs: strings },
  ['verbs'],
)
const roleRef = record({ apiGroup: text, kind: text, name: text }, ['kind', 'name'])
const subject = record({ kind: text, apiGroup: text, name: text, namespace: text }, ['kind', 'name'])

const createdAt = column('Created At', object => object.metadata.creationTimestamp, { type: 'date' })
const nameOnly = column('Name', object => object.metadata.name, { format: 'name' })
const roleColumn = column('Role', object => {
  const ref = object['roleRef'] as JsonObject
  return `${ref['kind']}/${ref['name']}`
})

function define(description: Omit<BuiltinDescription, 'group'>): Resource {
  return defineBuiltin({
    ...description,
    group: 'rbac.authorization.k8s.io',
    strategy: { createsOnUpdate: true, nameProblem: pathSegmentProblem, ...description.strategy },
  })
}

export const roles: Resource = define({
  plural: 'roles',
  kind: 'Role',
  description: 'Role holds rules that a RoleBinding can grant within a namespace.',
  fields: { rules: keptList(rule) },
  allColumns: [nameOnly, createdAt],
  strategy: { validate: draft => validateRole(draft, true) },
})

export const clusterRoles: Resource = define({
  plural: 'clusterroles',
  kind: 'ClusterRole',
  clusterScoped: true,
  description: 'ClusterRole holds rules that bindings can grant in a namespace or everywhere.',
  fields: { rules: keptList(rule), aggregationRule: record({ clusterRoleSelectors: listOf(anything) }) },
  allColumns: [nameOnly, createdAt],
  strategy: { validate: draft => validateRole(draft, false) },
})

export const roleBindings: Resource = define({
  plural: 'rolebindings',
  kind: 'RoleBinding',
  description: 'RoleBinding grants a role within a namespace.',
  fields: { roleRef, subjects: listOf(subject) },
  columns: [roleColumn],
  strategy: { applyDefaults: defaultBinding, validate: (draft, current) => validateBinding(draft, true, current) },
})

export const clusterRoleBindings: Resource = define({
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  clusterScoped: true,
  description: 'ClusterRoleBinding grants a ClusterRole everywhere.',
  fields: { roleRef, subjects: listOf(subject) },
  columns: [roleColumn],
  strategy: { applyDefaults: defaultBinding, validate: (draft, current) => validateBinding(draft, false, current) },
})
