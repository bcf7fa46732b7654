/** Reads `metadata` of a request body: types are checked, unknown and empty fields dropped, keys put in one order. */
import type { Json, JsonObject, ManagedFieldsEntry, OwnerReference } from './object.ts'
import { badRequest } from './status-error.ts'

/** Metadata as a client may send it: everything may be missing. */
export interface DraftMeta extends JsonObject {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: { [key: string]: string }
  annotations?: { [key: string]: string }
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

type Shape = 'string' | 'integer' | 'time' | 'strings' | 'stringMap' | 'owners' | 'managedFields' | 'dropped'

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['name', 'string'],
  ['generateName', 'string'],
  ['namespace', 'string'],
  ['selfLink', 'dropped'],
  ['uid', 'string'],
  ['resourceVersion', 'string'],
  ['generation', 'integer'],
  ['creationTimestamp', 'time'],
  ['deletionTimestamp', 'time'],
  ['deletionGracePeriodSeconds', 'integer'],
  ['labels', 'stringMap'],
  ['annotations', 'stringMap'],
  ['ownerReferences', 'owners'],
  ['finalizers', 'strings'],
  ['managedFields', 'managedFields'],
])

const ownerFields: readonly [string, 'string' | 'boolean'][] = [
  ['apiVersion', 'string'],
  ['kind', 'string'],
  ['name', 'string'],
  ['uid', 'string'],
  ['controller', 'boolean'],
  ['blockOwnerDeletion', 'boolean'],
]

export interface DecodedMeta {
  readonly metadata: DraftMeta
  /** Paths of fields that do not exist, for instance `metadata.nope`. */
  readonly unknown: readonly string[]
}

/** Throws 400 when a field has the wrong type. */
export function decodeMetadata(raw: Json | undefined): DecodedMeta {
  if (raw === undefined || raw === null) return { metadata: {}, unknown: [] }
  const source = record(raw, 'metadata', 'ObjectMeta')
  const unknown: string[] = []
  const metadata: JsonObject = {}
  for (const [field, shape] of shapes) {
    const value = source[field]
    if (value === undefined || value === null || shape === 'dropped') continue
    const decoded = decodeField(value, field, shape, unknown)
    if (decoded !== undefined) metadata[field] = decoded
  }
  for (const field of Object.keys(source)) if (!shapes.has(field)) unknown.push(`metadata.${field}`)
  return { metadata: metadata as DraftMeta, unknown }
}

function decodeField(value: Json, field: string, shape: Shape, unknown: string[]): Json | undefined {
  const path = `metadata.${field}`
  switch (shape) {
    case 'string':
      return string(value, path) || undefined
    case 'time':
      return time(value, path)
    case 'integer':
      if (!Number.isInteger(value)) throw wrongType(value, path, 'int64')
      return value || undefined
    case 'stringMap':
      return stringMap(value, path)
    case 'strings': {
      const items = list(value, path).map(item => string(item, path))
      return items.length > 0 ? items : undefined
    }
    case 'owners': {
      const owners = list(value, path).map((item, i) => owner(item, `${path}[${i}]`, unknown))
      return owners.length > 0 ? owners : undefined
    }
    case 'managedFields': {
      const entries = list(value, path).map(item => record(item, path, 'ManagedFieldsEntry'))
      return entries
    }
    default:
      return undefined
  }
}

function owner(value: Json, path: string, unknown: string[]): JsonObject {
  const source = record(value, path, 'OwnerReference')
  const decoded: JsonObject = {}
  for (const [field, type] of ownerFields) {
    const part = source[field]
    if (part === undefined || part === null) continue
    if (typeof part !== type) throw wrongType(part, `${path}.${field}`, type === 'boolean' ? 'bool' : type)
    decoded[field] = part
  }
  for (const field of Object.keys(source))
    if (!ownerFields.some(([known]) => known === field)) unknown.push(`${path}.${field}`)
  return decoded
}

function string(value: Json, path: string): string {
  if (typeof value !== 'string') throw wrongType(value, path, 'string')
  return value
}

function time(value: Json, path: string): string | undefined {
  const text = string(value, path)
  if (text === '') return undefined
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text))
    throw badRequest(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${path}`)
  return text
}

function list(value: Json, path: string): Json[] {
  if (!Array.isArray(value)) throw wrongType(value, path, '[]')
  return value
}

function record(value: Json, path: string, type: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrongType(value, path, type)
  return value
}

function stringMap(value: Json, path: string): JsonObject | undefined {
  const source = record(value, path, 'map[string]string')
  const keys = Object.keys(source)
  if (keys.length === 0) return undefined
  const copy: JsonObject = {}
  for (const key of keys) {
    const item = source[key] ?? ''
    copy[key] = string(item, path)
  }
  return copy
}

/** The words Go uses for JSON types in its decoding errors. */
export function goTypeName(value: Json): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function wrongType(value: Json, path: string, wanted: string) {
  return badRequest(`json: cannot unmarshal ${goTypeName(value)} into Go struct field ${path} of type ${wanted}`)
}
