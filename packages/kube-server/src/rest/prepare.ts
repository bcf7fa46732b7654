/** The rules between a decoded draft and the object that is stored: system fields, status, generation, validation. */
import { rfc3339 } from '@godwit/ports'
import type { DraftMeta } from '../api/metadata.ts'
import { metadataCauses, metadataUpdateCauses, nameRequired } from '../api/metadata-rules.ts'
import type { JsonObject, KubeObject, ObjectMeta } from '../api/object.ts'
import { conflict, invalid, StatusError } from '../api/status-error.ts'
import { trackUpdate } from '../apply/index.ts'
import { sameJson } from '../patch/index.ts'
import type { Draft, Resource } from '../registry/resource.ts'
import { type Call, type Core, canonical, subjectOf, writeContext } from './call.ts'
import { generatedName, newUid } from './identity.ts'

export interface Tracking {
  readonly manager: string
  /** An apply has done its own bookkeeping. */
  readonly isTracked: boolean
}

/** A new object, complete but for its resourceVersion. Throws 422, or 500 for a resourceVersion in the body. */
export function prepareNew(core: Core, call: Call, draft: Draft, tracking: Tracking): KubeObject {
  const { resource } = call
  const { strategy } = resource
  if (draft.metadata.resourceVersion)
    throw new StatusError(
      500,
      'InternalError',
      'Internal error occurred: resourceVersion should not be set on objects to be created',
    )
  const context = writeContext(core, call)
  draft.metadata = newMetadata(core, call, draft.metadata)
  strategy.applyDefaults(draft)
  if (strategy.hasStatus) delete draft['status']
  strategy.prepareCreate?.(draft, context)
  const causes = [...metadataCauses(draft.metadata, strategy), ...strategy.validate(draft, undefined, context)]
  const object = canonical(draft as KubeObject)
  if (causes.length > 0) throw invalid({ ...subjectOf(call), name: object.metadata.name }, causes)
  call.warnings.push(...(strategy.warnings?.(draft, undefined) ?? []))
  if (!tracking.isTracked) trackFields(core, call, object, undefined, tracking)
  return object
}

function newMetadata(core: Core, call: Call, sent: DraftMeta): ObjectMeta {
  const { metadata, name } = named(core, call, sent)
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'resourceVersion', 'generation'])
    delete metadata[field]
  return {
    name,
    ...(metadata.generateName && { generateName: metadata.generateName }),
    ...(metadata.namespace && { namespace: metadata.namespace }),
    uid: newUid(core.random),
    // The store fills it in; a dry run shows none.
    resourceVersion: '',
    ...(call.resource.strategy.hasGeneration && { generation: 1 }),
    creationTimestamp: rfc3339(core.clock.now()),
    ...withoutSystemFields(metadata),
  }
}

function named(core: Core, call: Call, metadata: DraftMeta): { metadata: DraftMeta; name: string } {
  const name = metadata.name || (metadata.generateName && generatedName(metadata.generateName, core.random))
  if (!name) throw invalid(subjectOf(call), [nameRequired()])
  return { metadata: { ...metadata }, name }
}

const systemFields = new Set(['name', 'generateName', 'namespace', 'uid', 'creationTimestamp'])

function withoutSystemFields(metadata: DraftMeta): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([field]) => !systemFields.has(field)))
}

