type Value = unknown
type Members = Readonly<Record<string, Value>>

const isMembers = (value: Value): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** Whether two JSON values are equal; a member that is undefined counts as absent. */
export function isEqualJson(a: Value, b: Value): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, index) => isEqualJson(value, b[index]))
  if (!isMembers(a) || !isMembers(b)) return false
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(key => isEqualJson(a[key], b[key]))
}

/**
 * The JSON merge patch (RFC 7396) that turns `before` into `after`; undefined when they are equal. Throws a TypeError
 * when `after` holds a null: a merge patch would remove the member instead of setting it.
 */
export function mergeDiff(before: Members, after: Members): Record<string, Value> | undefined {
  const patch: Record<string, Value> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [from, to] = [before[key], after[key]]
    if (isEqualJson(from, to)) continue
    if (to === undefined) patch[key] = null
    else patch[key] = isMembers(to) ? (mergeDiff(isMembers(from) ? from : {}, to) ?? {}) : present(to, key)
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

function present(value: Value, key: string): Value {
  if (value === null) throw new TypeError(`member ${key} is null: a merge patch cannot express that`)
  return value
}
