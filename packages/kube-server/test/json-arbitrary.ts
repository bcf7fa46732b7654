/** Documents for the property tests of patches and apply. */
import fc from 'fast-check'
import type { Json, JsonObject } from '../src/api/object.ts'

const hostileKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
const key = fc.constantFrom('a', 'b', 'c', 'd/e', 'f~g', '', ...hostileKeys)
const scalar = fc.constantFrom<Json>('x', 'y', '', 0, 1, -2.5, true, false)

const tree = fc.letrec<{ value: Json; object: JsonObject }>(tie => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('object'), fc.array(tie('value'), { maxLength: 3 })),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 4 })
    .map(members => Object.fromEntries(members) as JsonObject),
}))

/** Any JSON without nulls; objects may have members named like parts of JavaScript's own objects. */
export const anyJson: fc.Arbitrary<Json> = tree.value
export const anyObject: fc.Arbitrary<JsonObject> = tree.object

/** The same as text, nulls included. */
export const hostileText: fc.Arbitrary<string> = fc
  .tuple(anyJson, fc.boolean())
  .map(([value, withNulls]) => (withNulls ? JSON.stringify(value).replaceAll('"y"', 'null') : JSON.stringify(value)))

/** Makes any write to the document throw. */
export function deepFreeze<T extends Json>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) if (member !== undefined && member !== null) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
