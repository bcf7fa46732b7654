/** Nobody may give away what they do not have: checks before roles and bindings are written. */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import { type Authorizer, forbiddenBecause, type RefusedObject } from './access.ts'
import { type PolicyRule, readRules } from './policy-rule.ts'
import { everything, missingRole } from './rbac-authorizer.ts'
import { type RoleRef, rbacGroup, readRoleRef } from './rbac-objects.ts'
import { describeRule, missingRules, quoteList, TooManyRights } from './rule-coverage.ts'
import { isMaster } from './well-known.ts'

/** Who writes which object of which namespace (empty: cluster-wide). */
export interface RbacWrite {
  readonly authorizer: Authorizer
  readonly user: User
  readonly plural: string
  readonly name: string
  readonly namespace: string
}

const objectOf = (write: RbacWrite): RefusedObject => ({ group: rbacGroup, plural: write.plural, name: write.name })

function isExempt(write: RbacWrite, verb: 'escalate' | 'bind', plural: string, name: string): boolean {
  if (isMaster(write.user)) return true
  const { user, namespace } = write
  return write.authorizer.authorize({ user, verb, group: rbacGroup, resource: plural, name, namespace }).allowed
}

function missing(write: RbacWrite, held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  try {
    return missingRules(held, wanted)
  } catch (cause) {
    if (cause instanceof TooManyRights) throw forbiddenBecause(objectOf(write), cause.message)
    throw cause
  }
}

function assertHolds(write: RbacWrite, rules: readonly PolicyRule[]): void {
  const held = write.authorizer.rulesFor(write.user, write.namespace)
  const lacking = missing(write, held.rules, rules)
  if (lacking.length === 0) return
  const who = `user ${JSON.stringify(write.user.name)} (groups=${quoteList(write.user.groups)})`
  const lines = [...new Set(lacking.map(describeRule))].sort().join('\n')
  const unresolved = held.errors.length > 0 ? `; resolution errors: [${held.errors.join(', ')}]` : ''
  throw forbiddenBecause(
    objectOf(write),
    `${who} is attempting to grant RBAC permissions not currently held:\n${lines}${unresolved}`,
  )
}

/** Throws 403 unless the user holds all these rules there, or may `escalate` this role. */
export function assertMayGrantRules(write: RbacWrite, rules: readonly PolicyRule[]): void {
  if (!isExempt(write, 'escalate', write.plural, write.name)) assertHolds(write, rules)
}

/** Throws 403 unless the user holds everything: an aggregated role may come to contain any rule. */
export function assertMayAggregate(write: RbacWrite): void {
  if (isExempt(write, 'escalate', write.plural, write.name)) return
  const { rules } = write.authorizer.rulesFor(write.user, write.namespace)
  if (missing(write, rules, everything).length === 0) return
  throw forbiddenBecause(objectOf(write), 'must have cluster-admin privileges to use an aggregationRule')
}

/**
 * Throws 403 unless the user holds all rules of the role where the binding gives them, or may `bind` that role; 404 when
 * the role does not exist, since nobody but its binder could then say what it will grant.
 */
export function assertMayBind(write: RbacWrite, roleRef: RoleRef): void {
  const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  if (isExempt(write, 'bind', plural, roleRef.name)) return
  const rules = write.authorizer.rulesOfRole(roleRef, write.namespace)
  if (rules === undefined) {
    throw new StatusError(404, 'NotFound', missingRole(roleRef), {
      name: roleRef.name,
      group: rbacGroup,
      kind: roleRef.kind.toLowerCase(),
    })
  }
  assertHolds(write, rules)
}

/** An update of nothing but owners and finalizers lets garbage collection go on, and grants nothing. */
function grantsNothingNew(object: JsonObject, previous: KubeObject): boolean {
  const substance = ({ rules, aggregationRule, subjects, roleRef, metadata }: JsonObject) => {
    const { labels, annotations } = (metadata ?? {}) as JsonObject
    return { rules, aggregationRule, subjects, roleRef, labels, annotations }
  }
  return isDeepStrictEqual(substance(object), substance(previous))
}

/**
 * The whole check for one write of a role or binding. `previous` is the stored state of an update. Throws 403 or 404;
 * does nothing for other kinds.
 */
export function assertMayWriteRbac(write: RbacWrite, object: JsonObject, previous?: KubeObject): void {
  if (previous && grantsNothingNew(object, previous)) return
  switch (write.plural) {
    case 'clusterroles':
      if (object['aggregationRule'] || previous?.['aggregationRule']) assertMayAggregate(write)
      assertMayGrantRules(write, readRules(object['rules']))
      return
    case 'roles':
      assertMayGrantRules(write, readRules(object['rules']))
      return
    case 'clusterrolebindings':
    case 'rolebindings':
      assertMayBind(write, readRoleRef(object))
      return
    default:
  }
}
