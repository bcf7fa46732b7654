/** A client that keeps a copy of a collection by listing and watching, and whose connection breaks all the time. */
import assert from 'node:assert/strict'
import type { Random } from '@godwit/ports'
import type { Transport } from '../src/index.ts'
import type { Body, SeenEvent } from './api.ts'

export interface ReplayerOptions {
  readonly transport: Transport
  readonly path: string
  readonly labelSelector?: string
  readonly random: Random
  /** Events between two interruptions, at most; without it the connection is never cut. */
  readonly cutAfter?: number
  /** Called for each event, in order. */
  readonly onEvent?: (event: SeenEvent) => void
}

export interface ReplayCounts {
  readonly events: number
  readonly reconnects: number
  readonly lists: number
  /** Copies compared with the server's own memory of that moment. */
  readonly compared: number
}

const pageSize = 7

export class Replayer {
  readonly #options: ReplayerOptions
  #copy = new Map<string, Body>()
  /** Version of the copy; empty when it must be listed. */
  #version = ''
  #counts = { events: 0, reconnects: 0, lists: 0, compared: 0 }
  #stopped = false
  #cut: AbortController | undefined
  readonly #running: Promise<void>
  #failure: unknown

  constructor(options: ReplayerOptions) {
    this.#options = options
    this.#running = this.#run()
    this.#running.catch(error => {
      this.#failure = error
    })
  }

  get counts(): ReplayCounts {
    return this.#counts
  }

  get isListed(): boolean {
    return this.#version !== ''
  }

  /** Throws what went wrong while it ran. */
  get copy(): readonly Body[] {
    if (this.#failure) throw this.#failure
    return sorted([...this.#copy.values()])
  }

  /** Everything the server has now. */
  async listed(exactly?: string): Promise<{ items: readonly Body[]; version: string } | undefined> {
    const exact = exactly === undefined ? {} : { resourceVersion: exactly, resourceVersionMatch: 'Exact' }
    const { status, body } = await this.#get(exact)
    if (status === 410) return undefined
    assert.equal(status, 200, JSON.stringify(body))
    return { items: sorted(body.items), version: body.metadata.resourceVersion }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cut?.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#version === '') await this.#list()
      await this.#watch()
    }
  }

  /** Page by page, while others write. */
  async #list(): Promise<void> {
    this.#counts.lists++
    const copy = new Map<string, Body>()
    let token = ''
    let version = ''
    do {
      const { status, body } = await this.#get({ limit: String(pageSize), ...(token !== '' && { continue: token }) })
      if (status === 410) return this.#list()
      assert.equal(status, 200, JSON.stringify(body))
      assert.ok(version === '' || version === body.metadata.resourceVersion, 'pages of one list have one version')
      version = body.metadata.resourceVersion
      token = body.metadata.continue ?? ''
      for (const item of body.items) copy.set(keyOf(item), item)
    } while (token !== '')
    this.#copy = copy
    this.#version = version
  }

  async #watch(): Promise<void> {
    const cut = new AbortController()
    this.#cut = cut
    if (this.#stopped) return
    const { random, cutAfter } = this.#options
    let left = cutAfter === undefined ? Number.POSITIVE_INFINITY : 1 + Math.floor(random.next() * cutAfter)
    try {
      for await (const event of this.#events(cut.signal)) {
        if (!this.#take(event)) return
        if (--left > 0) continue
        cut.abort()
        await this.#compare()
        return
      }
    } catch (error) {
      if (!cut.signal.aborted) throw error
    } finally {
      this.#counts.reconnects++
    }
  }

  async *#events(signal: AbortSignal): AsyncGenerator<SeenEvent> {
    const query = new URLSearchParams({ watch: '1', resourceVersion: this.#version, ...this.#selector() })
    const path = `${this.#options.path}?${query}`
    const response = await this.#options.transport.request({ method: 'GET', path, headers: {}, stream: true, signal })
    assert.equal(response.status, 200)
    for await (const line of response.lines()) yield JSON.parse(line)
  }

  /** False when the copy is too old to go on from. */
  #take(event: SeenEvent): boolean {
    const { type, object } = event
    if (type === 'ERROR') {
      assert.equal(object.code, 410, JSON.stringify(event))
      this.#version = ''
      return false
    }
    const { resourceVersion, uid } = object.metadata
    const key = keyOf(object)
    const known = this.#copy.get(key)
    assert.ok(
      Number(resourceVersion) > Number(this.#version),
      `${type} ${key} of ${resourceVersion} after ${this.#version}`,
    )
    if (type === 'ADDED') assert.equal(known, undefined, `${key} was added twice`)
    else assert.equal(known?.metadata.uid, uid, `${type} of ${key}, which was never added`)
    if (type === 'DELETED') this.#copy.delete(key)
    else this.#copy.set(key, object)
    this.#version = resourceVersion
    this.#counts.events++
    this.#options.onEvent?.(event)
    return true
  }

  /** The copy against the server's memory of its version, if it reaches back that far. */
  async #compare(): Promise<void> {
    const then = await this.listed(this.#version)
    if (!then) return
    assert.deepEqual(this.copy, then.items, `the copy differs from the list at ${this.#version}`)
    this.#counts.compared++
  }

  async #get(query: Record<string, string>): Promise<{ status: number; body: Body }> {
    const { transport, path } = this.#options
    const search = new URLSearchParams({ ...query, ...this.#selector() })
    const response = await transport.request({ method: 'GET', path: `${path}?${search}`, headers: {} })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }

  #selector(): Record<string, string> {
    const { labelSelector } = this.#options
    return labelSelector === undefined ? {} : { labelSelector }
  }
}

const keyOf = ({ metadata }: Body) => `${metadata.namespace}/${metadata.name}`

/** By name, with the kind that items of built-in lists leave out. */
function sorted(items: readonly Body[]): readonly Body[] {
  return items
    .map(({ kind: _kind, apiVersion: _version, ...rest }) => rest as Body)
    .toSorted((left, right) => keyOf(left).localeCompare(keyOf(right)))
}
