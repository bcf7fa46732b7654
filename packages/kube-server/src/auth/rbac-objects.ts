/** Reads role bindings from stored objects, tolerantly: what is not well formed binds nobody. */
import type { Json, JsonObject } from '../api/object.ts'
import { serviceAccountName } from './well-known.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'
export const roleCollection = `roles.${rbacGroup}`
export const clusterRoleCollection = `clusterroles.${rbacGroup}`
export const roleBindingCollection = `rolebindings.${rbacGroup}`
export const clusterRoleBindingCollection = `clusterrolebindings.${rbacGroup}`

export interface RoleRef {
  readonly kind: string
  readonly name: string
}

/** A subject as requests are matched with it. */
export interface BoundSubject {
  readonly type: 'user' | 'group'
  readonly name: string
  /** As reasons tell it: `Group "admins"`, `ServiceAccount "agent/ns"`. */
  readonly description: string
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

export const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

/** `roleRef` of a binding. */
export function readRoleRef(binding: JsonObject): RoleRef {
  const ref = objectOf(binding['roleRef'])
  return { kind: text(ref['kind']), name: text(ref['name']) }
}

function readSubject(subject: JsonObject, namespace: string): BoundSubject | undefined {
  const kind = text(subject['kind'])
  const name = text(subject['name'])
  if (kind === 'User') return { type: 'user', name, description: `User ${JSON.stringify(name)}` }
  if (kind === 'Group') return { type: 'group', name, description: `Group ${JSON.stringify(name)}` }
  const home = text(subject['namespace']) || namespace
  if (kind !== 'ServiceAccount' || home === '') return undefined
  const description = `ServiceAccount ${JSON.stringify(`${name}/${home}`)}`
  return { type: 'user', name: serviceAccountName(home, name), description }
}

/** Subjects of a binding; `namespace` is the binding's, empty for cluster role bindings. */
export function readSubjects(binding: JsonObject, namespace: string): BoundSubject[] {
  const subjects = binding['subjects']
  if (!Array.isArray(subjects)) return []
  return subjects.map(subject => readSubject(objectOf(subject), namespace)).filter(subject => subject !== undefined)
}
