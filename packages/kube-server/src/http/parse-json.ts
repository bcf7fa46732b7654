/**
 * Reads JSON as the API server must: `JSON.parse` for speed, plus what it hides. Duplicate keys are found by comparing
 * the number of keys in the text with the number in the value; only when they differ is the text read a second time,
 * slowly, to name them. `__proto__` is refused, since one careless assignment later it would change a prototype.
 */
import type { Json } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import { findDuplicateKeys } from './duplicate-keys.ts'

export interface Decoded {
  readonly value: Json
  /** Paths of keys that came twice, for instance `spec.size`. The last one counted. */
  readonly duplicates: readonly string[]
}

/** Deeper than any real object, shallow enough for every recursive walk behind it. */
const maxDepth = 200

/** Throws 400 when the text is no JSON. */
export function parseJson(text: string): Decoded {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`json parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
  const keys = countKeys(value, 0)
  const duplicates = keys === countKeysInText(text) ? [] : findDuplicateKeys(text)
  return { value: surrogateEscape.test(text) ? wellFormed(value) : value, duplicates }
}

/** An escape that may be half of a character. */
export const surrogateEscape = /\\u[dD][89a-fA-F]/

/**
 * With half characters replaced, as the real server reads them: disks and sockets speak UTF-8, which does not know them,
 * and two names that differ in memory would be the same there.
 */
export function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(wellFormed)
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member ?? null)]),
  )
}

/** Counts all object keys; refuses what later code could trip over. */
export function countKeys(value: Json | undefined, depth: number): number {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw badRequest('json parse error: a number is out of range')
  if (value === null || typeof value !== 'object') return 0
  if (depth > maxDepth) throw badRequest(`json parse error: nesting exceeds ${maxDepth} levels`)
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item, depth + 1)
    return count
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw badRequest('json parse error: the key "__proto__" is not allowed')
    count += 1 + countKeys(value[key], depth + 1)
  }
  return count
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

/** In valid JSON every colon outside a string follows a key. */
function countKeysInText(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === colon) count++
    else if (code === quote) i = endOfString(text, i)
  }
  return count
}

function endOfString(text: string, start: number): number {
  let i = text.indexOf('"', start + 1)
  while (i > 0 && isEscaped(text, i)) i = text.indexOf('"', i + 1)
  return i < 0 ? text.length : i
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  for (let i = at - 1; text.charCodeAt(i) === backslash; i--) slashes++
  return slashes % 2 === 1
}
