/** The entries of `metadata.managedFields`: who owns what. Lists are immutable and kept by reference when unchanged. */
import { rfc3339 } from '@godwit/ports'
import type { Json, KubeObject, ManagedFieldsEntry } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import { difference, type FieldSet, isBare, none, sameSet, union } from './field-set.ts'

export type Managers = readonly ManagedFieldsEntry[]

/** Who writes, and where: together with the operation this names one entry. */
export interface Writer {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string | undefined
}

/** More Update entries than this are folded into one, oldest first, so that objects stay small. */
const MAX_UPDATE_ENTRIES = 10
const FOLDED_MANAGER = 'ancient-changes'

/** The stored sets were checked when they came in. */
export const fieldsOfEntry = (entry: ManagedFieldsEntry): FieldSet => entry.fieldsV1 as FieldSet

/** An apply entry is the manager's whatever version it used last; an update entry is one per version. */
export function isEntryOf(entry: ManagedFieldsEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    (entry.subresource ?? '') === (writer.subresource ?? '') &&
    (writer.operation === 'Apply' || entry.apiVersion === writer.apiVersion)
  )
}

/** A new entry. @param now milliseconds since the epoch; undefined leaves the time out */
export function newEntry(writer: Writer, fields: FieldSet, now: number | undefined): ManagedFieldsEntry {
  return {
    manager: writer.manager,
    operation: writer.operation,
    apiVersion: writer.apiVersion,
    ...(now !== undefined && { time: rfc3339(now) }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(writer.subresource && { subresource: writer.subresource }),
  }
}

/** The entry with another set; itself when the set is the same. */
export function withFields(entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry {
  return fields === entry.fieldsV1 ? entry : { ...entry, fieldsV1: fields }
}

/** All entries without `fields`; entries that own nothing any more vanish. */
export function disown(managers: Managers, fields: FieldSet): ManagedFieldsEntry[] {
  return managers
    .map(entry => withFields(entry, difference(fieldsOfEntry(entry), fields)))
    .filter(entry => !isBare(fieldsOfEntry(entry)))
}

/** Everything anybody claims. Joined pair by pair: adding thousands one after another to a growing set is quadratic. */
export function allFields(managers: Managers): FieldSet {
  let sets: readonly FieldSet[] = managers.map(fieldsOfEntry)
  while (sets.length > 1) {
    const pairs: readonly FieldSet[] = sets
    sets = pairs.flatMap((set, i) => (i % 2 === 0 ? [union(set, pairs[i + 1] ?? none)] : []))
  }
  return sets[0] ?? none
}

/** What an entry is known by; the real server orders owners by this text. An apply entry has no version in it. */
export function identityText({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const version = operation === 'Update' && { apiVersion }
  return JSON.stringify({ manager, operation, ...version, ...(subresource && { subresource }) })
}

/** Folds the oldest Update entries of one version into one, until at most ten remain. */
export function capped(managers: Managers): Managers {
  const updates = managers.filter(entry => entry.operation === 'Update')
  let excess = updates.length - MAX_UPDATE_ENTRIES
  if (excess <= 0) return managers
  const oldestFirst = updates.toSorted(
    (left, right) => compareText(left.time, right.time) || compareText(identityText(left), identityText(right)),
  )
  const folded = new Map<string, ManagedFieldsEntry[]>()
  for (const entry of oldestFirst) {
    if (excess <= 0) break
    const group = folded.get(entry.apiVersion) ?? []
    // The first of a version stays itself until a second joins it.
    if (group.length > 0) excess--
    group.push(entry)
    folded.set(entry.apiVersion, group)
  }
  const groups = [...folded.values()].filter(group => group.length > 1)
  const gone = new Set(groups.flat())
  return [...managers.filter(entry => !gone.has(entry)), ...groups.map(foldedEntry)]
}

function foldedEntry(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry {
  const newest = entries.at(-1)
  return {
    manager: FOLDED_MANAGER,
    operation: 'Update',
    apiVersion: newest?.apiVersion ?? '',
    ...(newest?.time && { time: newest.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: allFields(entries),
  }
}

/** The order in which the real server writes entries: Apply before Update, then oldest first, then by name. */
export function ordered(managers: Managers): ManagedFieldsEntry[] {
  return managers.toSorted(
    (left, right) =>
      compareText(left.operation, right.operation) || compareText(left.time, right.time) || byIdentity(left, right),
  )
}

function byIdentity(left: ManagedFieldsEntry, right: ManagedFieldsEntry): number {
  return (
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  )
}

function compareText(left = '', right = ''): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** `before` itself when both lists say the same. */
export function keptIfSame(before: Managers | undefined, after: Managers): Managers {
  if (!before || before.length !== after.length) return after
  return after.every((entry, position) => sameEntry(entry, before[position])) ? before : after
}

function sameEntry(left: ManagedFieldsEntry, right: ManagedFieldsEntry | undefined): boolean {
  if (left === right) return true
  return (
    right !== undefined &&
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.apiVersion === right.apiVersion &&
    left.time === right.time &&
    left.subresource === right.subresource &&
    sameSet(fieldsOfEntry(left), fieldsOfEntry(right))
  )
}

/** The object with these entries; itself when it has them already. An empty list is left out. */
export function withManagers<T extends KubeObject>(object: T, managers: Managers | undefined): T {
  const current = object.metadata.managedFields
  if (managers === current || (!managers?.length && current === undefined)) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: managers?.length ? { ...metadata, managedFields: [...managers] } : metadata }
}

/** Far more than any object has; each write looks at every entry. */
const MAX_SENT_ENTRIES = 1000

/** Entries a client sent, checked; undefined when they are unusable. */
export function parseManagers(sent: Json | undefined): Managers | undefined {
  if (!Array.isArray(sent) || sent.length > MAX_SENT_ENTRIES) return undefined
  const entries: ManagedFieldsEntry[] = []
  for (const item of sent) {
    if (!isObject(item) || !isEntry(item)) return undefined
    entries.push(item)
  }
  return entries
}

function isEntry(item: { [key: string]: Json | undefined }): item is ManagedFieldsEntry {
  const operation = own(item, 'operation')
  const optionalText = ['time', 'subresource'].every(key => ['string', 'undefined'].includes(typeof own(item, key)))
  return (
    typeof own(item, 'manager') === 'string' &&
    (operation === 'Apply' || operation === 'Update') &&
    typeof own(item, 'apiVersion') === 'string' &&
    own(item, 'fieldsType') === 'FieldsV1' &&
    optionalText &&
    isFieldSet(own(item, 'fieldsV1'))
  )
}

function isFieldSet(value: Json | undefined): boolean {
  if (!isObject(value)) return false
  return Object.entries(value).every(
    ([element, node]) => (element === '.' || isElement(element)) && isFieldSet(node ?? null),
  )
}

function isElement(element: string): boolean {
  if (element.startsWith('f:')) return true
  if (!/^[kvi]:/.test(element)) return false
  try {
    const body: Json = JSON.parse(element.slice(2))
    return !element.startsWith('k:') || isObject(body)
  } catch {
    return false
  }
}
