/** `x-kubernetes-list-type`: items of a set and keys of a map occur once. */
import type { Json } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { isObject, own } from '../patch/json-value.ts'
import { duplicate, invalid } from './causes.ts'
import type { PathPart } from './field-path.ts'
import type { SchemaNode } from './schema-node.ts'

/** Duplicates anywhere in the value. */
export function listTypeCauses(root: SchemaNode, value: Json): Cause[] {
  const causes: Cause[] = []
  walk(root, value, [], causes)
  return causes
}

function walk(node: SchemaNode, value: Json, path: PathPart[], causes: Cause[]): void {
  if (!node.below.lists) return
  if (Array.isArray(value)) {
    if (node.listType === 'set') checkSet(value, path, causes)
    else if (node.listType === 'map') checkMap(node.mapKeys, value, path, causes)
    if (!node.items?.below.lists) return
    for (const [i, item] of value.entries()) descend(node.items, item, i, path, causes)
  } else if (isObject(value)) {
    const { additional, properties } = node
    for (const key of Object.keys(value)) {
      const member = value[key]
      const child = properties.get(key)
      if (member === undefined) continue
      if (child) descend(child, member, key, path, causes)
      else if (typeof additional === 'object') descend(additional, member, { key }, path, causes)
    }
  }
}

function descend(node: SchemaNode, value: Json, part: PathPart, path: PathPart[], causes: Cause[]): void {
  path.push(part)
  walk(node, value, path, causes)
  path.pop()
}

function checkSet(list: readonly Json[], path: readonly PathPart[], causes: Cause[]): void {
  if (areUnlike(list)) return
  for (const i of secondOccurrences(list.map(identity))) causes.push(duplicate([...path, i], list[i] ?? null))
}

function checkMap(mapKeys: readonly string[], list: readonly Json[], path: readonly PathPart[], causes: Cause[]): void {
  const [onlyKey] = mapKeys
  if (
    mapKeys.length === 1 &&
    onlyKey !== undefined &&
    areUnlike(list.map(item => (isObject(item) ? own(item, onlyKey) : undefined)))
  )
    return
  const stray = list.findIndex(item => item !== null && !isObject(item))
  if (stray >= 0) {
    causes.push(invalid([...path, stray], list[stray] ?? null, 'must be an object for an array of list-type map'))
    return
  }
  const keys = list.map(item => keyObject(mapKeys, item))
  for (const i of secondOccurrences(keys.map(identity))) causes.push(duplicate([...path, i], keys[i] ?? null))
}

/** True when all are scalars, and no two are equal: the usual case, found out without naming anything. */
function areUnlike(values: readonly (Json | undefined)[]): boolean {
  return (
    values.every(value => typeof value !== 'object' && value !== undefined) && new Set(values).size === values.length
  )
}

function keyObject(mapKeys: readonly string[], item: Json): Json {
  if (!isObject(item)) return {}
  return Object.fromEntries(
    mapKeys.flatMap(key => {
      const value = own(item, key)
      return value === undefined ? [] : [[key, value]]
    }),
  )
}

/** Indexes of the second of each group of equals; a third is not reported again. */
function secondOccurrences(identities: readonly (string | undefined)[]): number[] {
  const seen = new Map<string, number>()
  const found: number[] = []
  for (const [i, one] of identities.entries()) {
    if (one === undefined) continue
    const times = seen.get(one) ?? 0
    seen.set(one, times + 1)
    if (times === 1) found.push(i)
  }
  return found
}

/** Deeper items count as unlike all others: hostile nesting must not exhaust the stack. */
const maxIdentityDepth = 100

/** Text that is equal for equal values, whatever the order of their members. */
function identity(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts: string[] = []
  return appendIdentity(value, parts, 0) ? parts.join('') : undefined
}

function appendIdentity(value: Json | undefined, parts: string[], depth: number): boolean {
  if (typeof value !== 'object' || value === null) {
    parts.push(JSON.stringify(value ?? null))
    return true
  }
  if (depth > maxIdentityDepth) return false
  if (Array.isArray(value)) {
    parts.push('[')
    for (const item of value) {
      if (!appendIdentity(item, parts, depth + 1)) return false
      parts.push(',')
    }
    parts.push(']')
    return true
  }
  parts.push('{')
  for (const key of Object.keys(value).sort()) {
    parts.push(JSON.stringify(key), ':')
    if (!appendIdentity(value[key], parts, depth + 1)) return false
    parts.push(',')
  }
  parts.push('}')
  return true
}
