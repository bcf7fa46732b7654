/** PUT, PATCH and apply: three ways to a next state, one way to store it. */

import { requiredValue } from '../api/causes.ts'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import { badRequest, conflict, invalid, notFound, StatusError } from '../api/status-error.ts'
import { applyBodyErrors, applyObject, bodyErrorText } from '../apply/index.ts'
import { isObject, jsonPatch, mergePatch, sameJson, strategicMergePatch } from '../patch/index.ts'
import type { Draft, View } from '../registry/resource.ts'
import type { Stored } from '../store/types.ts'
import { type Call, type Core, subjectOf } from './call.ts'
import { commit, type Decision, type Outcome } from './commit.ts'
import { assertMayCreate, assertMayWrite, decideCreate } from './create.ts'
import { toDraft } from './draft.ts'
import { isGone, prepareChanged, prepareNew, type Tracking } from './prepare.ts'
import type { WriteOptions } from './query.ts'

export interface Write {
  readonly options: WriteOptions
  readonly tracking: Tracking
}

/** Stores the next state of an existing object; `makeNext` sees it as this API version shows it. */
export function changeObject(core: Core, call: Call, write: Write, makeNext: (view: View) => Draft): Promise<Outcome> {
  return commit(core, call, { name: call.name, dryRun: write.options.dryRun }, current => {
    if (!current) throw notFound(subjectOf(call))
    return decideChange(core, call, write, { current, makeNext })
  })
}

function decideChange(
  core: Core,
  call: Call,
  write: Write,
  { current, makeNext }: { current: Stored; makeNext: (view: View) => Draft },
): Decision {
  const { resource } = call
  const view = resource.view(current)
  const draft = makeNext(view)
  const next = prepareChanged(core, call, draft, { current: view.object, tracking: write.tracking })
  assertMayWrite(core, call, next, view.object)
  const storable = resource.toStorage(next)
  if (isGone(resource, next)) return { remove: storable }
  return sameJson(storable, current.object) ? { unchanged: current } : { put: storable }
}

/** PUT. Some built-in kinds are created when they are missing. */
export function replaceObject(core: Core, call: Call, write: Write, draft: Draft): Promise<Outcome> {
  const { strategy } = call.resource
  const { resourceVersion = '', uid } = draft.metadata
  const isUnconditional = resourceVersion === '' || resourceVersion === '0'
  if (isUnconditional) delete draft.metadata.resourceVersion
  return commit(core, call, { name: call.name, dryRun: write.options.dryRun }, current => {
    if (!current) {
      if (!strategy.createsOnUpdate || call.subresource !== '' || uid) throw missing(call, uid)
      assertMayCreate(core, call)
      delete draft.metadata.resourceVersion
      return decideCreate(core, call, prepareNew(core, call, draft, write.tracking), undefined)
    }
    if (isUnconditional && !strategy.updatesUnconditionally) throw versionRequired(call)
    if (uid && uid !== current.object.metadata.uid) throw otherUid(call, uid, current.object.metadata.uid)
    return decideChange(core, call, write, { current, makeNext: () => draft })
  })
}

/** Worded as the real server has it, plural in place of the kind and hexadecimal zero included. */
function versionRequired(call: Call): StatusError {
  const field = 'metadata.resourceVersion'
  const message = 'Invalid value: 0x0: must be specified for an update'
  const subject = subjectOf(call)
  return invalid({ ...subject, kind: subject.plural }, [{ reason: 'FieldValueInvalid', message, field }])
}

const missing = (call: Call, uid: string | undefined) =>
  call.resource.strategy.createsOnUpdate && uid ? otherUid(call, uid, '') : notFound(subjectOf(call))

const otherUid = (call: Call, wanted: string, found: string) =>
  conflict(subjectOf(call), `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`)

export type PatchType = 'merge' | 'json' | 'strategic'

/** PATCH of any type but apply. `patch` is the decoded body. */
export function patchObject(
  core: Core,
  call: Call,
  write: Write,
  patch: { readonly type: PatchType; readonly body: Json; readonly duplicates: readonly string[] },
): Promise<Outcome> {
  const apply = patcher(call, patch.type, patch.body)
  return changeObject(core, call, write, view => {
    const patched = apply(view.object)
    return toDraft(call, patched, {
      duplicates: patch.duplicates,
      validation: write.options.fieldValidation,
      nameRequired: false,
    })
  })
}

/** Bodies of the wrong shape are refused before anything is looked up. */
export function patcher(call: Pick<Call, 'resource'>, type: PatchType, body: Json): (target: JsonObject) => JsonObject {
  if (type === 'json') {
    if (!Array.isArray(body))
      throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch')
    refusePrototypes(body)
    return target => objectOrRefuse(jsonPatch(target, body))
  }
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}')
  if (type === 'merge') return target => objectOrRefuse(mergePatch(target, body))
  return target => objectOrRefuse(strategicMergePatch(target, body, call.resource.shape))
}

