/** How clients inside the process see the server: the same interface as a client's HTTP transport. */
export interface TransportRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
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

/** No answer arrived. `reason` is what clients call it. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly status = 0
  readonly reason: 'Timeout' | 'ConnectionError' | 'Aborted'

  constructor(reason: 'Timeout' | 'ConnectionError' | 'Aborted', message: string) {
    super(message)
    this.reason = reason
  }
}
