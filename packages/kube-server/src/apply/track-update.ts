import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../api/object.ts'
import { isObject, sameJson } from '../patch/json-value.ts'
import { type Change, compare, touched } from './compare.ts'
import { difference, isBare, none, union } from './field-set.ts'
import {
  capped,
  disown,
  fieldsOfEntry,
  isEntryOf,
  keptIfSame,
  type Managers,
  newEntry,
  ordered,
  parseManagers,
  type Writer,
} from './managers.ts'
import type { Shape } from './shape.ts'

export interface UpdateToTrack {
  /** The stored state; absent on create. */
  readonly before?: KubeObject | undefined
  /** The state to be stored, defaulted and pruned, with whatever managedFields the client sent. */
  readonly after: KubeObject
  /** `fieldManager`, or the User-Agent up to the first `/`. */
  readonly manager: string
  readonly apiVersion: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly subresource?: string | undefined
  readonly shape: Shape
}

/**
 * The `managedFields` after a create, update or patch: the manager owns what it changed, the others lose what was
 * changed or removed. Returns the stored list itself when nothing changed, undefined when nobody owns anything
 * (tracking was reset and starts again with the next apply). Cheap when `after` shares sub-trees with `before`.
 */
export function trackUpdate(update: UpdateToTrack): ManagedFieldsEntry[] | undefined {
  const { before, after, manager, apiVersion, subresource, shape, now } = update
  const stored = before?.metadata.managedFields
  const base = startingPoint(update)
  if (before && base.length === 0) return undefined
  const change = compare(before ?? emptyObject(after), after, shape)
  const writer: Writer = { manager, operation: 'Update', apiVersion, subresource }
  const managers = change ? afterChange(base, writer, change, now) : base
  const kept = managers === stored ? managers : keptIfSame(stored, ordered(capped(managers)))
  return kept.length === 0 ? undefined : (kept as ManagedFieldsEntry[])
}

/** What a new object starts from: `metadata` is there, so that it belongs to nobody. */
export function emptyObject(like: { readonly apiVersion: string; readonly kind: string }): KubeObject {
  const bare: JsonObject = { apiVersion: like.apiVersion, kind: like.kind, metadata: {} }
  return bare as KubeObject
}

function afterChange(base: Managers, writer: Writer, change: Change, now: number): Managers {
  const taken = change.taken ?? none
  const isOwn = (entry: ManagedFieldsEntry) => isEntryOf(entry, writer)
  const mine = base.find(isOwn)
  const others = disown(
    base.filter(entry => !isOwn(entry)),
    touched(change),
  )
  const fields = union(difference(mine ? fieldsOfEntry(mine) : none, change.lost ?? none), taken)
  if (isBare(fields)) return others
  // Taking something renews the time; losing something does not.
  if (mine && isBare(taken)) return [...others, { ...mine, fieldsV1: fields }]
  return [...others, newEntry(writer, fields, now)]
}

/** The entries to go on from: those the client sent in the body if it sent usable ones, else the stored ones. */
function startingPoint({ before, after, subresource }: UpdateToTrack): Managers {
  const stored = before?.metadata.managedFields ?? []
  const sent = after.metadata.managedFields
  if (sent === undefined || sent === before?.metadata.managedFields || subresource) return stored
  if (isReset(sent)) return []
  const parsed = parseManagers(sent)
  return parsed?.length ? (sameJson([...stored], [...parsed]) ? stored : parsed) : stored
}

/** `managedFields: [{}]` asks to forget all owners; `[]` and absence do not. */
function isReset(sent: readonly ManagedFieldsEntry[]): boolean {
  const [only] = sent
  return sent.length === 1 && isObject(only) && Object.keys(only).length === 0
}
