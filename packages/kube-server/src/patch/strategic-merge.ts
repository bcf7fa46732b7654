import type { JsonObject } from '../api/object.ts'
import type { Shape } from '../apply/shape.ts'
import { isObject } from './json-value.ts'
import { mergePatch } from './merge-patch.ts'

/** First version: declared lists are merged in the next step. */
export function strategicMergePatch(target: JsonObject, patch: JsonObject, _shape: Shape): JsonObject {
  const result = mergePatch(target, patch)
  return isObject(result) ? result : target
}
