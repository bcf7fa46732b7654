/** CustomResourceDefinition as a resource: what is filled in, and when one may change or go. */
import { rfc3339 } from '@godwit/ports'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { defineBuiltin, statusOf } from '../registry/define.ts'
import { anything, boolean, integer, listOf, record, strings, text, time } from '../registry/openapi-types.ts'
import type { Draft, Resource, WriteContext } from '../registry/resource.ts'
import { checkStructural } from '../schema/index.ts'
import { column, nameColumn } from '../table/columns.ts'
import { cleanupFinalizer, crdSpec, crdStatus, withCondition } from './definition.ts'
import { definitionCauses } from './definition-rules.ts'

const names = record({
  plural: text,
  singular: text,
  kind: text,
  listKind: text,
  shortNames: strings,
  categories: strings,
})

const version = record({
  name: text,
  served: boolean,
  storage: boolean,
  deprecated: boolean,
  deprecationWarning: text,
  schema: record({ openAPIV3Schema: anything }),
  subresources: record({
    status: anything,
    scale: record({ specReplicasPath: text, statusReplicasPath: text, labelSelectorPath: text }),
  }),
  additionalPrinterColumns: listOf(
    record({ name: text, type: text, format: text, description: text, priority: integer, jsonPath: text }),
  ),
  selectableFields: listOf(record({ jsonPath: text })),
})

function applyDefaults(draft: Draft): void {
  const spec = crdSpec(draft)
  if (!spec?.names) return
  spec.names.singular ||= spec.names.kind?.toLowerCase()
  spec.names.listKind ||= `${spec.names.kind}List`
  if (!spec.conversion?.strategy) spec.conversion = { strategy: 'None' }
  // `v1` has no such field when false; old manifests still carry it.
  if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields
}

const storageVersion = (draft: JsonObject) => crdSpec(draft)?.versions?.find(one => one.storage)?.name

function prepareCreate(draft: Draft): void {
  const storage = storageVersion(draft)
  draft['status'] = {
    conditions: [],
    acceptedNames: { plural: '', kind: '' },
    storedVersions: storage ? [storage] : [],
  }
}

function prepareUpdate(draft: Draft, current: KubeObject, { subresource }: WriteContext): void {
  if (subresource === 'status') {
    draft['spec'] = current['spec']
    draft.metadata = { ...current.metadata, managedFields: draft.metadata.managedFields ?? [] }
    return
  }
  const storage = storageVersion(draft)
  const status = crdStatus(draft)
  if (storage && !status.storedVersions.includes(storage))
    draft['status'] = { ...status, storedVersions: [...status.storedVersions, storage] }
}

/** Instances go first: the cleanup controller removes the finalizer when none is left. */
function prepareDelete(object: KubeObject, { nowMs }: WriteContext): KubeObject {
  const finalizers = new Set(object.metadata.finalizers).add(cleanupFinalizer)
  const status = crdStatus(object)
  const terminating = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  return {
    ...object,
    metadata: { ...object.metadata, finalizers: [...finalizers] },
    status: { ...status, conditions: withCondition(status.conditions, terminating, rfc3339(nowMs)) },
  }
}

export const crdResource: Resource = defineBuiltin({
  group: 'apiextensions.k8s.io',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  clusterScoped: true,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  subresources: [statusOf('CustomResourceDefinition')],
  description: 'CustomResourceDefinition adds a resource to the API.',
  fields: {
    spec: record(
      {
        group: text,
        names,
        scope: text,
        versions: listOf(version),
        conversion: record({ strategy: text, webhook: anything }),
        preserveUnknownFields: boolean,
      },
      ['group', 'names', 'scope', 'versions'],
    ),
    status: record({
      conditions: {
        ...listOf(record({ type: text, status: text, reason: text, message: text, lastTransitionTime: time })),
        'x-keep-empty': true,
      },
      acceptedNames: names,
      storedVersions: { ...strings, 'x-keep-empty': true },
    }),
  },
  allColumns: [nameColumn, column('Created At', object => object.metadata.creationTimestamp, { type: 'date' })],
  strategy: {
    hasGeneration: true,
    hasStatus: true,
    qualifiedFinalizers: false,
    updatesUnconditionally: false,
    applyDefaults,
    prepareCreate,
    prepareUpdate,
    prepareDelete,
    validate: (draft, current) => definitionCauses(draft, current, checkStructural),
  },
})
