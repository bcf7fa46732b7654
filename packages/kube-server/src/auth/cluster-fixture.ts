/** A store with roles, bindings and accounts, for tests and measurements. */
import { VirtualClock } from '@godwit/ports'
import type { JsonObject, KubeObject } from '../api/object.ts'
import type { User } from '../api/user.ts'
import { memoryStore, type Store } from '../store/index.ts'
import { RbacAuthorizer } from './rbac-authorizer.ts'
import { rbacGroup } from './rbac-objects.ts'

export interface Cluster {
  readonly clock: VirtualClock
  readonly store: Store
  readonly authorizer: RbacAuthorizer
}

export function newCluster(): Cluster {
  const clock = new VirtualClock()
  const store = memoryStore({ clock })
  return { clock, store, authorizer: new RbacAuthorizer(store) }
}

const plurals: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceaccounts',
  Secret: 'secrets',
  Pod: 'pods',
  Role: `roles.${rbacGroup}`,
  ClusterRole: `clusterroles.${rbacGroup}`,
  RoleBinding: `rolebindings.${rbacGroup}`,
  ClusterRoleBinding: `clusterrolebindings.${rbacGroup}`,
}

export interface FixtureObject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  /** Default: kind, namespace and name. */
  readonly uid?: string
  readonly labels?: { [key: string]: string }
  readonly deletionTimestamp?: string
  readonly body?: JsonObject
}

const keyOf = ({ kind, namespace = '', name }: FixtureObject) => {
  const collection = plurals[kind]
  if (collection === undefined) throw new Error(`unknown kind ${kind}`)
  return { collection, namespace, name }
}

/** Writes an object as it is, replacing what was there. */
export async function put(store: Store, object: FixtureObject): Promise<void> {
  const { kind, name, namespace, uid = `${kind}/${namespace}/${name}`, labels, deletionTimestamp, body } = object
  const stored: KubeObject = {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace && { namespace }),
      uid,
      resourceVersion: '',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(labels && { labels }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    ...body,
  }
  await store.mutate(keyOf(object), () => ({ put: stored }))
}

/** Removes an object; nothing happens when there is none. */
export async function remove(store: Store, object: FixtureObject): Promise<void> {
  await store.mutate(keyOf(object), current => (current ? { remove: current.object } : { unchanged: current }))
}

export const rule = (verbs: string[], resources: string[], more: JsonObject = {}): JsonObject => ({
  apiGroups: [''],
  resources,
  verbs,
  ...more,
})

export const role = (name: string, namespace: string, ...rules: JsonObject[]): FixtureObject => ({
  kind: 'Role',
  name,
  namespace,
  body: { rules },
})

export const clusterRole = (name: string, ...rules: JsonObject[]): FixtureObject => ({
  kind: 'ClusterRole',
  name,
  body: { rules },
})

export const toUser = (name: string): JsonObject => ({ kind: 'User', name })
export const toGroup = (name: string): JsonObject => ({ kind: 'Group', name })
export const toAccount = (name: string, namespace?: string): JsonObject => ({
  kind: 'ServiceAccount',
  name,
  ...(namespace && { namespace }),
})

/** `of` is `Role/name` or `ClusterRole/name`. */
export function bind(name: string, namespace: string, of: string, ...subjects: JsonObject[]): FixtureObject {
  const [kind = '', roleName = ''] = of.split('/')
  const body = { roleRef: { apiGroup: rbacGroup, kind, name: roleName }, subjects }
  return namespace === '' ? { kind: 'ClusterRoleBinding', name, body } : { kind: 'RoleBinding', name, namespace, body }
}

export const user = (name: string, ...groups: string[]): User => ({ name, groups })
