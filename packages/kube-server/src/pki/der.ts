/** DER as X.509 uses it: builds values, and reads them with strict bounds. Knows no certificate. */

/** Universal and context tags that certificates use. */
export const Tag = Object.freeze({
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
})

/** Tag of `[number]`, constructed or primitive. */
export const contextTag = (number: number, constructed: boolean) => (constructed ? 0xa0 : 0x80) | number

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** One tag-length-value with the parts as content, in order. */
export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content])
}

export const sequence = (...parts: readonly Buffer[]) => encode(Tag.sequence, ...parts)
export const set = (...parts: readonly Buffer[]) => encode(Tag.set, ...parts)
export const octetString = (content: Buffer) => encode(Tag.octetString, content)
export const utf8String = (text: string) => encode(Tag.utf8String, Buffer.from(text, 'utf8'))
export const boolean = (value: boolean) => encode(Tag.boolean, Buffer.from([value ? 0xff : 0]))

/** BIT STRING; `unusedBits` of the last byte do not count. */
export const bitString = (content: Buffer, unusedBits = 0) => encode(Tag.bitString, Buffer.from([unusedBits]), content)

/** INTEGER from unsigned big-endian bytes. */
export function unsignedInteger(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const trimmed = bytes.subarray(start)
  const needsSign = ((trimmed[0] ?? 0) & 0x80) !== 0
  return needsSign ? encode(Tag.integer, Buffer.from([0]), trimmed) : encode(Tag.integer, trimmed)
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f]
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift((high & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return encode(Tag.objectId, Buffer.from(bytes))
}

/** A time as certificates want it: UTCTime up to 2049, GeneralizedTime later. */
export function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  const isShort = Number(digits.slice(0, 4)) < 2050
  return isShort
    ? encode(Tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : encode(Tag.generalizedTime, Buffer.from(digits, 'latin1'))
}

/** Thrown by the reader; the message says what is wrong with the bytes. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** One value of DER: `raw` with tag and length, `content` without. */
export interface DerValue {
  readonly tag: number
  readonly raw: Buffer
  readonly content: Buffer
}

interface Span {
  readonly start: number
  readonly length: number
}

function readLength(bytes: Buffer, at: number): Span {
  const first = bytes[at]
  if (first === undefined) throw new DerError('truncated length')
  if (first < 0x80) return { start: at + 1, length: first }
  const count = first & 0x7f
  // Four bytes hold any certificate; more, or the indefinite form, is not DER we accept.
  if (count === 0 || count > 4) throw new DerError('unsupported length')
  if (at + 1 + count > bytes.length) throw new DerError('truncated length')
  return { start: at + 1 + count, length: bytes.readUIntBE(at + 1, count) }
}

/** Reads the value at the start of `bytes`; what follows is left alone. */
export function readValue(bytes: Buffer, at = 0): DerValue {
  const tag = bytes[at]
  if (tag === undefined) throw new DerError('truncated value')
  if ((tag & 0x1f) === 0x1f) throw new DerError('unsupported tag')
  const { start, length } = readLength(bytes, at + 1)
  if (start + length > bytes.length) throw new DerError('value is longer than its container')
  return { tag, raw: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) }
}

/** Reads the one value that `bytes` consists of; trailing bytes are an error. */
export function readWhole(bytes: Buffer): DerValue {
  const value = readValue(bytes)
  if (value.raw.length !== bytes.length) throw new DerError('trailing bytes')
  return value
}

/** Reads the members of a constructed value. */
export function readMembers(value: DerValue): DerValue[] {
  const members: DerValue[] = []
  for (let at = 0; at < value.content.length; ) {
    const member = readValue(value.content, at)
    members.push(member)
    at += member.raw.length
  }
  return members
}

/** Checks the tag, for values whose place in the structure fixes it. */
export function expectTag(value: DerValue | undefined, tag: number, what: string): DerValue {
  if (value?.tag !== tag) throw new DerError(`${what} expected`)
  return value
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function readObjectId(value: DerValue): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of expectTag(value, Tag.objectId, 'object identifier').content) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    arcs.push(arc)
    arc = 0
  }
  const [head = 0, ...rest] = arcs
  const first = Math.min(2, Math.floor(head / 40))
  return [first, head - first * 40, ...rest].join('.')
}

/** The bytes of a BIT STRING of whole bytes, as keys and signatures are. */
export function readWholeBits(value: DerValue | undefined, what: string): Buffer {
  const { content } = expectTag(value, Tag.bitString, what)
  if (content[0] !== 0) throw new DerError(`${what} does not consist of whole bytes`)
  return content.subarray(1)
}
