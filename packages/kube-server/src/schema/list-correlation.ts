import type { Json } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'

/** Finds the item with the same map keys. */
export interface ItemsByKey {
  get(item: Json): Json | undefined
}

/** Index of the items of a list map. Items that share their keys are left out: which one is meant is not known. */
export function itemsByKey(mapKeys: readonly string[], list: readonly Json[]): ItemsByKey {
  const index = new Map<string, Json | undefined>()
  for (const item of list) {
    const key = keyOf(mapKeys, item)
    if (key !== undefined) index.set(key, index.has(key) ? undefined : item)
  }
  return {
    get(item) {
      const key = keyOf(mapKeys, item)
      return key === undefined ? undefined : index.get(key)
    },
  }
}

/** Text that is equal for equal keys; undefined when the item has none. */
export function keyOf(mapKeys: readonly string[], item: Json): string | undefined {
  if (!isObject(item)) return undefined
  const values = mapKeys.map(key => own(item, key) ?? null)
  return values.some(value => typeof value === 'object' && value !== null) ? undefined : JSON.stringify(values)
}
