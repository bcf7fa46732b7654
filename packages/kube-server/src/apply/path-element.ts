import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import type { KeyedListShape, SetShape } from './shape.ts'

/** The path element of a member of an object. */
export const fieldElement = (name: string): string => `f:${name}`

/**
 * The path element of an item of a set or keyed list; undefined when the item lacks its keys or is of the wrong type,
 * so that the list cannot be taken apart.
 */
export function itemElement(shape: SetShape | KeyedListShape, item: Json): string | undefined {
  if (shape.type === 'set') return typeof item === 'object' ? undefined : `v:${quoted(item)}`
  if (!isObject(item)) return undefined
  const [first] = shape.keys
  if (shape.keys.length === 1 && first !== undefined) {
    const part = keyPart(shape, item, first)
    return part && `k:{${part}}`
  }
  const parts: string[] = []
  for (const key of [...shape.keys].sort()) {
    const part = keyPart(shape, item, key)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return `k:{${parts.join(',')}}`
}

function keyPart(shape: KeyedListShape, item: JsonObject, key: string): string | undefined {
  const value = own(item, key) ?? shape.defaults.get(key)
  return value === undefined ? undefined : `${quoted(key)}:${quoted(value)}`
}

const PLAIN = /^[\w./ -]*$/

/** As JSON; names need no escaping nearly always, and elements are made often. */
const quoted = (value: Json): string =>
  typeof value === 'string' && PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)

/** How people read a path: `.spec.parts[name="a"].qty`, `.metadata.finalizers[="x"]`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('')
}

/** One element of a path as people read it. */
export function elementText(element: string): string {
  const body = element.slice(2)
  if (element.startsWith('f:')) return `.${body}`
  if (element.startsWith('v:')) return `[=${body}]`
  if (element.startsWith('i:')) return `[${body}]`
  const key: Json = JSON.parse(body)
  if (!isObject(key)) return `[${body}]`
  return `[${Object.entries(key)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}]`
}