/** The next state of an existing object. `draft` may share parts with `current`. Throws 409 or 422. */
export function prepareChanged(
  core: Core,
  call: Call,
  draft: Draft,
  change: { readonly current: KubeObject; readonly tracking: Tracking },
): KubeObject {
  const { current, tracking } = change
  const { strategy } = call.resource
  const context = writeContext(core, call)
  if (draft.metadata.resourceVersion && draft.metadata.resourceVersion !== current.metadata.resourceVersion)
    throw conflict(
      subjectOf(call),
      'the object has been modified; please apply your changes to the latest version and try again',
    )
  strategy.applyDefaults(draft)
  draft.metadata = changedMetadata(draft.metadata, current.metadata)
  separateStatus(call, draft, current)
  strategy.prepareUpdate?.(draft, current, context)
  const object = canonical(draft as KubeObject)
  countGeneration(call.resource, object, current)
  const causes = [
    ...metadataCauses(object.metadata, strategy),
    ...metadataUpdateCauses(object.metadata, current.metadata),
    ...strategy.validate(object, current, context),
  ]
  if (causes.length > 0) throw invalid(subjectOf(call), causes)
  call.warnings.push(...(strategy.warnings?.(object, current) ?? []))
  if (!tracking.isTracked) trackFields(core, call, object, current, tracking)
  return object
}

/** What no update changes is taken from the stored object, whatever the client sent. */
function changedMetadata(sent: DraftMeta, current: ObjectMeta): ObjectMeta {
  const { generateName, namespace, generation, deletionTimestamp, deletionGracePeriodSeconds } = current
  const metadata: ObjectMeta = {
    name: current.name,
    ...(generateName !== undefined && { generateName }),
    ...(namespace !== undefined && { namespace }),
    uid: sent.uid || current.uid,
    resourceVersion: current.resourceVersion,
    ...(generation !== undefined && { generation }),
    creationTimestamp: current.creationTimestamp,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  }
  for (const field of ['labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields'])
    if (sent[field] !== undefined) metadata[field] = sent[field]
  return metadata
}

/** The main endpoint cannot write status; `/status` of a custom resource can write nothing else. */
function separateStatus({ resource, subresource }: Call, draft: Draft, current: KubeObject): void {
  if (!resource.strategy.hasStatus) return
  if (subresource !== 'status') {
    if (current['status'] === undefined) delete draft['status']
    else draft['status'] = current['status']
    return
  }
  for (const field of Object.keys(draft))
    if (field !== 'status' && field !== 'metadata' && current[field] === undefined) delete draft[field]
  for (const field of Object.keys(current))
    if (field !== 'status' && field !== 'metadata') draft[field] = current[field]
  if (resource.custom) {
    const { managedFields } = draft.metadata
    draft.metadata = managedFields ? { ...current.metadata, managedFields } : { ...current.metadata }
  }
}

function countGeneration({ strategy }: Resource, object: KubeObject, current: KubeObject): void {
  if (!strategy.hasGeneration) return
  const ignored = strategy.hasStatus ? ['metadata', 'status'] : ['metadata']
  const fields = new Set([...Object.keys(object), ...Object.keys(current)])
  for (const field of ignored) fields.delete(field)
  for (const field of fields)
    if (!sameJson(object[field] ?? null, current[field] ?? null)) {
      object.metadata.generation = (current.metadata.generation ?? 0) + 1
      return
    }
}

function trackFields(
  core: Core,
  call: Call,
  object: KubeObject,
  current: KubeObject | undefined,
  tracking: Tracking,
): void {
  const managedFields =
    core.tracksFields &&
    trackUpdate({
      before: current,
      after: current ? object : asSent(call, object),
      manager: tracking.manager,
      apiVersion: call.resource.apiVersion,
      now: core.clock.now(),
      subresource: call.subresource || undefined,
      shape: call.resource.shape,
    })
  if (managedFields) object.metadata.managedFields = managedFields
  else delete object.metadata.managedFields
}

/** The first status is the server's own, not the creator's. */
function asSent({ resource }: Call, object: KubeObject): KubeObject {
  if (!resource.strategy.hasStatus || object['status'] === undefined) return object
  const { status: _own, ...sent } = object
  return sent as KubeObject
}

/** Whether an object whose deletion was asked for may go now. */
export function isGone(resource: Resource, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers } = object.metadata
  if (deletionTimestamp === undefined || (finalizers && finalizers.length > 0)) return false
  return resource.strategy.isRemovable?.(object) ?? true
}
