import { rfc3339 } from '@godwit/ports'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import { isObject, own, sameJson } from '../patch/json-value.ts'
import { type Change, compare, touched } from './compare.ts'
import { type Conflict, conflictError } from './conflicts.ts'
import { difference, type FieldSet, intersection, isBare, none, union } from './field-set.ts'
import { claimedFields } from './fields-of.ts'
import { fieldsLastApplied, UPGRADED_MANAGER, withLastApplied } from './last-applied.ts'
import {
  allFields,
  disown,
  fieldsOfEntry,
  isEntryOf,
  keptIfSame,
  type Managers,
  newEntry,
  ordered,
  type Writer,
  withManagers,
} from './managers.ts'
import { mergeApplied } from './merge-applied.ts'
import { removeAbandoned } from './remove-fields.ts'
import type { Shape } from './shape.ts'
import { emptyObject, trackUpdate } from './track-update.ts'

export interface ApplyBody extends JsonObject {
  apiVersion: string
  kind: string
  metadata: JsonObject
}

export interface ApplyRequest {
  /** The stored state; absent when the apply creates the object. */
  readonly live?: KubeObject | undefined
  /** The apply body. Its resourceVersion and uid are preconditions the caller has checked. */
  readonly applied: ApplyBody
  readonly manager: string
  readonly force: boolean
  readonly subresource?: string | undefined
  readonly apiVersion: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly shape: Shape
  /** Top-level members this endpoint does not write, e.g. `status` on the main one. `/status` writes only status. */
  readonly ignored?: readonly string[] | undefined
}

const UNTRACKED_MANAGER = 'before-first-apply'

/**
 * Server-side apply: the live object with the body laid over it and the new managedFields; what the manager applied
 * before, leaves out now and nobody else owns is removed. Returns `live` itself when nothing changes at all. Defaults
 * and validation are the caller's. Throws StatusError 409 with one cause for each contested field unless `force`, and
 * 400 when the body holds managedFields.
 */
export function applyObject(request: ApplyRequest): KubeObject {
  const { applied, manager, apiVersion, subresource, shape } = request
  if (applied.metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil')
  const writer: Writer = { manager, operation: 'Apply', apiVersion, subresource }
  const live = request.live ?? emptyObject(applied)
  const managers = request.live ? trackedManagers(request, request.live) : []
  const body = bodyFor(request)
  const mine = managers.find(entry => isEntryOf(entry, writer))
  const others = managers.filter(entry => entry !== mine)
  const claim = newEntry(writer, claimedFields(body, shape), undefined)

  const merged = mergeApplied(live, body, shape)
  const next = mine ? removeAbandoned(merged, abandoned(mine, [...others, claim]), shape) : merged
  const change = compare(live, next, shape)
  if (change && !request.force) refuseConflicts(others, change, request)

  // Another order of items is a change of the object, though of no tracked field.
  const isSame = sameJson(live, next)
  const time = isSame ? mine?.time : rfc3339(request.now)
  const entry = time === undefined ? claim : { ...claim, time }
  const after = [...(change ? disown(others, touched(change)) : others), entry]
  const owners = after.filter(owner => !isBare(fieldsOfEntry(owner)))
  const object = isObject(next) && !isSame ? (next as KubeObject) : live
  const annotated = manager === UPGRADED_MANAGER ? withLastApplied(object, applied) : object
  return withManagers(annotated, keptIfSame(live.metadata.managedFields, ordered(owners)))
}

/** `metadata` itself belongs to nobody and stays whatever is abandoned below it. */
const alwaysClaimed: FieldSet = { 'f:metadata': none }

const abandoned = (mine: ManagedFieldsEntry, claims: Managers) => ({
  before: fieldsOfEntry(mine),
  claimed: union(allFields(claims), alwaysClaimed),
})

/** The owners of the live object. If nobody tracked it so far, everything in it gets one common owner. */
function trackedManagers(request: ApplyRequest, live: KubeObject): Managers {
  const { apiVersion, now, shape } = request
  if (live.metadata.managedFields?.length) return live.metadata.managedFields
  return trackUpdate({ after: live, manager: UNTRACKED_MANAGER, apiVersion, now, shape }) ?? []
}

/** The members of the body that this endpoint writes. */
function bodyFor({ applied, subresource, ignored }: ApplyRequest): JsonObject {
  if (subresource === 'status') {
    const { apiVersion, kind, metadata, status } = applied
    const { name, namespace } = metadata
    return { apiVersion, kind, metadata: { name, namespace }, ...(status !== undefined && { status }) }
  }
  if (!ignored?.some(member => own(applied, member) !== undefined)) return applied
  return Object.fromEntries(Object.entries(applied).filter(([member]) => !ignored.includes(member)))
}

function refuseConflicts(others: Managers, change: Change, { live, manager, shape }: ApplyRequest): void {
  const taken = change.taken ?? none
  const conflicts = others.map(entry => ({ entry, fields: intersection(fieldsOfEntry(entry), taken) }))
  const contested = conflicts.filter(({ fields }) => !isBare(fields))
  if (contested.length === 0) return
  const allowed = live && manager === UPGRADED_MANAGER ? fieldsLastApplied(live, shape) : none
  const refused: Conflict[] = contested
    .map(({ entry, fields }) => ({ entry, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isBare(fields))
  if (refused.length > 0) throw conflictError(refused)
}
