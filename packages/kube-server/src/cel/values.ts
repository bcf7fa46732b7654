/** Values as rules see them, and how they compare. */
import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import type { Meter } from './meter.ts'

/** Marks a list whose items are told apart by some of their members; the keys are as rules spell them. */
const mapKeysOf = Symbol('map keys')

interface KeyedList extends Array<unknown> {
  [mapKeysOf]?: readonly string[]
}

export function markKeyedList(list: unknown[], mapKeys: readonly string[]): unknown[] {
  Object.defineProperty(list, mapKeysOf, { value: mapKeys })
  return list
}

export const listKeys = (list: unknown): readonly string[] | undefined =>
  Array.isArray(list) ? (list as KeyedList)[mapKeysOf] : undefined

/** Values that compare by a text of their own: addresses, quantities … */
export interface Comparable {
  equals(other: unknown): boolean
}

/** An object with declared fields. `declared` are the names that have a value, as rules spell them. */
export interface Fielded {
  readonly declared: readonly string[]
  get(name: string): unknown
}

export const isList = (value: unknown): value is unknown[] | Set<unknown> =>
  Array.isArray(value) || value instanceof Set
export const itemsOf = (list: unknown[] | Set<unknown>): unknown[] => (Array.isArray(list) ? list : [...list])
export const sizeOf = (list: unknown[] | Set<unknown>): number => (Array.isArray(list) ? list.length : list.size)

const isFielded = (value: object): value is Fielded => 'declared' in value
const isComparable = (value: object): value is Comparable => 'equals' in value

/** Equality of CEL: numbers by value across types, sets and keyed lists without order. Charges for each comparison. */
export function sameValue(left: unknown, right: unknown, meter: Meter): boolean {
  meter.charge(1)
  if (left === right) return true
  if (isNumeric(left)) return isNumeric(right) && compareNumbers(left, right) === 0
  if (typeof left === 'string') {
    meter.charge(left.length / 10)
    return false
  }
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return false
  if (isList(left)) return isList(right) && sameList(left, right, meter)
  return sameObject(left, right, meter)
}

function sameList(left: unknown[] | Set<unknown>, right: unknown[] | Set<unknown>, meter: Meter): boolean {
  if (sizeOf(left) !== sizeOf(right)) return false
  if (left instanceof Set || right instanceof Set) {
    meter.charge(sizeOf(left))
    const [set, other] = left instanceof Set ? [left, right] : [new Set(right), left]
    return itemsOf(other).every(item => set.has(item))
  }
  const keys = listKeys(left) ?? listKeys(right)
  if (keys) return sameKeyedList(left, right, keys, meter)
  return left.every((item, i) => sameValue(item, right[i], meter))
}

function sameKeyedList(left: unknown[], right: unknown[], keys: readonly string[], meter: Meter): boolean {
  meter.charge(5 * left.length)
  const byKey = new Map(right.map(item => [keyOfItem(item, keys), item]))
  return left.every(item => {
    const key = keyOfItem(item, keys)
    return byKey.has(key) && sameValue(item, byKey.get(key), meter)
  })
}

/** Text that is equal for items with equal keys. */
export function keyOfItem(item: unknown, keys: readonly string[]): string {
  const member = (key: string) => (item instanceof Map ? item.get(key) : undefined)
  return keys.map(key => `${typeof member(key)}:${member(key)}`).join('\u0000')
}

function sameObject(left: object, right: object, meter: Meter): boolean {
  if (left instanceof Optional) return right instanceof Optional && sameOptional(left, right, meter)
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime()
  if (left instanceof Duration)
    return right instanceof Duration && left.seconds === right.seconds && left.nanos === right.nanos
  if (left instanceof Uint8Array) {
    meter.charge(left.length / 10)
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0
  }
  if (isComparable(left)) return left.equals(right)
  const [a, b] = [membersOf(left), membersOf(right)]
  if (!a || !b || a.keys.length !== b.keys.length) return false
  const present = new Set(b.keys)
  return a.keys.every(key => present.has(key) && sameValue(a.get(key), b.get(key), meter))
}

function sameOptional(left: Optional, right: Optional, meter: Meter): boolean {
  if (!left.hasValue() || !right.hasValue()) return left.hasValue() === right.hasValue()
  return sameValue(left.value(), right.value(), meter)
}

interface Members {
  readonly keys: readonly unknown[]
  get(key: unknown): unknown
}

/** Members of a map, of an object with fields, or of a map literal; undefined for anything else. */
function membersOf(value: object): Members | undefined {
  if (isFielded(value)) return { keys: value.declared, get: key => value.get(String(key)) }
  if (value instanceof Map) return { keys: [...value.keys()], get: key => value.get(key) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return undefined
  const plain = value as { readonly [key: string]: unknown }
  return { keys: Object.keys(plain), get: key => plain[String(key)] }
}

type Numeric = number | bigint | UnsignedInt

const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof UnsignedInt

/** Negative, zero or positive; NaN for what has no order. Exact between integers and doubles. */
export function compareNumbers(left: Numeric, right: Numeric): number {
  const a = left instanceof UnsignedInt ? left.value : left
  const b = right instanceof UnsignedInt ? right.value : right
  if (a < b) return -1
  if (a > b) return 1
  return a >= b ? 0 : Number.NaN
}

/** `value in collection`. */
export function contains(collection: unknown, value: unknown, meter: Meter): boolean {
  if (collection instanceof Set) {
    meter.charge(1)
    return collection.has(value)
  }
  if (Array.isArray(collection)) return collection.some(item => sameValue(item, value, meter))
  meter.charge(1)
  const members = typeof collection === 'object' && collection !== null ? membersOf(collection) : undefined
  return members?.get(value) !== undefined
}

/** `left + right` of lists: a union for sets and keyed lists, in the order of the left one. */
export function joinLists(left: unknown[] | Set<unknown>, right: unknown[] | Set<unknown>, meter: Meter): unknown {
  meter.chargeList(sizeOf(left) + sizeOf(right))
  if (left instanceof Set) return new Set([...left, ...right])
  const keys = listKeys(left)
  if (!keys) return [...left, ...right]
  meter.charge(5 * (left.length + sizeOf(right)))
  const merged = new Map(left.map(item => [keyOfItem(item, keys), item]))
  for (const item of right) merged.set(keyOfItem(item, keys), item)
  return markKeyedList([...merged.values()], keys)
}
