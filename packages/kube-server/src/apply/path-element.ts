import type { Json } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import type { KeyedListShape, SetShape } from './shape.ts'

/** The path element of a member of an object. */
export const fieldElement = (name: string): string => `f:${name}`

/**
 * The path element of an item of a set or keyed list; undefined when the item lacks its keys or is of the wrong type,
 * so that the list cannot be taken apart.
 */
export function itemElement(shape: SetShape | KeyedListShape, item: Json): string | undefined {
  if (shape.type === 'set') return typeof item === 'object' ? undefined : `v:${JSON.stringify(item)}`
  if (!isObject(item)) return undefined
  const parts: string[] = []
  for (const key of [...shape.keys].sort()) {
    const value = own(item, key) ?? shape.defaults.get(key)
    if (value === undefined) return undefined
    parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`)
  }
  return `k:{${parts.join(',')}}`
}

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
