/** From a decoded body to a draft of the right kind, for the right place, with unknown fields dropped and reported. */
import { invalidValue } from '../api/causes.ts'
import { decodeMetadata } from '../api/metadata.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, invalid } from '../api/status-error.ts'
import type { Draft, Resource } from '../registry/resource.ts'
import { type Call, subjectOf } from './call.ts'
import type { FieldValidation } from './query.ts'

export interface DraftOptions {
  readonly duplicates: readonly string[]
  readonly validation: FieldValidation
  /** The body must name the object that the URL names. */
  readonly nameRequired: boolean
}

/** More warnings or complaints than this help nobody. */
const maxWarnings = 100
const maxProblems = 500

/** `body` is not changed; parts of it may be shared with the draft. Throws 400 or 422. */
export function toDraft(call: Call, body: JsonObject, options: DraftOptions): Draft {
  const { resource } = call
  const draft = typedDraft(call, body)
  const { metadata, unknown: unknownMeta } = decodeMetadata(body['metadata'])
  draft.metadata = metadata
  placeDraft(call, draft, options.nameRequired)
  const unknown = resource.strategy.decode(draft)
  report(call, [...unknownMeta, ...unknown], options)
  return draft
}

function typedDraft(call: Call, body: JsonObject): Draft {
  const { resource } = call
  const apiVersion = textOf(body, 'apiVersion')
  const kind = textOf(body, 'kind')
  if (resource.custom) {
    if (!kind) throw badRequest(`Object 'Kind' is missing in '${shortJson(body)}'`)
    if (!apiVersion) throw badRequest(`Object 'apiVersion' is missing in '${shortJson(body)}'`)
  }
  if (apiVersion && apiVersion !== resource.apiVersion)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${resource.apiVersion})`,
    )
  if (kind && kind !== resource.kind) throw wrongKind(call, kind)
  return { ...body, apiVersion: resource.apiVersion, kind: resource.kind, metadata: {} }
}

function textOf(body: JsonObject, field: string): string {
  const value = body[field]
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string')
    throw badRequest(`couldn't get version/kind; json parse error: ${field} must be a string`)
  return value
}

const shortJson = (body: Json) => JSON.stringify(body).slice(0, 200)

function wrongKind(call: Call, kind: string) {
  const { resource } = call
  if (!resource.custom)
    return badRequest(`${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`)
  const metadata = decodeMetadata(null).metadata
  const name = call.name || String(metadata.name ?? '')
  return invalid({ ...subjectOf(call), name }, [invalidValue('kind', kind, `must be ${resource.kind}`)])
}

/** Name and namespace of the URL win; a body that disagrees is refused. */
function placeDraft(call: Call, draft: Draft, nameRequired: boolean): void {
  const { metadata } = draft
  if (call.name) {
    if (!metadata.name && nameRequired)
      throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`)
    if (metadata.name && metadata.name !== call.name)
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${call.name})`)
    metadata.name = call.name
  }
  const namespace = call.resource.namespaced ? call.namespace : ''
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (namespace) metadata.namespace = namespace
}

function report(call: Call, unknown: readonly string[], { duplicates, validation }: DraftOptions): void {
  if (validation === 'Ignore') return
  const problems = [
    ...unknown.map(path => `unknown field ${JSON.stringify(path)}`),
    ...duplicates.map(path => `duplicate field ${JSON.stringify(path)}`),
  ]
  if (problems.length === 0) return
  if (validation === 'Strict') throw strictError(call.resource, problems)
  call.warnings.push(...problems.slice(0, maxWarnings))
}

function strictError(resource: Resource, problems: readonly string[]) {
  const told = problems.slice(0, maxProblems)
  if (problems.length > told.length) told.push(`and ${problems.length - told.length} more`)
  const text = `strict decoding error: ${told.join(', ')}`
  if (resource.custom) return badRequest(text)
  return badRequest(
    `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${text}`,
  )
}
