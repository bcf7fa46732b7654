/** What all reviews share: reading a body that has no metadata worth keeping, and answering it. */
import { invalidValue } from '../api/causes.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, type Cause, invalid } from '../api/status-error.ts'
import type { User } from '../api/user.ts'

/** Kind and group of a review, as its errors name it. */
export interface ReviewKind {
  readonly group: string
  readonly kind: string
  readonly plural: string
}

const typeName = (value: Json) => (Array.isArray(value) ? 'array' : typeof value)

/** An object member; absent and null read as empty. Throws 400 for another type. */
export function objectAt(of: JsonObject, member: string, path: string): JsonObject | undefined {
  const value = of[member]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(`${path}.${member}`, 'object', value)
  return value
}

/** A string member; absent and null read as empty. Throws 400 for another type. */
export function stringAt(of: JsonObject, member: string, path: string): string {
  const value = of[member] ?? ''
  if (typeof value !== 'string') throw wrongType(`${path}.${member}`, 'string', value)
  return value
}

/** A list of strings; absent and null read as empty. Throws 400 for another type. */
export function stringsAt(of: JsonObject, member: string, path: string): string[] {
  const value = of[member] ?? []
  if (!Array.isArray(value)) throw wrongType(`${path}.${member}`, 'list of strings', value)
  return value.map(item => {
    if (typeof item !== 'string') throw wrongType(`${path}.${member}`, 'list of strings', item)
    return item
  })
}

const wrongType = (path: string, wanted: string, value: Json) =>
  badRequest(`cannot decode ${path}: want ${wanted}, got ${typeName(value)}`)

/** The body's `spec`; absent reads as empty. */
export const specOf = (body: JsonObject) => objectAt(body, 'spec', 'body') ?? {}

/** Throws 422 when there are causes. */
export function assertValid(of: ReviewKind, causes: readonly Cause[], name = ''): void {
  if (causes.length > 0) throw invalid({ ...of, name }, causes)
}

/** Reviews are questions, not objects: their metadata must say nothing, except `allowed` members. */
export function metadataCauses(body: JsonObject, allowed: readonly string[] = []): Cause[] {
  const metadata = objectAt(body, 'metadata', 'body') ?? {}
  const silent = ['managedFields', 'creationTimestamp', ...allowed]
  const told = Object.entries(metadata).filter(([member, value]) => !silent.includes(member) && !isEmpty(value))
  return told.length === 0 ? [] : [invalidValue('metadata', metadata, 'must be empty')]
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** The answer: the question with a status. */
export function answer(of: ReviewKind, version: string, body: JsonObject, status: JsonObject): JsonObject {
  const metadata = objectAt(body, 'metadata', 'body') ?? {}
  const spec = objectAt(body, 'spec', 'body')
  return {
    kind: of.kind,
    apiVersion: `${of.group}/${version}`,
    metadata: { ...metadata, creationTimestamp: null },
    ...(spec && { spec }),
    status,
  }
}

/** A user as reviews show it. */
export function userJson(user: User): JsonObject {
  return {
    ...(user.name && { username: user.name }),
    ...(user.uid && { uid: user.uid }),
    ...(user.groups.length > 0 && { groups: [...user.groups] }),
    ...(user.extra && { extra: extraJson(user.extra) }),
  }
}

/** Extra attributes of a user as JSON. */
export const extraJson = (extra: Readonly<Record<string, readonly string[]>>): JsonObject =>
  Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))

/** Extra attributes as a review's spec holds them. */
export function readExtra(spec: JsonObject): Record<string, string[]> | undefined {
  const extra = objectAt(spec, 'extra', 'spec')
  if (extra === undefined) return undefined
  return Object.fromEntries(Object.keys(extra).map(key => [key, stringsAt(extra, key, 'spec.extra')]))
}
