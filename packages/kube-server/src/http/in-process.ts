/**
 * The way into the server without sockets, with the interface of a client's transport: simulations run the real client
 * code straight into the core, under whatever clock the server has.
 */
import type { Clock } from '@godwit/ports'
import type { User } from '../api/user.ts'
import type { Handle } from './front-end.ts'
import { LineQueue } from './line-queue.ts'
import type { ApiResponse, ResponseHeaders, WatchResponse } from './message.ts'
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from './transport.ts'

export interface InProcessOptions {
  readonly handle: Handle
  readonly clock: Clock
  /** Who calls when a request shows no credentials of its own. */
  readonly caller: User | undefined
}

export class InProcessTransport implements Transport {
  readonly #options: InProcessOptions
  readonly #streams = new Set<LineQueue>()
  #isClosed = false

  constructor(options: InProcessOptions) {
    this.#options = options
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    if (this.#isClosed) throw new TransportError('ConnectionError', 'the transport is closed', { wasSent: false })
    if (request.signal?.aborted) throw new TransportError('Aborted', 'the request was aborted', { wasSent: false })
    const response = await this.#inTime(request, this.#ask(request))
    if (response.kind === 'watch') return this.#streamed(request, response)
    if (response.kind === 'cut')
      throw new TransportError('ConnectionError', 'the connection was cut', { wasSent: true })
    if (response.kind === 'silence') return this.#inTime(request, new Promise<never>(() => undefined))
    const body = response.kind === 'whole' ? response.body : [...response.pieces].join('')
    return wholeAnswer(response.status, response.headers, request.method === 'HEAD' ? '' : body)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stream of this.#streams) stream.destroy()
  }

  #ask({ method, path, headers, body }: TransportRequest): Promise<ApiResponse> {
    const { handle, caller } = this.#options
    const lower: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(headers))
      lower[name.toLowerCase()] = typeof value === 'string' ? value : [...value]
    const buffer = typeof body === 'string' ? Buffer.from(body) : body
    return handle({ method, url: path, headers: lower, ...(buffer && { body: buffer }), ...(caller && { caller }) })
  }

  /** Rejects when the time is up or the signal aborts; an answer that comes too late is dropped, its watch stopped. */
  #inTime<T>({ timeoutMs, signal }: TransportRequest, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel =
        timeoutMs === undefined
          ? () => undefined
          : this.#options.clock.after(timeoutMs, () =>
              settle(() => reject(new TransportError('Timeout', 'no answer in time', { wasSent: true }))),
            )
      const onAbort = () =>
        settle(() => reject(new TransportError('Aborted', 'the request was aborted', { wasSent: true })))
      const settle = (act: () => void) => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      answer.then(
        value => settle(() => resolve(value)),
        error => settle(() => reject(error)),
      )
    })
  }

  #streamed({ signal }: TransportRequest, response: WatchResponse): TransportResponse {
    const queue = new LineQueue()
    this.#streams.add(queue)
    const stop = response.open(queue)
    const onAbort = () => queue.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    queue.onClose(() => {
      this.#streams.delete(queue)
      signal?.removeEventListener('abort', onAbort)
      stop()
    })
    return {
      status: response.status,
      headers: response.headers,
      async text() {
        let text = ''
        for await (const line of queue.lines()) text += `${line}\n`
        return text
      },
      lines: () => queue.lines(),
    }
  }
}

function wholeAnswer(status: number, headers: ResponseHeaders, body: string): TransportResponse {
  return {
    status,
    headers,
    text: async () => body,
    async *lines() {
      for (const line of body.split('\n')) if (line !== '') yield line
    },
  }
}
