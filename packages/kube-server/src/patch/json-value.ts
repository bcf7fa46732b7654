import type { Json, JsonObject } from '../api/object.ts'

/** True for a JSON object: neither null nor a list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object's own member, so that `__proto__` and `constructor` are absent unless the document really has them. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Sets a member of an object that was just made. A plain assignment of `__proto__` would change the prototype. */
export function put(fresh: JsonObject, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(fresh, key, { value, enumerable: true, configurable: true, writable: true })
  else fresh[key] = value
}

/** Structural equality; shared sub-trees are equal at once, the order of members does not matter. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => sameJson(item, right[index]))
  }
  if (Array.isArray(right)) return false
  return sameMembers(left, right)
}

function sameMembers(left: JsonObject, right: JsonObject): boolean {
  let surplus = Object.keys(right).length
  for (const key of Object.keys(left)) {
    if (!Object.hasOwn(right, key) || !sameJson(left[key], right[key])) return false
    surplus--
  }
  return surplus === 0
}
