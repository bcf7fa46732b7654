import type { Clock, Random } from '@godwit/ports'
import type { KubeObject } from '../api/object.ts'
import type { Subject } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import type { Authorizer } from '../auth/index.ts'
import type { ApiRequest } from '../http/message.ts'
import type { Registry } from '../registry/registry.ts'
import type { Resource, WriteContext } from '../registry/resource.ts'
import type { ObjectKey, Store } from '../store/types.ts'

/** A write that changed something: who did it, and what was there before and after. Undefined: nothing. */
export interface ChangeNote {
  readonly user: User
  /** `plural` or `plural.group`. */
  readonly collection: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/** What every request works on. */
export interface Core {
  readonly store: Store
  readonly registry: Registry
  readonly clock: Clock
  readonly random: Random
  readonly authorizer: Authorizer
  /** False: objects have no `metadata.managedFields`, and nobody can apply. */
  readonly tracksFields: boolean
  /** Told of each write in the moment in which it is decided. */
  readonly onChange?: ((change: ChangeNote) => void) | undefined
}

/** One request on a resource, routed and authorized. */
export interface Call {
  readonly request: ApiRequest
  readonly user: User
  readonly resource: Resource
  /** Empty for cluster-scoped resources, and for lists over all namespaces. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly query: URLSearchParams
  /** Collected on the way; sent as Warning headers. */
  readonly warnings: string[]
}

export function keyOf(resource: Resource, namespace: string, name: string): ObjectKey {
  return { collection: resource.collection, namespace: resource.namespaced ? namespace : '', name }
}

export const subjectOf = ({ resource, name }: { resource: Resource; name: string }): Subject => ({
  group: resource.group,
  plural: resource.plural,
  kind: resource.kind,
  name,
})

export function writeContext(core: Core, call: Call): WriteContext {
  return {
    user: call.user,
    nowMs: core.clock.now(),
    subresource: call.subresource,
    head: (collection, namespace, name) => core.store.head({ collection, namespace, name }),
  }
}

/** The same object with apiVersion, kind and metadata first and nothing undefined: lists rely on the order. */
export function canonical(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object
  const ordered: KubeObject = { apiVersion, kind, metadata }
  for (const [field, value] of Object.entries(rest)) if (value !== undefined) ordered[field] = value
  return ordered
}
