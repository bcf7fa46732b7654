import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own, put, sameJson } from './json-value.ts'

/**
 * JSON merge patch (RFC 7396). Inputs are never changed; unchanged sub-trees are shared with `target`, and `target`
 * itself is returned when the patch changes nothing.
 */
export function mergePatch(target: Json, patch: Json): Json {
  return merged(target, patch)
}

function merged(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return target !== undefined && sameJson(target, patch) ? target : patch
  const base = isObject(target) ? target : {}
  let changed: JsonObject | undefined
  for (const key of Object.keys(patch)) {
    const wanted = patch[key]
    const current = own(base, key)
    if (wanted === null || wanted === undefined) {
      if (!Object.hasOwn(base, key)) continue
      changed ??= { ...base }
      delete changed[key]
      continue
    }
    const value = merged(current, wanted)
    if (value === current) continue
    changed ??= { ...base }
    put(changed, key, value)
  }
  return changed ?? base
}
