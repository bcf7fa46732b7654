import type { DraftMeta } from '../api/metadata.ts'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import type { Shape } from '../apply/index.ts'
import type { FieldReaders } from '../rest/selectors.ts'
import type { Stored } from '../store/types.ts'

/** An object on its way in: metadata may still lack what the server fills in. */
export interface Draft extends JsonObject {
  apiVersion: string
  kind: string
  metadata: DraftMeta
}

/** One object as a client of one API version sees it. */
export interface View {
  readonly object: KubeObject
  readonly json: string
}

export interface SubresourceInfo {
  readonly name: string
  readonly kind: string
  /** Group and version where they differ from the parent's. */
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
}

/** One column of a table; `read` gives the cell. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  read(object: KubeObject, nowMs: number): Json
}

export interface ScalePaths {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

/** What a strategy may know while it prepares or checks a write. */
export interface WriteContext {
  readonly user: User
  readonly nowMs: number
  /** Empty on the main endpoint. */
  readonly subresource: string
  /** Newest decided state of any object, for rules across objects. */
  head(collection: string, namespace: string, name: string): Stored | undefined
}

/** Rules of one kind. Hooks change the draft in place; all of them run synchronously inside one write. */
export interface Strategy {
  /** Kinds that count changes of their spec in metadata.generation. */
  readonly hasGeneration: boolean
  /** Status can only be written through `/status`. */
  readonly hasStatus: boolean
  /** PUT of a missing object creates it. */
  readonly createsOnUpdate: boolean
  /** PUT without resourceVersion overwrites. */
  readonly updatesUnconditionally: boolean
  readonly qualifiedFinalizers: boolean
  nameProblem(name: string): string | undefined
  /** Drops unknown fields and returns their paths; throws 400 where a type is wrong. */
  decode(draft: Draft): readonly string[]
  applyDefaults(draft: Draft): void
  prepareCreate?(draft: Draft, context: WriteContext): void
  prepareUpdate?(draft: Draft, current: KubeObject, context: WriteContext): void
  validate(object: Draft, current: KubeObject | undefined, context: WriteContext): readonly Cause[]
  /** Text of warnings for the client. */
  warnings?(object: Draft, current: KubeObject | undefined): readonly string[]
  /** Extra condition for removal besides an empty list of finalizers. */
  isRemovable?(object: KubeObject): boolean
  /** Seconds that an object may take to end when it is deleted; without this it is gone at once. */
  graceSeconds?(object: KubeObject, wanted: number | undefined): number
  /** Refuses deletion by throwing; may change the object that is about to terminate. */
  prepareDelete?(object: KubeObject, context: WriteContext): KubeObject
}

/** One resource as served in one API version. */
export interface Resource {
  readonly group: string
  readonly version: string
  /** `group/version`, or the version alone for the core group. */
  readonly apiVersion: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly SubresourceInfo[]
  readonly collection: string
  readonly custom: boolean
  /** Sent with every answer of a version that is on its way out. */
  readonly deprecationWarning?: string
  readonly strategy: Strategy
  readonly columns: readonly Column[]
  readonly fields: FieldReaders
  /** OpenAPI v3 schema, for `explain` and validation by clients. */
  readonly schema: JsonObject | undefined
  readonly scale?: ScalePaths
  /** List and map semantics for apply and strategic merge. */
  readonly shape: Shape
  /** Storage form to this version; returns its argument when nothing differs. */
  view(stored: Stored): View
  /** Tells that a state was just made through this very resource: it needs no second look before it is shown. */
  adopt?(stored: Stored): void
  /** No history of this collection reaches back before this store version. */
  readonly historyStart: number
  /** This version to storage form. */
  toStorage(object: KubeObject): KubeObject
}

export const standardVerbs: readonly string[] = Object.freeze([
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
])

export const groupVersion = (group: string, version: string) => (group ? `${group}/${version}` : version)

/** `plural.group`, the name of a collection and the way messages name a resource. */
export const qualifiedPlural = (plural: string, group: string) => (group ? `${plural}.${group}` : plural)
