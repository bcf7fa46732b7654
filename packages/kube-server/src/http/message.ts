import type { User } from '../api/user.ts'

/** One request as the core sees it: no socket, no stream. Header names are lower case. */
export interface ApiRequest {
  readonly method: string
  /** Path with query, still encoded, starting with `/`. */
  readonly url: string
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly body?: Buffer
  /** DER of the certificate that a TLS client proved to own. */
  readonly clientCertificate?: Buffer
  /** A caller in the same process; an Authorization header goes before it. */
  readonly caller?: User
}

export type ResponseHeaders = Record<string, string | string[]>

/** A whole answer. */
export interface WholeResponse {
  readonly kind: 'whole'
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: string
}

/** An answer written piece by piece, so that a long list does not hold up everyone else. */
export interface PiecesResponse {
  readonly kind: 'pieces'
  readonly status: number
  readonly headers: ResponseHeaders
  readonly pieces: Iterable<string>
}

/** A stream of lines: headers go out at once, `open` is then called exactly once. */
export interface WatchResponse {
  readonly kind: 'watch'
  readonly status: number
  readonly headers: ResponseHeaders
  /** Starts writing into the sink; the returned function stops it and is called when the client leaves. */
  open(sink: WatchSink): () => void
}

/** Only faults answer so: `cut` closes the connection without an answer, `silence` never answers. */
export type NoResponse = { readonly kind: 'cut' } | { readonly kind: 'silence' }

export type ApiResponse = WholeResponse | PiecesResponse | WatchResponse | NoResponse

/** Where a watch writes. Buffers are shared between watchers and must not be changed. */
export interface WatchSink {
  write(line: Buffer): void
  /** Bytes written that the reader has not taken yet. */
  buffered(): number
  /** Calls back once when the reader has caught up. */
  onDrain(run: () => void): void
  /** Ends the stream cleanly. */
  end(): void
  /** Breaks the stream, as a slow reader or a fault deserves. */
  destroy(): void
}

export const jsonHeaders: Readonly<ResponseHeaders> = Object.freeze({ 'content-type': 'application/json' })

export const yamlHeaders: Readonly<ResponseHeaders> = Object.freeze({ 'content-type': 'application/yaml' })

export function json(status: number, body: string, headers: ResponseHeaders = jsonHeaders): WholeResponse {
  return { kind: 'whole', status, headers, body }
}

export function plainText(status: number, body: string): WholeResponse {
  return { kind: 'whole', status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** First value of a header. */
export function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
