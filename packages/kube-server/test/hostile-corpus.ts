/** Reads the recorded corpus of hostile input: `hostile-corpus.json`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RawPart } from './raw-client.ts'

/** Text as it is, or made: repeated, counted (`#` becomes the number), or bytes in hexadecimal. */
type Piece =
  | string
  | { readonly repeat: string; readonly times: number }
  | { readonly count: number; readonly as: string; readonly join: string }
  | { readonly hex: string }

type Text = string | readonly Piece[]

interface RecordedRequest {
  readonly name: string
  readonly method: string
  readonly path: Text
  readonly type?: string
  readonly headers?: Readonly<Record<string, Text>>
  readonly body?: Text
  /** Codes that may be answered. Below 400: harmless, and allowed to store something. */
  readonly wants: readonly number[]
}

interface RecordedConnection {
  readonly name: string
  readonly sends: readonly (Text | { readonly slowly: Text })[]
  /** The client says that nothing more will come. */
  readonly ends?: boolean
  /** Codes of all answers, in order. */
  readonly wants: readonly number[]
  readonly closes?: boolean
}

export interface HostileCall {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  readonly wants: readonly number[]
}

export interface HostileConnection {
  readonly name: string
  readonly sends: readonly RawPart[]
  readonly ends: boolean
  readonly wants: readonly number[]
  readonly closes: boolean
}

const file = join(import.meta.dirname, 'hostile-corpus.json')
const corpus: { readonly requests: readonly RecordedRequest[]; readonly connections: readonly RecordedConnection[] } =
  JSON.parse(readFileSync(file, 'utf8'))

export const hostileCalls: readonly HostileCall[] = corpus.requests.map(recorded => ({
  name: recorded.name,
  method: recorded.method,
  path: bytesOf(recorded.path).toString('latin1'),
  headers: {
    ...(recorded.body !== undefined && { 'content-type': recorded.type ?? 'application/json' }),
    ...Object.fromEntries(
      Object.entries(recorded.headers ?? {}).map(([name, value]) => [name, bytesOf(value).toString('latin1')]),
    ),
  },
  body: recorded.body === undefined ? undefined : bytesOf(recorded.body),
  wants: recorded.wants,
}))

export const hostileConnections: readonly HostileConnection[] = corpus.connections.map(recorded => ({
  name: recorded.name,
  sends: recorded.sends.map(send =>
    typeof send === 'object' && 'slowly' in send ? { slowly: bytesOf(send.slowly) } : bytesOf(send),
  ),
  ends: recorded.ends ?? false,
  wants: recorded.wants,
  closes: recorded.closes ?? false,
}))

function bytesOf(text: Text): Buffer {
  return Buffer.concat((typeof text === 'string' ? [text] : text).map(pieceOf))
}

function pieceOf(piece: Piece): Buffer {
  if (typeof piece === 'string') return Buffer.from(piece)
  if ('hex' in piece) return Buffer.from(piece.hex, 'hex')
  if ('repeat' in piece) return Buffer.from(piece.repeat.repeat(piece.times))
  return Buffer.from(
    Array.from({ length: piece.count }, (_, i) => piece.as.replaceAll('#', String(i))).join(piece.join),
  )
}
