/** Questions to an authorizer, its answers, and the refusal a client sees. Decides nothing. */
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import type { PolicyRule } from './policy-rule.ts'
import type { RoleRef } from './rbac-objects.ts'

/** One request on a resource. */
export interface ResourceAccess {
  readonly user: User
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  /** Plural. */
  readonly resource: string
  readonly subresource?: string | undefined
  /** Name in the path, or the one name that a list or watch selects by `metadata.name`. */
  readonly name?: string | undefined
  /** Absent or empty for cluster-scoped resources and for requests over all namespaces. */
  readonly namespace?: string | undefined
  readonly path?: undefined
}

/** One request on a path that is no resource; `verb` is the method in lower case. */
export interface PathAccess {
  readonly user: User
  readonly verb: string
  readonly path: string
}

export type Access = ResourceAccess | PathAccess

export interface Decision {
  readonly allowed: boolean
  /** Empty when there is nothing to say. */
  readonly reason: string
}

/** What a user may do somewhere; `errors` name the roles that are bound but do not exist. */
export interface HeldRules {
  readonly rules: readonly PolicyRule[]
  readonly errors: readonly string[]
}

export interface Authorizer {
  authorize(access: Access): Decision
  /** Rules that hold for the user in a namespace, or cluster-wide where it is empty. */
  rulesFor(user: User, namespace: string): HeldRules
  /** Rules of the role that a binding in `namespace` (empty: cluster-wide) means; undefined when it does not exist. */
  rulesOfRole(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined
}

const quote = (text: string) => JSON.stringify(text)

function complaint(access: Access): string {
  const who = `User ${quote(access.user.name)} cannot ${access.verb}`
  if (access.path !== undefined) return `${who} path ${quote(access.path)}`
  const resource = access.subresource ? `${access.resource}/${access.subresource}` : access.resource
  const where = access.namespace ? `in the namespace ${quote(access.namespace)}` : 'at the cluster scope'
  return `${who} resource ${quote(resource)} in API group ${quote(access.group)} ${where}`
}

/** Which object a refusal speaks of; an empty name speaks of the whole resource. */
export interface RefusedObject {
  readonly group: string
  readonly plural: string
  readonly name?: string | undefined
}

/** 403 with a text of one's own: `plural.group "name" is forbidden: why`. */
export function forbiddenBecause(of: RefusedObject, why: string): StatusError {
  const resource = of.group ? `${of.plural}.${of.group}` : of.plural
  const subject = of.name ? `${resource} ${quote(of.name)}` : resource
  return new StatusError(403, 'Forbidden', `${subject} is forbidden: ${why}`, {
    ...(of.name && { name: of.name }),
    ...(of.group && { group: of.group }),
    kind: of.plural,
  })
}

/** 403 for a request that the authorizer did not allow. */
export function forbidden(access: Access, reason = ''): StatusError {
  const why = reason ? `${complaint(access)}: ${reason}` : complaint(access)
  if (access.path !== undefined) return new StatusError(403, 'Forbidden', `forbidden: ${why}`, {})
  return forbiddenBecause({ group: access.group, plural: access.resource, name: access.name }, why)
}

/** Throws 403 unless the authorizer allows the request. */
export function assertAllowed(authorizer: Authorizer, access: Access): void {
  const { allowed, reason } = authorizer.authorize(access)
  if (!allowed) throw forbidden(access, reason)
}
