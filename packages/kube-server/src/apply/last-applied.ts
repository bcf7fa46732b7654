/**
 * The way from client-side to server-side apply: kubectl keeps what it applied in an annotation. Its server-side
 * applies may take the fields named there, and keep the annotation up to date.
 */
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import { isObject, sameJson } from '../patch/json-value.ts'
import { applyBodyErrors } from './body-errors.ts'
import { compare, touched } from './compare.ts'
import { difference, type FieldSet, none } from './field-set.ts'
import { claimedFields } from './fields-of.ts'
import type { Shape } from './shape.ts'

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
/** Bound of the real server for all annotations of an object together. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024

/** Only this manager is upgraded; others keep out by their name. */
export const UPGRADED_MANAGER = 'kubectl'

/** Fields that kubectl applied client-side and that still have the value it gave them. */
export function fieldsLastApplied(live: KubeObject, shape: Shape): FieldSet {
  const body = lastApplied(live)
  if (!body || applyBodyErrors(body, shape).length > 0) return none
  const change = compare(body, live, shape)
  const claimed = claimedFields(body, shape)
  return change ? difference(claimed, touched(change)) : claimed
}

function lastApplied(live: KubeObject): JsonObject | undefined {
  const text = live.metadata.annotations?.[ANNOTATION]
  if (!text) return undefined
  try {
    const body: Json = JSON.parse(text)
    return isObject(body) ? body : undefined
  } catch (error) {
    // A user may write anything into an annotation; then there is nothing to upgrade from.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The object with the annotation, where it has one, telling of this body; itself when it tells so already. */
export function withLastApplied(object: KubeObject, body: JsonObject): KubeObject {
  const annotations = object.metadata.annotations
  if (!annotations?.[ANNOTATION]) return object
  const { [ANNOTATION]: _, ...others } = annotations
  const updated = { ...others, [ANNOTATION]: `${JSON.stringify(canonicalBody(body))}\n` }
  const next = sizeBytes(updated) > MAX_ANNOTATIONS_BYTES ? others : updated
  if (sameJson(next, annotations)) return object
  return { ...object, metadata: { ...object.metadata, annotations: next } }
}

/** The body without the annotation, members in alphabetical order: the text must not depend on how it was written. */
function canonicalBody(value: Json): Json {
  if (Array.isArray(value)) return value.map(canonicalBody)
  if (!isObject(value)) return value
  const members: [string, Json][] = []
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member !== undefined && key !== ANNOTATION) members.push([key, canonicalBody(member)])
  }
  return Object.fromEntries(members)
}

function sizeBytes(annotations: { readonly [key: string]: string }): number {
  return Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  )
}
