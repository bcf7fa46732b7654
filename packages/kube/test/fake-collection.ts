/**
 * A server of one collection, without sockets: pages of snapshots, watches from history, and every way to misbehave that
 * an informer must survive. Written after the rules of Kubernetes, not after our own server, so that it can disagree.
 */
import type { KubeObject, Transport, TransportRequest, TransportResponse } from '../src/index.ts'
import { TransportError } from '../src/index.ts'

export interface Thing extends KubeObject {
  readonly spec: { readonly value: number }
}

/** What becomes of one request. */
export type Fault =
  | { readonly kind: 'status'; readonly code: number; readonly reason?: string; readonly retryAfterSeconds?: number }
  | { readonly kind: 'cut' }
  /** A replica that is so many versions behind answers. */
  | { readonly kind: 'lag'; readonly versions: number }
  /** Never answers. */
  | { readonly kind: 'hang' }

/** How a watch ends, or what it says that it should not. */
export type Disturbance =
  | 'end'
  | 'reset'
  | 'expired'
  | 'error'
  | 'junk'
  | 'half'
  | 'nameless'
  | 'unknown'
  | 'bookmark'
  | 'replay'

interface HistoryEntry {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Thing
  /** All objects after this entry. */
  readonly state: ReadonlyMap<string, Thing>
}

export class FakeCollection implements Transport {
  /** Consumed one a request. */
  readonly faults: Fault[] = []
  readonly requests: TransportRequest[] = []
  readonly #streams = new Set<Stream>()
  #state: ReadonlyMap<string, Thing> = new Map()
  #history: HistoryEntry[] = []
  #version = 100
  /** Events up to here are forgotten. */
  #compactedTo = 100
  #uids = 0
  readonly #tokens = new Map<string, { readonly rest: Thing[]; readonly version: number }>()

  get version(): number {
    return this.#version
  }

  get watches(): number {
    return this.#streams.size
  }

