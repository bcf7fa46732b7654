/**
 * The structure of a kind as merging and field ownership see it: which maps and lists are taken apart, and by which
 * keys. Values are not validated here.
 */
import type { Json } from '../api/object.ts'

/** A scalar, or an atomic map or list: owned and replaced as a whole. */
export interface LeafShape {
  readonly type: 'leaf'
}

/** Nothing is declared: objects are taken apart per key, everything else is one leaf. */
export interface AnyShape {
  readonly type: 'any'
}

/** Written by the server only; never owned by anybody, never taken from an apply body once set. */
export interface UntrackedShape {
  readonly type: 'untracked'
}

/** An object taken apart per key. `rest` is the shape of members that are not named; without it they are undeclared. */
export interface MapShape {
  readonly type: 'map'
  readonly fields: ReadonlyMap<string, Shape>
  readonly rest?: Shape
}

/** A list of scalars in which each value occurs once. */
export interface SetShape {
  readonly type: 'set'
}

/** A list of objects told apart by some of their members. The first key is also the strategic merge key. */
export interface KeyedListShape {
  readonly type: 'keyed'
  readonly keys: readonly string[]
  /** What a missing key member stands for, e.g. protocol: TCP. */
  readonly defaults: ReadonlyMap<string, Json>
  readonly items: Shape
}

export type Shape = LeafShape | AnyShape | UntrackedShape | MapShape | SetShape | KeyedListShape

export const leaf: LeafShape = Object.freeze({ type: 'leaf' })
export const any: AnyShape = Object.freeze({ type: 'any' })
export const untracked: UntrackedShape = Object.freeze({ type: 'untracked' })
export const set: SetShape = Object.freeze({ type: 'set' })

/** An object with named members; other members are undeclared. */
export function closed(fields: { readonly [name: string]: Shape }): MapShape {
  return { type: 'map', fields: new Map(Object.entries(fields)) }
}

/** An object with some named members and any others. */
export function open(fields: { readonly [name: string]: Shape }, rest: Shape = any): MapShape {
  return { type: 'map', fields: new Map(Object.entries(fields)), rest }
}

/** A map from arbitrary keys to values of one shape. */
export function mapOf(rest: Shape): MapShape {
  return { type: 'map', fields: new Map(), rest }
}

/** A list whose items are told apart by `keys`. */
export function keyed(
  keys: readonly string[],
  items: Shape = any,
  defaults: { [key: string]: Json } = {},
): KeyedListShape {
  return { type: 'keyed', keys, items, defaults: new Map(Object.entries(defaults)) }
}

/** The shape of member `key` under `shape`; undefined when the schema does not declare it. */
export function memberShape(shape: Shape, key: string): Shape | undefined {
  if (shape.type === 'map') return shape.fields.get(key) ?? shape.rest
  return shape.type === 'any' ? any : undefined
}
