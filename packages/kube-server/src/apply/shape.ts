/**
 * The structure of a kind as merging and field ownership see it: which maps and lists are taken apart, and by which
 * keys. Values are not validated here.
 */
import type { Json } from '../api/object.ts'

/** A scalar, or an atomic map or list: owned and replaced as a whole. */
export interface LeafShape {
  readonly type: 'leaf'
  /** What is declared inside an atomic map, or inside each item of an atomic list; only to find undeclared members. */
  readonly inside?: Shape
}

/**
 * No members are listed: objects are taken apart per key, everything else is one leaf. `isStruct` says that each object
 * below is one with declared members (parts of built-in kinds), and not a map with free keys.
 */
export interface FreeShape {
  readonly type: 'free'
  readonly isStruct: boolean
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

/** A list of objects told apart by some of their members. */
export interface KeyedListShape {
  readonly type: 'keyed'
  /** The first one is also the key of strategic merge patches. */
  readonly keys: readonly string[]
  /** What a missing key member stands for, e.g. protocol: TCP. */
  readonly defaults: ReadonlyMap<string, Json>
  readonly items: Shape
  /** Strategic merge patches replace the list, though apply merges it. */
  readonly isPatchedWhole?: boolean
}

export type Shape = LeafShape | FreeShape | UntrackedShape | MapShape | SetShape | KeyedListShape

export const leaf: LeafShape = Object.freeze({ type: 'leaf' })
export const free: FreeShape = Object.freeze({ type: 'free', isStruct: false })
export const struct: FreeShape = Object.freeze({ type: 'free', isStruct: true })
export const untracked: UntrackedShape = Object.freeze({ type: 'untracked' })
export const set: SetShape = Object.freeze({ type: 'set' })

/** An object with named members; other members are undeclared. */
export function closed(fields: { readonly [name: string]: Shape }): MapShape {
  return { type: 'map', fields: new Map(Object.entries(fields)) }
}

/** An object of a built-in kind: the members that are named here, and others that need no word. */
export function open(fields: { readonly [name: string]: Shape }): MapShape {
  return { type: 'map', fields: new Map(Object.entries(fields)), rest: struct }
}

/** A map from arbitrary keys to values of one shape. */
export function mapOf(rest: Shape): MapShape {
  return { type: 'map', fields: new Map(), rest }
}

/** A list whose items are told apart by `keys`. */
export function keyed(
  keys: readonly string[],
  items: Shape = struct,
  defaults: { readonly [key: string]: Json } = {},
): KeyedListShape {
  return { type: 'keyed', keys, items, defaults: new Map(Object.entries(defaults)) }
}

/** The shape of member `key` under `shape`; undefined when the schema does not declare it. */
export function memberShape(shape: Shape, key: string): Shape | undefined {
  if (shape.type === 'map') return shape.fields.get(key) ?? shape.rest
  return shape.type === 'free' ? shape : undefined
}

/** Is `key` a declared member, and not a key of a map? Declared containers belong to nobody in an apply. */
export function isDeclared(shape: MapShape | FreeShape, key: string): boolean {
  if (shape.type === 'free') return shape.isStruct
  return shape.fields.has(key) || (shape.rest?.type === 'free' && shape.rest.isStruct)
}
