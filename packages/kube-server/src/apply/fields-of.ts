import type { Json, JsonObject } from '../api/object.ts'
import { isObject } from '../patch/json-value.ts'
import { canonical, type FieldSet, none, withMember } from './field-set.ts'
import { grainOf, itemShape } from './granularity.ts'
import { fieldElement, itemElement } from './path-element.ts'
import {
  type FreeShape,
  free,
  isDeclared,
  type KeyedListShape,
  type MapShape,
  memberShape,
  type SetShape,
  type Shape,
} from './shape.ts'

type FieldsOf = (value: Json, shape: Shape) => FieldSet | undefined

/**
 * Every path of `value` with all its containers: what somebody owns who makes the value come into being.
 * Undefined for what is never tracked.
 */
export function everyField(value: Json, shape: Shape): FieldSet | undefined {
  if (shape.type === 'untracked') return undefined
  const grain = grainOf(value, shape)
  if (grain.type === 'leaf' || grain.type === 'null') return none
  const node: { [element: string]: FieldSet } = { '.': none }
  if (grain.type === 'list') {
    const items = itemNodes(grain.value, grain.shape, everyField)
    return items ? canonical({ ...node, ...items }) : none
  }
  for (const [key, member] of members(grain.value)) {
    const child = everyField(member, memberShape(grain.shape, key) ?? free)
    if (child !== undefined) node[fieldElement(key)] = child
  }
  return canonical(node)
}

/**
 * The paths an apply body claims: its leaves, the items of its lists and the keys of its maps, but not the declared
 * containers on the way: several managers apply below `.spec` without owning `.spec`.
 */
export function claimedFields(body: JsonObject, shape: Shape): FieldSet {
  return claimed(body, shape) ?? none
}

/** Undefined when nothing at or below the value is claimed. */
function claimed(value: Json, shape: Shape): FieldSet | undefined {
  if (shape.type === 'untracked') return undefined
  const grain = grainOf(value, shape)
  if (grain.type === 'leaf' || grain.type === 'null') return none
  if (grain.type === 'list') {
    const items = itemNodes(grain.value, grain.shape, claimed)
    return items ? canonical(items) : none
  }
  const node: { [element: string]: FieldSet } = {}
  for (const [key, member] of members(grain.value)) {
    const child = claimedMember(key, member, grain.shape)
    if (child !== undefined) node[fieldElement(key)] = child
  }
  return canonical(node)
}

function claimedMember(key: string, value: Json, parent: MapShape | FreeShape): FieldSet | undefined {
  const shape = memberShape(parent, key) ?? free
  if (shape.type === 'untracked') return undefined
  const child = claimed(value, shape)
  const isEmptyMap = isObject(value) && Object.keys(value).length === 0
  return isDeclared(parent, key) && !isEmptyMap ? child : withMember(child ?? none)
}

function itemNodes(list: readonly Json[], shape: SetShape | KeyedListShape, fieldsOf: FieldsOf): FieldSet | undefined {
  const node: { [element: string]: FieldSet } = {}
  for (const item of list) {
    const element = itemElement(shape, item)
    // A list whose items cannot be told apart is one leaf.
    if (element === undefined) return undefined
    node[element] = withMember(fieldsOf(item, itemShape(shape)) ?? none)
  }
  return node
}

function* members(object: JsonObject): Generator<readonly [string, Json]> {
  for (const key of Object.keys(object)) {
    const value = object[key]
    if (value !== undefined) yield [key, value]
  }
}
