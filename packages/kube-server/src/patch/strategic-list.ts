import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { isObject, own, sameJson } from './json-value.ts'

/** How one list of a kind is merged by strategic patches: items by `key`, or scalars as a set when there is none. */
export interface ListRule {
  readonly key: string | undefined
  readonly mergeItem: (current: JsonObject, patch: JsonObject) => Json
  /** Takes the directives out of an item that is new. */
  readonly clean: (item: Json) => Json
}

/**
 * `current` with the items of `patch` merged in, in the order of the real server: items of the patch keep the patch's
 * order, others theirs, and new items come before those they cannot be compared with. Throws StatusError 400.
 */
export function mergeList(current: Json[], patch: readonly Json[], rule: ListRule): Json[] {
  if ([...current, ...patch].some(Array.isArray))
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
  if (!current.some(isObject) && !patch.some(isObject)) return arrange(union(current, patch), patch, current, undefined)
  const { key } = rule
  if (key === undefined) throw badRequest('cannot merge lists without merge key')
  const edits = itemEdits(patch, key)
  const kept = edits.isReplacement ? [] : without(current, edits.deleted, key)
  const merged = new Map(kept.map(item => [identity(item, key), item]))
  for (const edit of edits.items) {
    const id = identity(edit, key)
    const old = merged.get(id)
    merged.set(id, isObject(old) ? rule.mergeItem(old, edit) : rule.clean(edit))
  }
  return arrange([...merged.values()], edits.items, kept, key)
}

function without(list: Json[], gone: ReadonlySet<string>, key: string): Json[] {
  const kept = list.filter(item => !gone.has(identity(item, key)))
  return kept.length === list.length ? list : kept
}

interface ItemEdits {
  readonly items: readonly JsonObject[]
  /** Identities of the items to go. */
  readonly deleted: ReadonlySet<string>
  readonly isReplacement: boolean
}

/** Sorts the items of a patch list by their `$patch` directive. */
function itemEdits(patch: readonly Json[], key: string): ItemEdits {
  const items: JsonObject[] = []
  const deleted = new Set<string>()
  let isReplacement = false
  for (const item of patch) {
    if (!isObject(item)) throw badRequest('expected a map, but received another type in a list patch')
    const directive = own(item, '$patch')
    if (directive === undefined || directive === 'merge') items.push(item)
    else if (directive === 'delete') deleted.add(identity(item, key))
    else if (directive === 'replace') isReplacement = true
    else throw badRequest(`unknown patch type: ${String(directive)} in list`)
  }
  return { items, deleted, isReplacement }
}

/**
 * Puts the items named in `order` into that order and weaves the others in as they stood in `server`. Returns `server`
 * itself when it is the same list.
 */
export function arrange(
  items: readonly Json[],
  order: readonly Json[],
  server: Json[],
  key: string | undefined,
): Json[] {
  const wanted = positions(order, key)
  const stood = positions(server, key)
  const at = (index: ReadonlyMap<string, number>, item: Json | undefined) =>
    item === undefined ? undefined : index.get(identity(item, key))
  const named = items
    .filter(item => at(wanted, item) !== undefined)
    .toSorted((left, right) => (at(wanted, left) ?? 0) - (at(wanted, right) ?? 0))
  const others = items.filter(item => at(wanted, item) === undefined)
  const woven: Json[] = []
  let next = 0
  for (const item of others) {
    const mine = at(stood, item)
    for (; next < named.length; next++) {
      const theirs = at(stood, named[next])
      if (mine !== undefined && theirs !== undefined && mine < theirs) break
      woven.push(...named.slice(next, next + 1))
    }
    woven.push(item)
  }
  woven.push(...named.slice(next))
  const isSame = woven.length === server.length && woven.every((item, position) => sameJson(item, server[position]))
  return isSame ? server : woven
}

/** Throws StatusError 400 when the patch list and its `$setElementOrder` contradict each other. */
export function checkOrder(patch: readonly Json[], order: readonly Json[], key: string | undefined): void {
  if (order.length === 0) return
  const named = patch.filter(item => !isObject(item) || own(item, '$patch') === undefined)
  let next = 0
  for (const item of order) {
    const candidate = named[next]
    if (candidate !== undefined && identity(candidate, key) === identity(item, key)) next++
  }
  if (next < named.length) throw badRequest(`The order in patch list doesn't match $setElementOrder list`)
}

function positions(list: readonly Json[], key: string | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [position, item] of list.entries()) {
    const id = identity(item, key)
    if (!found.has(id)) found.set(id, position)
  }
  return found
}

function identity(item: Json, key: string | undefined): string {
  if (!isObject(item) || key === undefined) return JSON.stringify(item)
  const value = own(item, key)
  if (value === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
  return JSON.stringify(value)
}

/** Scalars of both lists, each once. */
function union(left: readonly Json[], right: readonly Json[]): Json[] {
  return [...new Set([...left, ...right])]
}
