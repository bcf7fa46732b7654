/** Names of users and groups that have a meaning of their own. */
import type { User } from '../api/user.ts'

export const mastersGroup = 'system:masters'
export const authenticatedGroup = 'system:authenticated'
export const unauthenticatedGroup = 'system:unauthenticated'
export const anonymousName = 'system:anonymous'

export const anonymousUser: User = Object.freeze({
  name: anonymousName,
  groups: Object.freeze([unauthenticatedGroup]),
})

/** Whoever calls a server that runs open. */
export const adminUser: User = Object.freeze({
  name: 'system:admin',
  groups: Object.freeze([mastersGroup, authenticatedGroup]),
})

const serviceAccountPrefix = 'system:serviceaccount:'

export const serviceAccountName = (namespace: string, name: string) => `${serviceAccountPrefix}${namespace}:${name}`

export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
]

/** Namespace and name behind the user name of a service account; undefined for other users. */
export function splitServiceAccountName(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(serviceAccountPrefix)) return undefined
  const [namespace, name, ...more] = user.slice(serviceAccountPrefix.length).split(':')
  return namespace && name && more.length === 0 ? { namespace, name } : undefined
}

export const isMaster = (user: User) => user.groups.includes(mastersGroup)

/** The same user, in `system:authenticated` too. */
export function authenticated(user: User): User {
  if (user.groups.includes(authenticatedGroup)) return user
  return { ...user, groups: [...user.groups, authenticatedGroup] }
}
