/** Roles by name and bindings by subject, kept equal to the store. Looks things up; decides nothing. */
import type { Store, Stored, StoreEvent } from '../store/types.ts'
import { type PolicyRule, readRules } from './policy-rule.ts'
import {
  type BoundSubject,
  clusterRoleBindingCollection,
  clusterRoleCollection,
  type RoleRef,
  readRoleRef,
  readSubjects,
  roleBindingCollection,
  roleCollection,
} from './rbac-objects.ts'

/** One subject of one binding. */
export interface Grant {
  /** The same for all subjects of a binding. */
  readonly bindingId: string
  /** Empty for cluster role bindings. */
  readonly namespace: string
  readonly subject: BoundSubject
  readonly roleRef: RoleRef
  /** Why a request was allowed, if this grant allowed it. */
  readonly reason: string
}

/** What one user or group was given. */
class SubjectGrants {
  readonly clusterWide = new Set<Grant>()
  readonly #byNamespace = new Map<string, Set<Grant>>()

  within(namespace: string): ReadonlySet<Grant> | undefined {
    return namespace === '' ? this.clusterWide : this.#byNamespace.get(namespace)
  }

  get isEmpty(): boolean {
    return this.clusterWide.size === 0 && this.#byNamespace.size === 0
  }

  add(grant: Grant): void {
    if (grant.namespace === '') {
      this.clusterWide.add(grant)
      return
    }
    const grants = this.#byNamespace.get(grant.namespace) ?? new Set()
    this.#byNamespace.set(grant.namespace, grants.add(grant))
  }

  remove(grant: Grant): void {
    this.clusterWide.delete(grant)
    const grants = this.#byNamespace.get(grant.namespace)
    grants?.delete(grant)
    if (grants?.size === 0) this.#byNamespace.delete(grant.namespace)
  }
}

const idOf = ({ key }: Stored) => `${key.namespace}/${key.name}`

function grantsOf(stored: Stored): Grant[] {
  const { namespace, name } = stored.key
  const roleRef = readRoleRef(stored.object)
  const binding =
    namespace === ''
      ? `ClusterRoleBinding ${JSON.stringify(name)}`
      : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`
  const role = `${roleRef.kind} ${JSON.stringify(roleRef.name)}`
  return readSubjects(stored.object, namespace).map(subject => ({
    bindingId: idOf(stored),
    namespace,
    subject,
    roleRef,
    reason: `RBAC: allowed by ${binding} of ${role} to ${subject.description}`,
  }))
}

export class RbacIndex {
  /** Rules by `namespace/name`; cluster roles have no namespace. */
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  readonly #bindings = new Map<string, readonly Grant[]>()
  readonly #subjects = { user: new Map<string, SubjectGrants>(), group: new Map<string, SubjectGrants>() }
  readonly #stops: (() => void)[] = []

  /** Reads all roles and bindings and follows their changes until `close`. */
  constructor(store: Store) {
    for (const collection of [clusterRoleCollection, roleCollection]) {
      this.#follow(store, collection, (stored, isGone) => this.#changeRole(stored, isGone))
    }
    for (const collection of [clusterRoleBindingCollection, roleBindingCollection]) {
      this.#follow(store, collection, (stored, isGone) => this.#changeBinding(stored, isGone))
    }
  }

  /** Rules of the role that a binding in `namespace` means; undefined when it does not exist. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    if (roleRef.kind === 'ClusterRole') return this.#roles.get(`/${roleRef.name}`)
    return roleRef.kind === 'Role' && namespace !== '' ? this.#roles.get(`${namespace}/${roleRef.name}`) : undefined
  }

  /** Grants of one user or group, by namespace; the empty namespace holds the cluster-wide ones. */
  grants(type: 'user' | 'group', name: string, namespace: string): ReadonlySet<Grant> | undefined {
    return this.#subjects[type].get(name)?.within(namespace)
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  #follow(store: Store, collection: string, change: (stored: Stored, isGone: boolean) => void): void {
    const onEvent = (event: StoreEvent) => change(event.stored, event.type === 'DELETED')
    // Nothing can be published between these two lines, so the watch goes on exactly where the scan ends.
    for (const stored of store.scan(collection)) change(stored, false)
    this.#stops.push(store.watch(collection, undefined, onEvent))
  }

  #changeRole(stored: Stored, isGone: boolean): void {
    if (isGone) this.#roles.delete(idOf(stored))
    else this.#roles.set(idOf(stored), readRules(stored.object['rules']))
  }

  #changeBinding(stored: Stored, isGone: boolean): void {
    const id = idOf(stored)
    for (const grant of this.#bindings.get(id) ?? []) this.#removeGrant(grant)
    if (isGone) {
      this.#bindings.delete(id)
      return
    }
    const grants = grantsOf(stored)
    this.#bindings.set(id, grants)
    for (const grant of grants) this.#addGrant(grant)
  }

  #addGrant(grant: Grant): void {
    const subjects = this.#subjects[grant.subject.type]
    const held = subjects.get(grant.subject.name) ?? new SubjectGrants()
    held.add(grant)
    subjects.set(grant.subject.name, held)
  }

  #removeGrant(grant: Grant): void {
    const subjects = this.#subjects[grant.subject.type]
    const held = subjects.get(grant.subject.name)
    held?.remove(grant)
    if (held?.isEmpty) subjects.delete(grant.subject.name)
  }
}
