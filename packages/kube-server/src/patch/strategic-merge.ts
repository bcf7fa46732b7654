import type { Json, JsonObject } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import { free, memberShape, type Shape } from '../apply/shape.ts'
import { isObject, own, put, sameJson } from './json-value.ts'
import { arrange, checkOrder, type ListRule, mergeList } from './strategic-list.ts'

const DELETE_FROM = '$deleteFromPrimitiveList/'
const ORDER_OF = '$setElementOrder/'

/**
 * Strategic merge patch: lists that the shape declares as sets or keyed are merged item by item, all else as in a JSON
 * merge patch. Understands the directives `$patch`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`.
 * Throws StatusError 400 for directives that make no sense. Never changes its inputs; unchanged sub-trees are shared,
 * and `target` itself is returned when nothing changes.
 */
export function strategicMergePatch(target: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  const directive = own(patch, '$patch')
  if (directive === 'delete') return Object.keys(target).length === 0 ? target : {}
  if (directive === 'replace') return replaced(target, cleanObject(patch))
  if (directive !== undefined && directive !== 'merge') throw badRequest(`unknown patch type: ${String(directive)}`)
  const base = retained(target, patch)
  let changed: JsonObject | undefined
  for (const [key, edit] of edits(patch)) {
    const current = own(base, key)
    const value = mergeField(current, edit, memberShape(shape, key) ?? free)
    if (value === current) continue
    changed ??= { ...base }
    if (value === undefined) delete changed[key]
    else put(changed, key, value)
  }
  return changed ?? base
}

const replaced = (target: JsonObject, by: JsonObject): JsonObject => (sameJson(target, by) ? target : by)

/** All that a patch says about one member. */
interface Edit {
  value?: Json
  order?: Json
  deleted?: Json
}

function edits(patch: JsonObject): ReadonlyMap<string, Edit> {
  const found = new Map<string, Edit>()
  const about = (key: string): Edit => {
    const edit = found.get(key) ?? {}
    found.set(key, edit)
    return edit
  }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === undefined || key === '$patch' || key === '$retainKeys') continue
    if (key.startsWith(DELETE_FROM)) about(key.slice(DELETE_FROM.length)).deleted = value
    else if (key.startsWith(ORDER_OF)) about(key.slice(ORDER_OF.length)).order = value
    else about(key).value = value
  }
  return found
}

/** `$retainKeys` lists the only members that stay; what the patch sets must be among them. */
function retained(target: JsonObject, patch: JsonObject): JsonObject {
  const directive = own(patch, '$retainKeys')
  if (directive === undefined) return target
  if (!Array.isArray(directive)) throw badRequest('invalid patch format of retainKeys')
  const keys = new Set(directive)
  for (const [key, edit] of edits(patch))
    if (edit.value !== undefined && edit.value !== null && !keys.has(key))
      throw badRequest('invalid patch format of retainKeys')
  const kept = Object.entries(target).filter(([key]) => keys.has(key))
  return kept.length === Object.keys(target).length ? target : Object.fromEntries(kept)
}

/** Undefined when the member goes, or stays absent. */
function mergeField(current: Json | undefined, edit: Edit, shape: Shape): Json | undefined {
  if (edit.value === null) return undefined
  const merged = edit.order === undefined ? mergeValue(current, edit.value, shape) : mergeOrdered(current, edit, shape)
  return edit.deleted === undefined ? merged : withoutScalars(merged, edit.deleted)
}

function mergeValue(current: Json | undefined, wanted: Json | undefined, shape: Shape): Json | undefined {
  if (wanted === undefined) return current
  if (isObject(current) && isObject(wanted)) return strategicMergePatch(current, wanted, shape)
  if (Array.isArray(current) && Array.isArray(wanted) && isMerged(shape))
    return mergeList(current, wanted, listRule(shape))
  const value = cleanValue(wanted)
  return value !== undefined && sameJson(current, value) ? current : value
}

function mergeOrdered(current: Json | undefined, edit: Edit, shape: Shape): Json | undefined {
  const { order, value } = edit
  const hasOnlyLists = [current, value].every(side => side === undefined || Array.isArray(side))
  if (!Array.isArray(order) || !hasOnlyLists) throw badRequest('invalid patch format of setElementOrder list')
  const { key } = listRule(shape)
  if (Array.isArray(value)) checkOrder(value, order, key)
  const merged = mergeValue(current, value, shape)
  return Array.isArray(merged) ? arrange(merged, order, Array.isArray(current) ? current : [], key) : merged
}

function withoutScalars(list: Json | undefined, deleted: Json): Json | undefined {
  if (!Array.isArray(deleted)) throw badRequest('invalid patch format of primitive list')
  if (!Array.isArray(list)) return list
  const gone = new Set(deleted)
  const kept = list.filter(item => !gone.has(item))
  return kept.length === list.length ? list : kept
}

function isMerged(shape: Shape): boolean {
  return shape.type === 'set' || (shape.type === 'keyed' && !shape.isPatchedWhole)
}

function listRule(shape: Shape): ListRule {
  const items = shape.type === 'keyed' ? shape.items : free
  return {
    key: shape.type === 'keyed' ? shape.keys[0] : undefined,
    mergeItem: (current, patch) => strategicMergePatch(current, patch, items),
    clean: item => cleanValue(item) ?? {},
  }
}

/** A new value without nulls and directives; undefined when it is itself only a directive. */
function cleanValue(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(cleanValue).filter(item => item !== undefined)
  if (!isObject(value)) return value
  return own(value, '$patch') === undefined || own(value, '$patch') === 'merge' ? cleanObject(value) : undefined
}

function cleanObject(object: JsonObject): JsonObject {
  const isDirective = (key: string) =>
    key === '$patch' || key === '$retainKeys' || key.startsWith(DELETE_FROM) || key.startsWith(ORDER_OF)
  const kept: [string, Json][] = []
  for (const [key, member] of Object.entries(object)) {
    if (member === undefined || member === null || isDirective(key)) continue
    const value = cleanValue(member)
    if (value !== undefined) kept.push([key, value])
  }
  return Object.fromEntries(kept)
}
