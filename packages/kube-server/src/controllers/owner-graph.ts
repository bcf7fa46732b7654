import type { Resource } from '../registry/resource.ts'
import type { Stored } from '../store/types.ts'
import type { Target } from './operations.ts'

interface Node {
  readonly target: Target
  readonly owners: readonly string[]
}

const none: ReadonlySet<string> = new Set()

/** Who owns whom, by uid. Owners need not exist; objects without owners are nodes too, so that they can be found. */
export class OwnerGraph {
  readonly #nodes = new Map<string, Node>()
  readonly #dependents = new Map<string, Set<string>>()

  set({ key, object }: Stored, resource: Resource): void {
    const { uid, ownerReferences = [] } = object.metadata
    this.#detach(uid)
    const owners = ownerReferences.map(owner => owner.uid)
    this.#nodes.set(uid, { target: { resource, namespace: key.namespace, name: key.name }, owners })
    for (const owner of owners) {
      const known = this.#dependents.get(owner)
      if (known) known.add(uid)
      else this.#dependents.set(owner, new Set([uid]))
    }
  }

  delete(uid: string): void {
    this.#detach(uid)
    this.#nodes.delete(uid)
  }

  find(uid: string): Target | undefined {
    return this.#nodes.get(uid)?.target
  }

  ownersOf(uid: string): readonly string[] {
    return this.#nodes.get(uid)?.owners ?? []
  }

  dependentsOf(uid: string): ReadonlySet<string> {
    return this.#dependents.get(uid) ?? none
  }

  #detach(uid: string): void {
    for (const owner of this.ownersOf(uid)) {
      const known = this.#dependents.get(owner)
      known?.delete(uid)
      if (known?.size === 0) this.#dependents.delete(owner)
    }
  }
}
