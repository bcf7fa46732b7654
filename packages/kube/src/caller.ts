/** Sends single requests for one identity: headers, limits, counts, errors, and the few retries that are always safe. */
import { type Clock, type Random, sleep } from '@godwit/ports'
import type { CallCounter } from './call-counter.ts'
import { KubeError } from './errors.ts'
import { type Json, parseJson } from './json.ts'
import type { Limiter } from './limiter.ts'
import { failureOf, unexpected } from './status.ts'
import { isTransportError, type Transport, type TransportRequest, type TransportResponse } from './transport.ts'

/** What each call may bring. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** For one request, not for all pages or retries together. Default 30 s. */
  readonly timeoutMs?: number
}

export interface Call extends CallOptions {
  /** For the counts: the verb as RBAC names it, and `plural.group[/subresource]`. */
  readonly verb: string
  readonly resource: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly stream?: boolean
}

export interface CallerOptions {
  readonly transport: Transport
  readonly headers: TransportRequest['headers']
  readonly clock: Clock
  readonly random: Random
  readonly calls: CallCounter
  readonly limiter?: Limiter | undefined
}

const DEFAULT_TIMEOUT_MS = 30_000
/** A read is sent this often at most when the server keeps asking for patience. */
const MAX_ATTEMPTS = 5
const DEFAULT_RETRY_AFTER_MS = 1000
const MAX_RETRY_AFTER_MS = 30_000

export class Caller {
  readonly #options: CallerOptions

  constructor(options: CallerOptions) {
    this.#options = options
  }

  /** The decoded body of a successful answer. Throws a KubeError. */
  async json(call: Call): Promise<Json> {
    const response = await this.open(call)
    const text = await this.#guarded(call, () => response.text())
    const value = parseJson(text)
    if (value === undefined) throw unexpected(call, response.status, 'the answer is not JSON')
    return value
  }

  /** A successful answer whose body is still to be read. Throws a KubeError. */
  async open(call: Call): Promise<TransportResponse> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(call)
      if (!(outcome instanceof KubeError)) return outcome
      const waitMs = attempt < MAX_ATTEMPTS ? this.#patience(call, outcome) : undefined
      if (waitMs === undefined) throw outcome
      await sleep(this.#options.clock, waitMs, call.signal)
      if (call.signal?.aborted) throw outcome
    }
  }

  async #attempt(call: Call): Promise<TransportResponse | KubeError> {
    const { transport, limiter, calls } = this.#options
    await limiter?.take(call.signal)
    calls.add(call.verb, call.resource)
    return await this.#guarded(call, async () => {
      const response = await transport.request(this.#encode(call))
      const isSuccess = response.status >= 200 && response.status < 300
      return isSuccess ? response : await failureOf(askedBy(call), response)
    })
  }

  /** How long to wait before the same read is sent again; undefined when it is not. Writes are the caller's to decide. */
  #patience({ method }: Call, { status, retryAfterMs }: KubeError): number | undefined {
    if (method !== 'GET') return undefined
    const isAsked = status === 429 || (status >= 500 && retryAfterMs !== undefined)
    if (!isAsked) return undefined
    const waitMs = Math.min(retryAfterMs ?? DEFAULT_RETRY_AFTER_MS, MAX_RETRY_AFTER_MS)
    // Up to a quarter more: clients that were turned away together must not come back together.
    return waitMs * (1 + this.#options.random.next() / 4)
  }

  #encode(call: Call): TransportRequest {
    const { body, contentType = 'application/json', signal, timeoutMs = DEFAULT_TIMEOUT_MS, stream } = call
    const encoded = body === undefined ? undefined : JSON.stringify(body)
    return {
      method: call.method,
      path: pathOf(call),
      headers: {
        accept: 'application/json',
        ...this.#options.headers,
        ...(encoded !== undefined && {
          'content-type': contentType,
          'content-length': String(Buffer.byteLength(encoded)),
        }),
      },
      ...(encoded !== undefined && { body: encoded }),
      ...(signal && { signal }),
      timeoutMs,
      ...(stream && { stream }),
    }
  }

  async #guarded<Result>(call: Call, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw noAnswer(call, error)
    }
  }
}

function pathOf({ path, query }: Call): string {
  if (!query) return path
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value)
  return given.size > 0 ? `${path}?${given}` : path
}

const askedBy = ({ method, path }: Call) => ({ method, path })

/** What a transport threw, as a KubeError. An error of unknown kind counts as a lost answer. */
export function noAnswer(call: Call, error: unknown): KubeError {
  if (error instanceof KubeError) return error
  const isKnown = isTransportError(error)
  return new KubeError({
    ...askedBy(call),
    status: 0,
    reason: isKnown ? error.reason : 'ConnectionError',
    message: error instanceof Error ? error.message : 'the transport failed',
    isOutcomeUnknown: call.method !== 'GET' && (isKnown ? error.wasSent : true),
    cause: error,
  })
}
