/** A bare client for tests: requests by hand, answers parsed, watches collected. Runs in-process, without sockets. */
import assert from 'node:assert/strict'
import { setTimeout as realSleep } from 'node:timers/promises'
import type { JsonObject } from '../src/api/object.ts'
import type { Cause } from '../src/api/status-error.ts'
import type { Transport } from '../src/index.ts'

/** The parts of Kubernetes answers that tests look at. Whatever is missing is undefined when read. */
export interface Body extends JsonObject {
  kind: string
  apiVersion: string
  metadata: JsonObject & {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    generation?: number
    labels?: { [key: string]: string }
    annotations?: { [key: string]: string }
    finalizers?: string[]
    continue?: string
  }
  spec: JsonObject
  status: JsonObject & string
  data: JsonObject
  items: Body[]
  rows: { cells: unknown[]; object: Body }[] & JsonObject[]
  message: string
  reason: string
  details: { name: string; kind: string; causes: Cause[] } & JsonObject
  code: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  readonly body: Body
}

export interface SendOptions {
  readonly query?: Record<string, string>
  readonly type?: string
  readonly headers?: Record<string, string>
  /** Sent as it is instead of a JSON body. */
  readonly raw?: string | Buffer
}

export interface SeenEvent {
  readonly type: string
  readonly object: Body
}

/** Generous: only a broken server needs this long. */
const patienceMs = 15_000
const pollMs = 5

export class Api {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async send(method: string, path: string, body?: unknown, options: SendOptions = {}): Promise<Answer> {
    const query = options.query ? `?${new URLSearchParams(options.query)}` : ''
    const sent = options.raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await this.#transport.request({
      method,
      path: path + query,
      headers: {
        ...(sent !== undefined && { 'content-type': options.type ?? 'application/json' }),
        ...options.headers,
      },
      ...(sent !== undefined && { body: sent }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parse(text) }
  }

  get(path: string, query?: Record<string, string>, headers?: Record<string, string>): Promise<Answer> {
    return this.send('GET', path, undefined, { ...(query && { query }), ...(headers && { headers }) })
  }

  /** POST that must succeed. */
  async create(path: string, body: unknown): Promise<Body> {
    const answer = await this.send('POST', path, body)
    assert.equal(answer.status, 201, answer.text)
    return answer.body
  }

  merge(path: string, patch: unknown, query?: Record<string, string>): Promise<Answer> {
    return this.send('PATCH', path, patch, { type: 'application/merge-patch+json', ...(query && { query }) })
  }

  apply(path: string, body: unknown, query: Record<string, string>): Promise<Answer> {
    return this.send('PATCH', path, body, { type: 'application/apply-patch+yaml', query })
  }

  delete(path: string, body?: unknown, query?: Record<string, string>): Promise<Answer> {
    return this.send('DELETE', path, body, query && { query })
  }

  /** Opens a watch; events arrive in `seen`. */
  async watch(
    path: string,
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Watching> {
    const stop = new AbortController()
    const response = await this.#transport.request({
      method: 'GET',
      path: `${path}?${new URLSearchParams({ watch: '1', ...query })}`,
      headers,
      stream: true,
      signal: stop.signal,
    })
    assert.equal(response.status, 200)
    return new Watching(response.lines(), () => stop.abort())
  }

  /** Asks again until the answer is as wanted. */
  async until(path: string, isDone: (answer: Answer) => boolean): Promise<Answer> {
    return eventually(
      async () => {
        const answer = await this.get(path)
        return isDone(answer) ? answer : undefined
      },
      () => `${path} did not become as wanted`,
    )
  }
}

function parse(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return {} as Body
  }
}

export class Watching {
  readonly seen: SeenEvent[] = []
  readonly #stop: () => void
  #state: 'open' | 'ended' | 'broken' = 'open'

  constructor(lines: AsyncIterable<string>, stop: () => void) {
    this.#stop = stop
    void this.#read(lines)
  }

  async #read(lines: AsyncIterable<string>): Promise<void> {
    try {
      for await (const line of lines) this.seen.push(JSON.parse(line))
      this.#state = 'ended'
    } catch {
      this.#state = 'broken'
    }
  }

  get state(): string {
    return this.#state
  }

  /** Resolves with the first `count` events as soon as they are there. */
  async take(count: number): Promise<SeenEvent[]> {
    await eventually(
      async () => (this.seen.length >= count ? true : undefined),
      () => `wanted ${count} events, saw ${JSON.stringify(this.seen.map(one => [one.type, one.object.metadata]))}`,
    )
    return this.seen.slice(0, count)
  }

  async ended(): Promise<string> {
    await eventually(
      async () => (this.#state === 'open' ? undefined : true),
      () => 'the watch did not end',
    )
    return this.#state
  }

  stop(): void {
    this.#stop()
  }
}

/** Polls for a fact, with a generous bound. */
export async function eventually<T>(look: () => Promise<T | undefined>, problem: () => string): Promise<T> {
  for (let waited = 0; waited < patienceMs; waited += pollMs) {
    const found = await look()
    if (found !== undefined) return found
    await realSleep(pollMs)
  }
  throw new Error(problem())
}

/** Fields of the causes of a 422. */
export function causeFields({ body }: Answer): string[] {
  return (body.details?.causes ?? []).map(cause => cause.field)
}