  objects(): Thing[] {
    return [...this.#state.values()]
  }

  put(name: string, value: number): void {
    const live = this.#state.get(name)
    const uid = live?.metadata.uid ?? `uid-${++this.#uids}`
    const managedFields = [{ manager: 'test' }]
    const metadata = { name, namespace: 'x', uid, resourceVersion: String(++this.#version), managedFields }
    const object: Thing = { apiVersion: 'checks.example.com/v1', kind: 'Thing', metadata, spec: { value } }
    this.#enter(live ? 'MODIFIED' : 'ADDED', object, new Map([...this.#state, [name, object]]))
  }

  remove(name: string): void {
    const live = this.#state.get(name)
    if (!live) return
    const state = new Map(this.#state)
    state.delete(name)
    const metadata = { ...live.metadata, resourceVersion: String(++this.#version) }
    this.#enter('DELETED', { ...live, metadata }, state)
  }

  /** A change elsewhere in the store: the version grows, this collection stays. */
  tick(): void {
    this.#version += 1
  }

  compact(): void {
    this.#compactedTo = this.#version
    this.#tokens.clear()
  }

  /** Back to the state of so many changes ago, with another history from there: a restored backup. */
  restore(changes: number, how: Disturbance = 'reset'): void {
    const kept = this.#history.slice(0, Math.max(0, this.#history.length - changes))
    this.#history = kept
    this.#state = kept.at(-1)?.state ?? new Map()
    this.#version = kept.at(-1)?.version ?? 100
    this.#compactedTo = Math.min(this.#compactedTo, this.#version)
    this.disturb(how)
  }

  disturb(how: Disturbance): void {
    for (const stream of [...this.#streams]) stream.disturb(how, this.#history, this.#version)
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request)
    const query = new URL(request.path, 'http://fake.test').searchParams
    const fault = this.faults.shift()
    if (request.signal?.aborted) throw new TransportError('Aborted', 'aborted', { wasSent: false })
    if (fault?.kind === 'cut') throw new TransportError('ConnectionError', 'cut', { wasSent: true })
    if (fault?.kind === 'hang') return await hang(request.signal)
    if (fault?.kind === 'status') {
      const headers = fault.retryAfterSeconds ? { 'retry-after': String(fault.retryAfterSeconds) } : undefined
      return answer(fault.code, status(fault.code, fault.reason ?? 'Whatever'), headers)
    }
    const behind = fault?.kind === 'lag' ? fault.versions : 0
    return query.has('watch') ? this.#watch(query, request.signal) : this.#list(query, behind)
  }

  async close(): Promise<void> {
    this.disturb('reset')
  }

  #enter(type: HistoryEntry['type'], object: Thing, state: ReadonlyMap<string, Thing>): void {
    this.#state = state
    const entry = { version: this.#version, type, object, state }
    this.#history.push(entry)
    for (const stream of this.#streams) stream.send(type, object)
  }

  #list(query: URLSearchParams, behind: number): TransportResponse {
    const token = query.get('continue')
    const page = token === null ? this.#snapshot(behind) : this.#tokens.get(token)
    if (!page) return answer(410, status(410, 'Expired'))
    if (page.version < Number(query.get('resourceVersion') ?? 0)) {
      const details = { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] }
      return answer(504, status(504, 'Timeout', details))
    }
    const limit = Number(query.get('limit') ?? page.rest.length)
    const next = page.rest.length > limit ? `token-${this.#tokens.size}-${page.version}-${page.rest.length}` : undefined
    if (next) this.#tokens.set(next, { rest: page.rest.slice(limit), version: page.version })
    const metadata = { resourceVersion: String(page.version), ...(next && { continue: next }) }
    return answer(200, { kind: 'ThingList', items: page.rest.slice(0, limit), metadata })
  }

  #snapshot(behind: number): { rest: Thing[]; version: number } {
    if (behind === 0) return { rest: this.objects(), version: this.#version }
    const version = Math.max(100, this.#version - behind)
    const entry = this.#history.findLast(candidate => candidate.version <= version)
    return { rest: [...(entry?.state.values() ?? [])], version }
  }

  #watch(query: URLSearchParams, signal: AbortSignal | undefined): TransportResponse {
    const from = Number(query.get('resourceVersion'))
    const stream = new Stream(() => this.#streams.delete(stream))
    if (from < this.#compactedTo) stream.disturb('expired', [], this.#version)
    else {
      this.#streams.add(stream)
      // From a version that does not exist yet, a watch is silent until the store gets there.
      for (const entry of this.#history) if (entry.version > from) stream.send(entry.type, entry.object)
      stream.mutedUpTo = from
    }
    signal?.addEventListener('abort', () => stream.abort(), { once: true })
    return { status: 200, headers: {}, text: async () => '', lines: () => stream.lines() }
  }
}

class Stream {
  mutedUpTo = 0
  readonly #onEnd: () => void
  #lines: string[] = []
  #error: Error | undefined
  #isOver = false
  #wake: () => void = () => undefined

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  send(type: string, object: object & { metadata: { resourceVersion?: string } }): void {
    if (Number(object.metadata.resourceVersion) > this.mutedUpTo) this.#push(JSON.stringify({ type, object }))
  }

  disturb(how: Disturbance, history: readonly HistoryEntry[], version: number): void {
    const metadata = { resourceVersion: String(version) }
    if (how === 'replay') for (const { type, object } of history.slice(-5)) this.#push(JSON.stringify({ type, object }))
    else if (how === 'bookmark') this.#push(JSON.stringify({ type: 'BOOKMARK', object: { metadata } }))
    else if (how === 'unknown') this.#push(JSON.stringify({ type: 'FANCY', object: { metadata, spec: {} } }))
    else if (how === 'reset') this.#end(new TransportError('ConnectionError', 'reset', { wasSent: true }))
    else {
      if (how === 'expired') this.#push(JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') }))
      if (how === 'error') this.#push(JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') }))
      if (how === 'junk') this.#push('<html>')
      if (how === 'half') this.#push('{"type":"MODIFIED","object":{"metadata":{"na')
      if (how === 'nameless') this.#push(JSON.stringify({ type: 'MODIFIED', object: { metadata } }))
      this.#end()
    }
  }

  abort(): void {
    this.#lines = []
    this.#end(new TransportError('Aborted', 'aborted', { wasSent: true }))
  }

  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) yield line
      else if (this.#error) throw this.#error
      else if (this.#isOver) return
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
    }
  }

  #push(line: string): void {
    if (this.#isOver) return
    this.#lines.push(line)
    this.#wake()
  }

  #end(error?: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#error = error
    this.#onEnd()
    this.#wake()
  }
}

const status = (code: number, reason: string, details = {}) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: reason,
  reason,
  details,
  code,
})

const answer = (code: number, body: object, headers: Record<string, string> = {}): TransportResponse => ({
  status: code,
  headers,
  text: async () => JSON.stringify(body),
  async *lines() {
    yield JSON.stringify(body)
  },
})

const hang = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new TransportError('Aborted', 'aborted', { wasSent: true })), {
      once: true,
    })
  })
