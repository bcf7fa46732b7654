/** Acting as somebody else: reads the Impersonate-* headers and demands the permission for each of them. */
import { badRequest, StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import { type Authorizer, assertAllowed, type ResourceAccess } from './access.ts'
import {
  anonymousName,
  authenticatedGroup,
  serviceAccountGroups,
  splitServiceAccountName,
  unauthenticatedGroup,
} from './well-known.ts'

/** Header values by lower-case name. A header that came several times must be an array: group names may hold commas. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined
}

export interface Impersonation {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const EXTRA_PREFIX = 'impersonate-extra-'
const AUTHENTICATION_GROUP = 'authentication.k8s.io'

const valuesOf = (value: string | readonly string[] | undefined): readonly string[] => {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

function readExtraKey(header: string): string {
  let key = ''
  try {
    key = decodeURIComponent(header.slice(EXTRA_PREFIX.length)).toLowerCase()
  } catch {
    // Falls through to the refusal of an empty key.
  }
  // Extra attributes end up in stored objects, where this key could change a prototype.
  if (key === '' || key === '__proto__') throw badRequest(`the header ${header} is not correctly encoded`)
  return key
}

/** Who the headers ask to be; undefined when they ask for nobody. Throws when they ask for groups without a user. */
export function readImpersonation(headers: RequestHeaders): Impersonation | undefined {
  const [name = ''] = valuesOf(headers['impersonate-user'])
  const [uid = ''] = valuesOf(headers['impersonate-uid'])
  const groups = valuesOf(headers['impersonate-group'])
  const extra = Object.fromEntries(
    Object.entries(headers)
      .filter(([header]) => header.startsWith(EXTRA_PREFIX))
      .map(([header, value]) => [readExtraKey(header), valuesOf(value)]),
  )
  if (name !== '') return { name, uid, groups, extra }
  if (uid === '' && groups.length === 0 && Object.keys(extra).length === 0) return undefined
  throw new StatusError(
    500,
    'InternalError',
    `Internal error occurred: requested to impersonate groups ${JSON.stringify(groups)}, uid ${JSON.stringify(uid)} or extra fields without impersonating a user`,
  )
}

function permissionsFor(wanted: Impersonation): Omit<ResourceAccess, 'user' | 'verb'>[] {
  const account = splitServiceAccountName(wanted.name)
  const who = account
    ? { group: '', resource: 'serviceaccounts', name: account.name, namespace: account.namespace }
    : { group: '', resource: 'users', name: wanted.name }
  const extras = Object.entries(wanted.extra).flatMap(([key, values]) =>
    values.map(name => ({ group: AUTHENTICATION_GROUP, resource: 'userextras', subresource: key, name })),
  )
  return [
    who,
    ...wanted.groups.map(name => ({ group: '', resource: 'groups', name })),
    ...extras,
    ...(wanted.uid ? [{ group: AUTHENTICATION_GROUP, resource: 'uids', name: wanted.uid }] : []),
  ]
}

function groupsOf({ name, groups }: Impersonation): readonly string[] {
  const account = splitServiceAccountName(name)
  const given = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups
  if (given.includes(authenticatedGroup) || given.includes(unauthenticatedGroup)) return given
  return [...given, name === anonymousName ? unauthenticatedGroup : authenticatedGroup]
}

/** The user that `caller` becomes; throws 403 unless the authorizer lets the caller be all of it. */
export function impersonate(authorizer: Authorizer, caller: User, wanted: Impersonation): User {
  for (const permission of permissionsFor(wanted)) {
    assertAllowed(authorizer, { user: caller, verb: 'impersonate', ...permission })
  }
  return {
    name: wanted.name,
    ...(wanted.uid && { uid: wanted.uid }),
    groups: groupsOf(wanted),
    ...(Object.keys(wanted.extra).length > 0 && { extra: wanted.extra }),
  }
}
