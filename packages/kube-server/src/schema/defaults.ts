import type { Json, JsonObject } from '../api/object.ts'
import { isObject, put } from '../patch/json-value.ts'
import type { SchemaNode } from './schema-node.ts'

/**
 * Fills in defaults, also inside defaulted values and list items. A null that is not allowed gives way to the default,
 * or is dropped when there is none; in a list it stays, for the validation to refuse.
 */
export function fillDefaults(node: SchemaNode, value: Json | undefined): void {
  if (Array.isArray(value)) fillList(node, value)
  else if (isObject(value)) fillObject(node, value)
}

function fillObject(node: SchemaNode, object: JsonObject): void {
  for (const [name, value] of node.defaulted) if (!Object.hasOwn(object, name)) put(object, name, copyJson(value))
  if (node.properties.size === 0 && typeof node.additional !== 'object') return
  for (const key of Object.keys(object)) {
    const child = node.properties.get(key) ?? (typeof node.additional === 'object' ? node.additional : undefined)
    if (!child) continue
    if (object[key] === null && !child.nullable) {
      if (child.defaultValue === undefined) {
        delete object[key]
        continue
      }
      put(object, key, copyJson(child.defaultValue))
    }
    const value = object[key]
    if (typeof value === 'object' && value !== null) fillDefaults(child, value)
  }
}

function fillList(node: SchemaNode, list: Json[]): void {
  const child = node.items
  if (!child) return
  for (let i = 0; i < list.length; i++) {
    if (list[i] === null && !child.nullable && child.defaultValue !== undefined) list[i] = copyJson(child.defaultValue)
    const item = list[i]
    if (typeof item === 'object' && item !== null) fillDefaults(child, item)
  }
}

/** Defaults are shared by all objects of a kind: each gets its own copy. */
export function copyJson(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyJson)
  const made: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member !== undefined) put(made, key, copyJson(member))
  }
  return made
}
