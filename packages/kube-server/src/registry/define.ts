/** Makes the resource of a built-in kind from a short description. */

import { subdomainProblem } from '../api/names.ts'
import type { KubeObject } from '../api/object.ts'
import { builtinShape, type Shape } from '../apply/index.ts'
import { fieldAt, metadataFields } from '../rest/selectors.ts'
import { ageColumn, nameColumn } from '../table/columns.ts'
import { boolean, record, type Schema, text } from './openapi-types.ts'
import {
  type Column,
  groupVersion,
  qualifiedPlural,
  type Resource,
  type ScalePaths,
  type Strategy,
  type SubresourceInfo,
  standardVerbs,
} from './resource.ts'
import { decodeTyped } from './typed-decode.ts'

export interface BuiltinDescription {
  readonly group?: string
  readonly version?: string
  readonly plural: string
  readonly singular?: string
  readonly kind: string
  readonly clusterScoped?: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly verbs?: readonly string[]
  readonly subresources?: readonly SubresourceInfo[]
  /** Fields besides apiVersion, kind and metadata. */
  readonly fields?: { readonly [name: string]: Schema }
  readonly description?: string
  readonly selectable?: readonly string[]
  /** Cells between Name and Age; `allColumns` replaces those two as well. */
  readonly columns?: readonly Column[]
  readonly allColumns?: readonly Column[]
  readonly strategy?: Partial<Strategy>
  readonly shape?: Shape
  readonly scale?: ScalePaths
  readonly view?: Resource['view']
  readonly toStorage?: Resource['toStorage']
}

const nothing = () => undefined
const noCauses = () => []

/** Defaults of most built-in kinds; a description overrides what differs. */
function baseStrategy(schema: Schema): Strategy {
  return {
    hasGeneration: false,
    hasStatus: false,
    createsOnUpdate: false,
    updatesUnconditionally: true,
    qualifiedFinalizers: true,
    nameProblem: subdomainProblem,
    decode: draft => decodeTyped(draft, schema),
    applyDefaults: nothing,
    validate: noCauses,
  }
}

const patchVerbs = ['get', 'patch', 'update']

/** `/status` as most kinds have it. */
export const statusOf = (kind: string): SubresourceInfo => ({ name: 'status', kind, verbs: patchVerbs })
export const scaleOf = (): SubresourceInfo => ({
  name: 'scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: patchVerbs,
})

export function defineBuiltin(description: BuiltinDescription): Resource {
  const { group = '', version = 'v1', plural, kind } = description
  const schema = objectSchema(description)
  const selectable = description.selectable ?? []
  return {
    group,
    version,
    apiVersion: groupVersion(group, version),
    plural,
    singular: description.singular ?? kind.toLowerCase(),
    kind,
    listKind: `${kind}List`,
    namespaced: !description.clusterScoped,
    shortNames: description.shortNames ?? [],
    categories: description.categories ?? [],
    verbs: description.verbs ?? standardVerbs,
    subresources: description.subresources ?? [],
    collection: qualifiedPlural(plural, group),
    custom: false,
    strategy: { ...baseStrategy(schema), ...description.strategy },
    columns: description.allColumns ?? [nameColumn, ...(description.columns ?? []), ageColumn],
    fields: new Map([...metadataFields, ...selectable.map(path => [path, fieldAt(path)] as const)]),
    schema,
    shape: description.shape ?? builtinShape(groupVersion(group, version), kind),
    ...(description.scale && { scale: description.scale }),
    view: description.view ?? (stored => stored),
    historyStart: 0,
    toStorage: description.toStorage ?? ((object: KubeObject) => object),
  }
}

function objectSchema({ fields, description, kind }: BuiltinDescription): Schema {
  return {
    ...record({
      apiVersion: { ...text, description: 'Version of the schema of this object.' },
      kind: { ...text, description: 'The REST resource this object stands for.' },
      metadata: metadataSchema,
      ...fields,
    }),
    description: description ?? `${kind} as the server stores it.`,
  }
}

const owner = record(
  { apiVersion: text, kind: text, name: text, uid: text, controller: boolean, blockOwnerDeletion: boolean },
  ['apiVersion', 'kind', 'name', 'uid'],
)

/** ObjectMeta, for `explain`. */
export const metadataSchema: Schema = Object.freeze({
  description: 'Standard object metadata.',
  ...record({
    name: { ...text, description: 'Unique within a namespace.' },
    generateName: { ...text, description: 'Prefix of a name that the server completes.' },
    namespace: text,
    uid: text,
    resourceVersion: { ...text, description: 'Opaque version of the object for optimistic concurrency.' },
    generation: { type: 'integer', format: 'int64', description: 'Counts changes of the desired state.' },
    creationTimestamp: { type: 'string', format: 'date-time' },
    deletionTimestamp: { type: 'string', format: 'date-time' },
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    labels: { type: 'object', additionalProperties: text },
    annotations: { type: 'object', additionalProperties: text },
    finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ownerReferences: { type: 'array', items: owner },
    managedFields: { type: 'array', items: { type: 'object' } },
  }),
})
