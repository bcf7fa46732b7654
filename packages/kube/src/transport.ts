/** How requests travel: over HTTP, or straight into an embedded server. Knows nothing of kinds, retries or identities. */

export interface TransportRequest {
  readonly method: string
  /** Path with query, starting with a slash. */
  readonly path: string
  /** Lower-case names. A list is sent as repeated headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  /** Until the whole answer is there; for a stream, until its headers are. Default 30 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** A longer body is an error, whatever its headers said. Default 256 MiB. */
  readonly maxBodyBytes?: number
  /** The answer has no end of its own: a watch. It does not count against the limit of concurrent requests. */
  readonly stream?: boolean
}

export interface TransportResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The whole body. Throws a TransportError when the connection breaks before its end. */
  text(): Promise<string>
  /** Whole lines as they arrive; ends when the server ends the answer, throws a TransportError when the connection breaks. */
  lines(): AsyncIterable<string>
}

export interface Transport {
  /** Resolves with any HTTP status. Throws a TransportError when no answer arrives. */
  request(request: TransportRequest): Promise<TransportResponse>
  close(): Promise<void>
}

export type TransportFailure = 'ConnectionError' | 'Timeout' | 'Aborted'

/** No answer, or only a part of one. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly reason: TransportFailure
  /** False when the request certainly never reached the server. */
  readonly wasSent: boolean

  constructor(reason: TransportFailure, message: string, options: { wasSent: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.reason = reason
    this.wasSent = options.wasSent
  }
}

/** By its shape: a transport that lives elsewhere, such as that of an embedded server, has a class of its own. */
export const isTransportError = (error: unknown): error is TransportError =>
  error instanceof Error && error.name === 'TransportError' && 'reason' in error && 'wasSent' in error
