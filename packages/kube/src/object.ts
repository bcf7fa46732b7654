export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface ObjectMeta {
  readonly name: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  /** Opaque; compare with `compareVersions`, and only with versions of the same server. */
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339, whole seconds, the server's clock. */
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

/** What every object has; kinds extend it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** Names one object of a known resource. */
export interface Ref {
  readonly name: string
  readonly namespace?: string
}

/** Refuses a write unless the live object is exactly the one that was seen. */
export interface Precondition {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** The reference that names `object`. */
export const refOf = ({ metadata: { name, namespace } }: KubeObject): Ref => ({
  name,
  ...(namespace !== undefined && { namespace }),
})

/** A key that is unique within one resource: `namespace/name`, or the bare name. */
export const keyOf = ({ name, namespace }: Ref) => (namespace ? `${namespace}/${name}` : name)
