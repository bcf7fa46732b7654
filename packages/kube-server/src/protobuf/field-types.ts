/** How single values of messages become JSON, and the words to describe messages with. */
import type { Json, JsonObject } from '../api/object.ts'
import { parseJson } from '../http/parse-json.ts'
import { malformed, readFields, type WireField, type WireType } from './wire.ts'

/** Reads one occurrence of a field; undefined where JSON leaves the value out. */
export interface FieldType {
  readonly wire: WireType
  read(field: WireField): Json | undefined
  /** `list` and `map` collect all occurrences; otherwise the last one counts. */
  readonly collect?: 'list' | 'map'
}

/** Field number → name in JSON and type. */
export type Message = ReadonlyMap<number, readonly [name: string, type: FieldType]>

/** Describes a message: field numbers with name and type. */
export function message(fields: Readonly<Record<number, readonly [string, FieldType]>>): Message {
  return new Map(Object.entries(fields).map(([id, field]) => [Number(id), field]))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed('a string is not UTF-8')
  }
}

function decodeInteger(value: bigint): number {
  const number = Number(BigInt.asIntN(64, value))
  if (!Number.isSafeInteger(number)) throw malformed('an integer is too large')
  return number
}

/** Unset strings are sent as empty ones. */
export const text: FieldType = { wire: 'bytes', read: ({ bytes }) => decodeText(bytes) || undefined }
/** A string that JSON shows even when it is empty. */
const anyText: FieldType = { wire: 'bytes', read: ({ bytes }) => decodeText(bytes) }
export const texts: FieldType = { ...anyText, collect: 'list' }
export const binary: FieldType = { wire: 'bytes', read: ({ bytes }) => bytes.toString('base64') }
/** Unset bytes are sent as empty ones. */
export const optionalBinary: FieldType = { wire: 'bytes', read: ({ bytes }) => bytes.toString('base64') || undefined }
/** Sent only when set: false and zero are values. */
export const flag: FieldType = { wire: 'varint', read: ({ number }) => number !== 0n }
export const integer: FieldType = { wire: 'varint', read: ({ number }) => decodeInteger(number) }
/** Always sent: zero means unset. */
export const plainInteger: FieldType = { wire: 'varint', read: ({ number }) => decodeInteger(number) || undefined }

export const nested = (inner: Message): FieldType => ({
  wire: 'bytes',
  read: ({ bytes }) => {
    const value = readMessage(inner, bytes)
    return Object.keys(value).length > 0 ? value : undefined
  },
})

export const list = (inner: Message): FieldType => ({
  wire: 'bytes',
  read: ({ bytes }) => readMessage(inner, bytes),
  collect: 'list',
})

function readEntry(bytes: Buffer, value: FieldType, unset: Json): JsonObject {
  let key = ''
  let held: Json | undefined = unset
  for (const field of readFields(bytes)) {
    if (field.id === 1 && field.type === 'bytes') key = decodeText(field.bytes)
    if (field.id === 2 && field.type === value.wire) held = value.read(field)
  }
  return { key, value: held }
}

const mapOf = (value: FieldType, unset: Json = ''): FieldType => ({
  wire: 'bytes',
  read: ({ bytes }) => readEntry(bytes, value, unset),
  collect: 'map',
})

export const textMap = mapOf(anyText)
export const binaryMap = mapOf(binary)

/** Map to lists of strings, which protobuf wraps in a message of their own. */
export const textsMap = mapOf(
  {
    wire: 'bytes',
    read: ({ bytes }) => {
      const items: Json[] = []
      for (const field of readFields(bytes)) if (field.id === 1) items.push(decodeText(field.bytes))
      return items
    },
  },
  [],
)

const MIN_SECONDS = -62_135_596_800
const MAX_SECONDS = 253_402_300_799

/** Seconds and nanoseconds of a timestamp; an empty message is the zero time, which means unset. */
function readTimestamp(bytes: Buffer): { seconds: number; nanos: number } | undefined {
  if (bytes.length === 0) return undefined
  let seconds = 0
  let nanos = 0
  for (const field of readFields(bytes)) {
    if (field.type !== 'varint') continue
    if (field.id === 1) seconds = decodeInteger(field.number)
    if (field.id === 2) nanos = decodeInteger(field.number)
  }
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) throw malformed('a time is out of range')
  if (nanos < 0 || nanos > 999_999_999) throw malformed('a time is out of range')
  return { seconds, nanos }
}

const wholeSeconds = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19)

/** `2026-01-02T03:04:05Z`. */
export const time: FieldType = {
  wire: 'bytes',
  read: ({ bytes }) => {
    const stamp = readTimestamp(bytes)
    return stamp && `${wholeSeconds(stamp.seconds)}Z`
  },
}

/** `2026-01-02T03:04:05.000006Z`. */
export const microTime: FieldType = {
  wire: 'bytes',
  read: ({ bytes }) => {
    const stamp = readTimestamp(bytes)
    if (stamp === undefined) return undefined
    return `${wholeSeconds(stamp.seconds)}.${String(Math.floor(stamp.nanos / 1000)).padStart(6, '0')}Z`
  },
}

/** JSON text inside a message, as field sets come. */
export const embeddedJson: FieldType = {
  wire: 'bytes',
  read: ({ bytes }) => {
    for (const field of readFields(bytes)) {
      if (field.id === 1 && field.type === 'bytes') return parseJson(decodeText(field.bytes)).value
    }
    return undefined
  },
}

function addTo(target: JsonObject, name: string, type: FieldType, value: Json): void {
  if (type.collect === 'list') {
    const items = target[name]
    if (Array.isArray(items)) items.push(value)
    else target[name] = [value]
    return
  }
  if (type.collect !== 'map') {
    target[name] = value
    return
  }
  const { key, value: held } = value as JsonObject
  // As in JSON bodies: one careless assignment later such a key would change a prototype.
  if (typeof key !== 'string' || key === '__proto__') throw malformed('the key "__proto__" is not allowed')
  const entries = (target[name] ?? {}) as JsonObject
  entries[key] = held
  target[name] = entries
}

/** Reads one message; fields the description does not know are skipped, wrong wire types refused. */
export function readMessage(description: Message, bytes: Buffer): JsonObject {
  const target: JsonObject = {}
  for (const field of readFields(bytes)) {
    const known = description.get(field.id)
    if (known === undefined) continue
    const [name, type] = known
    if (field.type !== type.wire) throw malformed(`wrong wire type for ${name}`)
    const value = type.read(field)
    if (value !== undefined) addTo(target, name, type, value)
  }
  return target
}
