/** How clients inside the process see the server: the same interface as a client's HTTP transport. */
export interface TransportRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  /** A list is a header that comes several times. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly stream?: boolean
}

export interface TransportResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  text(): Promise<string>
  lines(): AsyncIterable<string>
}

export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>
  close(): Promise<void>
}

export type TransportFailure = 'Timeout' | 'ConnectionError' | 'Aborted'

/** No answer, or only a part of one. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly reason: TransportFailure
  /** False when the request certainly never reached the server. */
  readonly wasSent: boolean

  constructor(reason: TransportFailure, message: string, options: { readonly wasSent: boolean }) {
    super(message)
    this.reason = reason
    this.wasSent = options.wasSent
  }
}
