/**
 * Decodes the body of a built-in kind as a typed server does: a wrong JSON type is 400, unknown fields are dropped and
 * reported, nulls and empty maps and lists vanish.
 */
import { goTypeName } from '../api/metadata.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import { own } from '../patch/json-value.ts'
import type { Draft } from './resource.ts'

interface Walk {
  readonly kind: string
  readonly apiVersion: string
  readonly unknown: string[]
}

/**
 * Changes the top of `draft` in place (all but apiVersion, kind and metadata); returns the paths of unknown fields. What
 * is below is copied where it changes: it may be shared with the stored object, which is frozen.
 */
export function decodeTyped(draft: Draft, schema: JsonObject): string[] {
  const walk: Walk = { kind: draft.kind, apiVersion: draft.apiVersion, unknown: [] }
  const properties = schema['properties'] as JsonObject
  for (const field of Object.keys(draft)) {
    if (field === 'apiVersion' || field === 'kind' || field === 'metadata') continue
    const decoded = decodeMember(draft[field], declared(properties, field), field, walk)
    if (decoded === undefined) delete draft[field]
    else draft[field] = decoded
  }
  return walk.unknown
}

/** The schema of a property. A field called `constructor` is as unknown as any other. */
function declared(properties: JsonObject | undefined, field: string): JsonObject | undefined {
  return properties && (own(properties, field) as JsonObject | undefined)
}

/** Undefined when the field is to be dropped. */
function decodeMember(
  value: Json | undefined,
  schema: JsonObject | undefined,
  path: string,
  walk: Walk,
): Json | undefined {
  if (!schema) walk.unknown.push(path)
  if (!schema || value === null || value === undefined) return undefined
  return decodeValue(value, schema, path, walk)
}

function decodeValue(value: Json, schema: JsonObject, path: string, walk: Walk): Json | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof value !== 'string' && !Number.isInteger(value)) throw wrongType(value, path, 'intstr.IntOrString', walk)
    return value
  }
  switch (schema['type']) {
    case 'object':
      return decodeObject(value, schema, path, walk)
    case 'array':
      return decodeArray(value, schema, path, walk)
    case 'string':
      return decodeString(value, schema, path, walk)
    case 'integer':
      if (!Number.isInteger(value)) throw wrongType(value, path, String(schema['format']), walk)
      return value
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(value, path, 'bool', walk)
      return value
    default:
      return value
  }
}

function decodeObject(value: Json, schema: JsonObject, path: string, walk: Walk): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrongType(value, path, 'object', walk)
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  const items = schema['additionalProperties'] as JsonObject | undefined
  const properties = schema['properties'] as JsonObject | undefined
  let copy: JsonObject | undefined
  for (const key of Object.keys(value)) {
    const child = items ?? declared(properties, key)
    if (isOpen && !child) continue
    const decoded = decodeMember(value[key], child, `${path}.${key}`, walk)
    if (decoded === value[key]) continue
    copy ??= { ...value }
    if (decoded === undefined) delete copy[key]
    else copy[key] = decoded
  }
  const result = copy ?? value
  return items && Object.keys(result).length === 0 ? undefined : result
}

function decodeArray(value: Json, schema: JsonObject, path: string, walk: Walk): Json | undefined {
  if (!Array.isArray(value)) throw wrongType(value, path, '[]', walk)
  if (value.length === 0) return schema['x-keep-empty'] ? value : undefined
  const items = schema['items'] as JsonObject
  let copy: Json[] | undefined
  for (const [i, item] of value.entries()) {
    const decoded = decodeValue(item ?? {}, items, `${path}[${i}]`, walk) ?? {}
    if (decoded === item) continue
    copy ??= [...value]
    copy[i] = decoded
  }
  return copy ?? value
}

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const microTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/

function decodeString(value: Json, schema: JsonObject, path: string, walk: Walk): Json | undefined {
  if (typeof value !== 'string') throw wrongType(value, path, 'string', walk)
  const format = schema['format']
  if (format === 'byte') {
    const compact = value.replaceAll(/[\r\n]/g, '')
    if (!base64Pattern.test(compact)) throw unreadable(`illegal base64 data at input byte ${firstBad(compact)}`, walk)
    return compact
  }
  if (format === 'date-time') return checkTime(value, timePattern, '2006-01-02T15:04:05Z07:00', walk)
  if (format === 'micro-time') return checkTime(value, microTimePattern, '2006-01-02T15:04:05.000000Z07:00', walk)
  return value
}

function checkTime(value: string, pattern: RegExp, layout: string, walk: Walk): string | undefined {
  if (value === '') return undefined
  if (!pattern.test(value) || Number.isNaN(Date.parse(value)))
    throw unreadable(
      `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)}`,
      walk,
    )
  return value
}

function firstBad(base64: string): number {
  const at = base64.search(/[^A-Za-z0-9+/=]/)
  return at < 0 ? base64.length : at
}

function wrongType(value: Json, path: string, wanted: string, walk: Walk) {
  return unreadable(
    `json: cannot unmarshal ${goTypeName(value)} into Go struct field ${walk.kind}.${path} of type ${wanted}`,
    walk,
  )
}

const unreadable = (why: string, { kind, apiVersion }: Walk) =>
  badRequest(`${kind} in version "${apiVersion.split('/').at(-1)}" cannot be handled as a ${kind}: ${why}`)
