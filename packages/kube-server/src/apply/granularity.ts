import type { Json, JsonObject } from '../api/object.ts'
import { isObject } from '../patch/json-value.ts'
import { itemElement } from './path-element.ts'
import { type FreeShape, free, type KeyedListShape, type MapShape, type SetShape, type Shape } from './shape.ts'

/** How one value is taken apart: not at all, per member, or per item. `null` takes whatever form its counterpart has. */
export type Grain =
  | { readonly type: 'leaf' }
  | { readonly type: 'null' }
  | { readonly type: 'map'; readonly value: JsonObject; readonly shape: MapShape | FreeShape }
  | { readonly type: 'list'; readonly value: Json[]; readonly shape: SetShape | KeyedListShape }

const LEAF: Grain = Object.freeze({ type: 'leaf' })
const NULL: Grain = Object.freeze({ type: 'null' })

/** A value whose type does not fit its shape is a leaf: the schema refuses it elsewhere. */
export function grainOf(value: Json, shape: Shape): Grain {
  if (value === null) return NULL
  if (shape.type === 'map' || shape.type === 'free') return isObject(value) ? { type: 'map', value, shape } : LEAF
  if (shape.type === 'set' || shape.type === 'keyed')
    return Array.isArray(value) ? { type: 'list', value, shape } : LEAF
  return LEAF
}

/** The shape of the items of a list. */
export function itemShape(shape: SetShape | KeyedListShape): Shape {
  return shape.type === 'keyed' ? shape.items : free
}

/** Items that share one path element. More than one only in an invalid list. */
export type ItemGroup = readonly [Json, ...Json[]]

/** Items by path element, in the order of first occurrence; undefined when an item has no element. */
export function indexItems(
  shape: SetShape | KeyedListShape,
  list: readonly Json[],
): ReadonlyMap<string, ItemGroup> | undefined {
  const groups = new Map<string, ItemGroup>()
  for (const item of list) {
    const element = itemElement(shape, item)
    if (element === undefined) return undefined
    const group = groups.get(element)
    groups.set(element, group ? [...group, item] : [item])
  }
  return groups
}
