import type { User } from '../api/user.ts'
import type { Store } from '../store/types.ts'
import type { Access, Authorizer, Decision, HeldRules } from './access.ts'
import { type PolicyRule, ruleAllows } from './policy-rule.ts'
import { type Grant, RbacIndex } from './rbac-index.ts'
import { type RoleRef, rbacGroup } from './rbac-objects.ts'
import { isMaster } from './well-known.ts'

const MASTER: Decision = Object.freeze({ allowed: true, reason: '' })
const NOTHING_HELD: Decision = Object.freeze({ allowed: false, reason: '' })

/** Several complaints as one text. */
const joinErrors = (errors: readonly string[]) => (errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`)

/** The complaint about a binding whose role does not exist. */
export const missingRole = (ref: RoleRef) =>
  `${ref.kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(ref.name)} not found`

/**
 * Role-based access control over the roles and bindings of a store. A change takes effect as soon as the store has
 * published it. Members of `system:masters` may do everything, whatever the roles say.
 */
export class RbacAuthorizer implements Authorizer {
  readonly #index: RbacIndex

  constructor(store: Store) {
    this.#index = new RbacIndex(store)
  }

  authorize(access: Access): Decision {
    if (isMaster(access.user)) return MASTER
    const namespace = access.path === undefined ? (access.namespace ?? '') : ''
    const errors = new Set<string>()
    for (const grant of this.#grantsOf(access.user, namespace)) {
      const rules = this.#index.rulesOf(grant.roleRef, grant.namespace)
      if (rules === undefined) errors.add(missingRole(grant.roleRef))
      else if (rules.some(rule => ruleAllows(rule, access))) return { allowed: true, reason: grant.reason }
    }
    if (errors.size === 0) return NOTHING_HELD
    return { allowed: false, reason: `RBAC: ${joinErrors([...errors])}` }
  }

  rulesFor(user: User, namespace: string): HeldRules {
    const rules: PolicyRule[] = []
    const errors: string[] = []
    const seen = new Set<string>()
    for (const grant of this.#grantsOf(user, namespace)) {
      if (seen.has(grant.bindingId)) continue
      seen.add(grant.bindingId)
      const granted = this.#index.rulesOf(grant.roleRef, grant.namespace)
      if (granted === undefined) errors.push(missingRole(grant.roleRef))
      else rules.push(...granted)
    }
    return { rules, errors }
  }

  rulesOfRole(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#index.rulesOf(ref, namespace)
  }

  /** Stops following the store. */
  close(): void {
    this.#index.close()
  }

  *#grantsOf(user: User, namespace: string): Generator<Grant> {
    for (const where of namespace === '' ? [''] : ['', namespace]) {
      yield* this.#index.grants('user', user.name, where) ?? []
      for (const group of user.groups) yield* this.#index.grants('group', group, where) ?? []
    }
  }
}

const ALL: PolicyRule = Object.freeze({
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  resourceNames: [],
  nonResourceURLs: [],
})
const ALL_PATHS: PolicyRule = Object.freeze({ ...ALL, apiGroups: [], resources: [], nonResourceURLs: ['*'] })

/** The rules of somebody who may do everything. */
export const everything: readonly PolicyRule[] = Object.freeze([ALL, ALL_PATHS])

/** Allows everything to everybody: a server without access control. */
export const openAuthorizer: Authorizer = Object.freeze({
  authorize: () => MASTER,
  rulesFor: () => ({ rules: everything, errors: [] }),
  rulesOfRole: () => undefined,
})
