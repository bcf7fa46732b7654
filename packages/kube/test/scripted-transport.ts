/** A transport without sockets that answers what a test tells it to, and remembers what it was asked. */
import type { Transport, TransportRequest, TransportResponse } from '../src/index.ts'

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown
  /** Of a watch. */
  readonly lines?: Iterable<string> | AsyncIterable<string>
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: TransportRequest['headers']
  readonly body: unknown
  readonly request: TransportRequest
}

export class ScriptedTransport implements Transport {
  readonly asked: Asked[] = []
  isClosed = false
  readonly #answer: (asked: Asked, index: number) => Answer | Promise<Answer>

  /** @param answer may throw: no answer arrives */
  constructor(answer: (asked: Asked, index: number) => Answer | Promise<Answer>) {
    this.#answer = answer
  }

  /** Of the latest request. */
  get last(): Asked {
    const last = this.asked.at(-1)
    if (!last) throw new Error('nothing was asked')
    return last
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const url = new URL(request.path, 'http://scripted.test')
    const body = request.body === undefined ? undefined : JSON.parse(String(request.body))
    const { method, headers } = request
    const asked = { method, path: url.pathname, query: url.searchParams, headers, body, request }
    this.asked.push(asked)
    return responseOf(await this.#answer(asked, this.asked.length - 1))
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

const responseOf = ({ status = 200, headers = {}, body = {}, lines = [] }: Answer): TransportResponse => ({
  status,
  headers,
  text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
  async *lines() {
    yield* lines
  },
})

/** A Status as the server writes it. */
export const failure = (code: number, reason: string, message = 'no', details: object = {}): Answer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code },
})
