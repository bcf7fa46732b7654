/** The protobuf wire format: fields of one message, with strict bounds. Knows no message. */
import { badRequest, type StatusError } from '../api/status-error.ts'

/** More than any sensible message of 3 MiB has; senseless ones would become a hundred times their size as JSON. */
const MAX_FIELDS = 250_000

export const malformed = (why: string): StatusError => badRequest(`unable to decode protobuf body: ${why}`)

export type WireType = 'varint' | 'bytes' | 'fixed'

/** One field as it stands in the bytes. `bytes` is empty for numbers, `number` zero for bytes. */
export interface WireField {
  readonly id: number
  readonly type: WireType
  readonly number: bigint
  readonly bytes: Buffer
}

const EMPTY = Buffer.alloc(0)

class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): bigint {
    let small = 0
    // Nearly all numbers here are tags and lengths below 2^28: no big integers for those.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      small |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(small)
    }
    let value = BigInt(small)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw malformed('a number is too long')
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw malformed('a length reaches beyond its message')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw malformed('unexpected end')
    return byte
  }
}

function readField(cursor: Cursor): WireField {
  const tag = cursor.varint()
  const id = Number(tag >> 3n)
  if (id === 0 || id > 0x1fff_ffff) throw malformed('bad field number')
  switch (Number(tag & 7n)) {
    case 0:
      return { id, type: 'varint', number: cursor.varint(), bytes: EMPTY }
    case 1:
      return { id, type: 'fixed', number: 0n, bytes: cursor.take(8) }
    case 2: {
      const length = cursor.varint()
      if (length > 0x7fff_ffffn) throw malformed('a length reaches beyond its message')
      return { id, type: 'bytes', number: 0n, bytes: cursor.take(Number(length)) }
    }
    case 5:
      return { id, type: 'fixed', number: 0n, bytes: cursor.take(4) }
    default:
      throw malformed('unsupported wire type')
  }
}

/** All fields of a message in order. Throws 400 at the first byte that cannot be. */
export function* readFields(message: Buffer): Generator<WireField> {
  const cursor = new Cursor(message)
  for (let count = 0; !cursor.isDone; count++) {
    if (count >= MAX_FIELDS) throw malformed('too many fields')
    yield readField(cursor)
  }
}
