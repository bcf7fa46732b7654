/** HTTP without sockets: what the server answers and the peer client asks, over a network or from hand to hand. */

export interface HttpRequest {
  readonly method: string
  /** Path and query of a request to us; the whole address of one to another site. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Rejects when no answer came: whether the request was carried out, nobody knows then. */
export type HttpExchange = (request: HttpRequest, signal?: AbortSignal) => Promise<HttpAnswer>