/** A pointer could bring in the key that the reader of bodies keeps out. */
function refusePrototypes(operations: readonly Json[]): void {
  const paths = operations.map(one => (isObject(one) ? String(one['path']) : ''))
  if (paths.some(path => path.split('/').includes('__proto__')))
    throw badRequest('json parse error: the key "__proto__" is not allowed')
}

function objectOrRefuse(value: Json): JsonObject {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

/** Server-side apply. Creates the object when it is missing, except through a subresource. */
export function applyPatch(core: Core, call: Call, write: Write, body: JsonObject): Promise<Outcome> {
  const applied = appliedBody(call, body)
  const tracking: Tracking = { ...write.tracking, isTracked: true }
  const merge = (live: KubeObject | undefined) =>
    applyObject({
      ...(live && { live }),
      applied,
      manager: tracking.manager,
      force: write.options.force ?? false,
      ...(call.subresource && { subresource: call.subresource }),
      apiVersion: call.resource.apiVersion,
      now: core.clock.now(),
      shape: call.resource.shape,
      ...(call.resource.strategy.hasStatus && call.subresource === '' && { ignored: ['status'] }),
    })
  const tracked: Write = { options: write.options, tracking }
  return commit(core, call, { name: call.name, dryRun: write.options.dryRun }, current => {
    if (current)
      return decideChange(core, call, tracked, {
        current,
        makeNext: view => mergedDraft(call, merge(view.object), applied),
      })
    if (call.subresource !== '') throw notFound(subjectOf(call))
    const { uid, resourceVersion } = applied.metadata
    if (uid) throw otherUid(call, uid, '')
    if (resourceVersion) throw notFound(subjectOf(call))
    assertMayCreate(core, call)
    return decideCreate(
      core,
      call,
      prepareNew(core, call, mergedDraft(call, merge(undefined), applied), tracking),
      undefined,
    )
  })
}

/** The body as a draft: typed for built-ins, with everything the schema does not declare refused. */
function appliedBody(call: Call, body: JsonObject): Draft {
  const { resource } = call
  const metadata = body['metadata'] as JsonObject | undefined
  if (metadata?.['managedFields'] !== undefined && metadata['managedFields'] !== null)
    throw badRequest('metadata.managedFields must be nil')
  if (!body['apiVersion'] || !body['kind'])
    throw badRequest(`error decoding patch: Object 'Kind' is missing in '${JSON.stringify(body).slice(0, 200)}'`)
  const unknown: string[] = []
  const lenient: Call = { ...call, warnings: unknown }
  const errors = applyBodyErrors(body, resource.shape)
  const draft = toDraft(lenient, structuredClone(body), { duplicates: [], validation: 'Warn', nameRequired: true })
  const undeclared = resource.custom
    ? errors
    : [...errors, ...unknown.map(text => text.replace(/^unknown field "(.*)"$/, '.$1: field not declared in schema'))]
  if (undeclared.length > 0) throw untypable(call, metadata, undeclared)
  return draft
}

/** Like the real server's, this 500 has no reason and names the object as its body does. */
function untypable({ resource, name }: Call, metadata: JsonObject | undefined, errors: readonly string[]): StatusError {
  const place = `${metadata?.['namespace'] ?? ''}/${name}`
  const kind = `${resource.group}/${resource.version}, Kind=${resource.kind}`
  const why = bodyErrorText([...new Set(errors)])
  return new StatusError(500, '', `failed to create typed patch object (${place}; ${kind}): ${why}`)
}

/** The merged object as a draft; preconditions in the applied body still count. */
function mergedDraft(call: Call, merged: KubeObject, applied: Draft): Draft {
  const { uid, resourceVersion } = applied.metadata
  const draft: Draft = { ...merged, metadata: { ...merged.metadata } }
  if (resourceVersion) draft.metadata.resourceVersion = resourceVersion
  if (uid && draft.metadata.uid && uid !== draft.metadata.uid) throw otherUid(call, uid, draft.metadata.uid)
  return draft
}

export const untracked = () =>
  new StatusError(
    501,
    'NotImplemented',
    'this server does not track managed fields, so nothing can be applied: use another kind of patch, or start it with tracksFields',
  )

export const managerRequired = () =>
  invalid({ group: 'meta.k8s.io', plural: '', kind: 'PatchOptions', name: '' }, [
    requiredValue('fieldManager', 'is required for apply patch'),
  ])
