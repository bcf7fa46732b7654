/** What an attacker makes of good requests: members of wrong types, strange keys, broken text. */
import fc from 'fast-check'
import type { Json, JsonObject } from '../src/api/object.ts'
import { isObject } from '../src/patch/json-value.ts'
import { type Target, targets } from './hostile-targets.ts'

/** Stands for a piece of text that is not the JSON of any value. */
const rawMark = '@raw:'
const rawTexts = [
  '1e400',
  '-1e400',
  '-0',
  '1e-400',
  '123456789012345678901234567890',
  '0.1e1',
  '9007199254740993',
  '"\\ud800"',
  '"\\u0000"',
  '1e400',
  '-1e400',
  '-0',
  '1e-400',
  '123456789012345678901234567890',
  '0.1e1',
  '9007199254740993',
  '"\\ud800"',
  '"\\u0000"',
  '00',
  '+1',
  'NaN',
  'undefined',
  "'x'",
  '1.',
  '.5',
  '0x10',
  '"\t"',
  '/**/1',
]
const strangeKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '',
  '\u0000',
  '$patch',
  '$deleteFromPrimitiveList/x',
  '$setElementOrder/x',
  'metadata',
  'apiVersion',
  'status',
  'x'.repeat(400),
  '\ud800',
  'a.b[0]',
]
const strangeValues: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  'x'.repeat(70_000),
  '\u0000',
  '\ud800',
  'ünïcödé',
  '__proto__',
  '../..',
  '-',
  '%00',
  '$(x)',
  [],
  {},
  [null],
  [[]],
  [{}],
  { '': null },
  [1, 'a', null],
  { constructor: { prototype: { x: 1 } } },
  ['a', 'a'],
  '2026-13-45T99:99:99Z',
  '^(a+)+$',
  '((((',
  'self.self.self',
  '{.spec[*',
  'Infinity',
]

interface Mutation {
  readonly at: number
  readonly act: 'value' | 'remove' | 'member' | 'deep' | 'raw' | 'graft' | 'repeat'
  readonly pick: number
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(200),
  act: fc.constantFrom('value', 'value', 'remove', 'member', 'member', 'deep', 'raw', 'graft', 'repeat'),
  pick: fc.nat(1000),
})

interface Place {
  readonly holder: JsonObject | Json[]
  readonly key: string | number
}

/** Where the document itself hangs. */
const rootKey = '@root'

/** All places of a document at which something stands, the document itself first. */
function placesOf(root: JsonObject): readonly Place[] {
  const places: Place[] = []
  const visit = (holder: JsonObject | Json[], key: string | number) => {
    places.push({ holder, key })
    const value = (holder as JsonObject)[key]
    if (typeof value !== 'object' || value === null) return
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
    for (const inner of keys) visit(value, inner)
  }
  visit(root, rootKey)
  return places
}

const picked = <T>(from: readonly T[], pick: number): T | undefined => from[pick % from.length]

/** A copy that holds nothing twice: a later mutation of one place must not change another. */
const unshared = (value: Json): Json => JSON.parse(JSON.stringify(value))

function mutate(body: Json, mutations: readonly Mutation[]): Json {
  const root: JsonObject = { [rootKey]: unshared(body) }
  for (const one of mutations) {
    const places = placesOf(root)
    const place = picked(places, one.at)
    if (place) mutateAt(place, places, one)
  }
  return root[rootKey] ?? null
}

function mutateAt({ holder, key }: Place, places: readonly Place[], { act, pick }: Mutation): void {
  const old = valueAt({ holder, key })
  switch (act) {
    case 'value':
      define(holder, key, picked(strangeValues, pick))
      break
    case 'raw':
      define(holder, key, `${rawMark}${picked(rawTexts, pick)}`)
      break
    case 'deep':
      define(holder, key, nest(150 + (pick % 120), pick % 2 === 0))
      break
    case 'repeat':
      define(
        holder,
        key,
        Array.from({ length: 2 + (pick % 40) }, () => old ?? null),
      )
      break
    case 'graft':
      define(holder, key, valueAt(picked(places, pick)))
      break
    case 'member':
      if (isObject(old)) define(old, picked(strangeKeys, pick) ?? '', picked(strangeValues, pick >> 4))
      break
    case 'remove':
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else if (key !== rootKey) delete holder[key]
  }
}

const valueAt = (place: Place | undefined) => place && (place.holder as JsonObject)[place.key]

/** Not an assignment: a key may be `__proto__`. */
function define(holder: object, key: string | number, value: Json | undefined): void {
  if (value === undefined) return
  const descriptor = { value: unshared(value), enumerable: true, configurable: true, writable: true }
  Object.defineProperty(holder, key, descriptor)
}

function nest(depth: number, inLists: boolean): Json {
  let value: Json = 1
  for (let i = 0; i < depth; i++) value = inLists ? [value] : { n: value }
  return value
}

interface TextDamage {
  readonly kind: 'none' | 'cut' | 'byte' | 'insert' | 'double' | 'tail' | 'bom'
  readonly at: number
  readonly byte: number
}

const damage: fc.Arbitrary<TextDamage> = fc.record({
  kind: fc.constantFrom(
    ...Array.from({ length: 20 }, () => 'none' as const),
    'cut',
    'byte',
    'insert',
    'double',
    'tail',
    'bom',
  ),
  at: fc.nat(100_000),
  byte: fc.nat(255),
})

function damaged(text: string, { kind, at, byte }: TextDamage): Buffer {
  const bytes = Buffer.from(text)
  const place = at % Math.max(1, bytes.length)
  switch (kind) {
    case 'none':
      return bytes
    case 'cut':
      return bytes.subarray(0, place)
    case 'byte':
      bytes[place] = byte
      return bytes
    case 'insert':
      return Buffer.concat([bytes.subarray(0, place), Buffer.from([byte, 255 - byte]), bytes.subarray(place)])
    case 'double':
      return Buffer.from(text.replaceAll(/"(\w+)":/g, (whole, key) => `"${key}":1,${whole}`))
    case 'tail':
      return Buffer.concat([bytes, bytes])
    case 'bom':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])
  }
}

export interface HostileRequest {
  readonly target: Target
  readonly body: Buffer
}

const unmarked = new RegExp(`"${rawMark}((?:[^"\\\\]|\\\\.)*)"`, 'g')

/** A request that means harm. */
export const hostileRequest: fc.Arbitrary<HostileRequest> = fc
  .record({
    target: fc.constantFrom(...targets),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
    damage,
  })
  .map(({ target, mutations, damage: how }) => {
    const text = JSON.stringify(mutate(target.body, mutations)) ?? ''
    const raw = text.replaceAll(unmarked, (_whole, inner) => JSON.parse(`"${inner}"`))
    return { target, body: damaged(raw, how) }
  })
