/** Simulated subclouds as a small HTTP service: sites in other processes run playbooks on them and ask for them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, sleep } from '@godwit/ports'
import type { SimulatedRun } from './playbook-steps.ts'
import type { NewSubcloud, SimulatedSubclouds } from './simulated-subclouds.ts'
import type { SubcloudKnobs } from './subcloud-knobs.ts'

/** HTTP without sockets, as the sites speak it. */
export interface SimulatorRequest {
  readonly method: string
  /** Path and query, with or without an origin. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}
export interface SimulatorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}
export type SimulatorExchange = (request: SimulatorRequest, signal?: AbortSignal) => Promise<SimulatorAnswer>

interface Answer {
  readonly status: number
  readonly value: unknown
}
interface Question {
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly signal: AbortSignal | undefined
}

const NOT_FOUND: Answer = { status: 404, value: { error: 'not found' } }
const DONE: Answer = { status: 200, value: {} }
const MAX_WAIT_MS = 60_000

export function subcloudApi(subclouds: SimulatedSubclouds, clock: Clock): SimulatorExchange {
  const service = new SubcloudApi(subclouds, clock)
  return async ({ method, url, headers, body }, signal) => {
    const { pathname, searchParams } = new URL(url, 'http://simulator')
    const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const parsed: unknown = body && body.length > 0 ? JSON.parse(Buffer.from(body).toString()) : undefined
    const { status, value } = await service.answer(method, parts, {
      query: searchParams,
      headers,
      body: parsed,
      signal,
    })
    return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) }
  }
}

class SubcloudApi {
  readonly #subclouds: SimulatedSubclouds
  readonly #clock: Clock

  constructor(subclouds: SimulatedSubclouds, clock: Clock) {
    this.#subclouds = subclouds
    this.#clock = clock
  }

  async answer(method: string, [root, id, verb]: readonly string[], question: Question): Promise<Answer> {
    if (root === 'runs') return await this.#runs(method, id, verb, question)
    if (root === 'subclouds') return this.#subcloud(method, id, verb, question)
    if (root !== 'history' || method !== 'GET') return NOT_FOUND
    const { history, violations, started } = this.#subclouds
    return { status: 200, value: { history, violations, started: started.map(({ runId }) => runId) } }
  }

  async #runs(method: string, id: string | undefined, verb: string | undefined, question: Question): Promise<Answer> {
    if (method === 'POST' && id === undefined) {
      const order = question.body as SimulatedRun
      this.#subclouds.start(order)
      return await this.#state(order.runId, question)
    }
    if (method === 'DELETE' && id === undefined) {
      for (const each of question.query.getAll('run')) this.#subclouds.discard(each)
      return DONE
    }
    if (id === undefined) return NOT_FOUND
    if (method === 'GET') return await this.#state(id, question)
    if (method !== 'POST' || verb !== 'cancel') return NOT_FOUND
    this.#subclouds.interrupt(id, 'the run was cancelled')
    return DONE
  }

  /** Answers when the run has ended, or `wait_ms` are over. */
  async #state(id: string, { query, signal }: Question): Promise<Answer> {
    const waitMs = Math.min(MAX_WAIT_MS, Number(query.get('wait_ms') ?? 0))
    if (waitMs > 0 && this.#subclouds.run(id)?.kind === 'running') {
      const isOver = new AbortController()
      const until = signal ? AbortSignal.any([signal, isOver.signal]) : isOver.signal
      await Promise.race([this.#subclouds.ended(id), sleep(this.#clock, waitMs, until)])
      isOver.abort('over')
    }
    const value = this.#subclouds.run(id)
    return value ? { status: 200, value } : NOT_FOUND
  }

  #subcloud(method: string, region: string | undefined, verb: string | undefined, question: Question): Answer {
    const { body, query, headers } = question
    if (region === undefined) {
      if (method === 'POST') this.#subclouds.add(body as NewSubcloud)
      if (method === 'POST') return DONE
      const address = query.get('bootstrap_address')
      const regions = address === null ? this.#subclouds.regions : (this.#subclouds.regionAt(address) ?? [])
      const homes = [regions].flat().map(each => ({ region: each, site: this.#subclouds.home(each).site }))
      return { status: 200, value: { subclouds: homes } }
    }
    if (method === 'GET' && verb === 'online') {
      const who = { site: query.get('site') ?? '', credentials: headers['x-site-credentials'] ?? '' }
      return { status: 200, value: { presence: this.#subclouds.presence(region, who) } }
    }
    if (!this.#subclouds.regions.includes(region)) return NOT_FOUND
    if (method === 'PATCH') this.#subclouds.turn(region, body as Partial<SubcloudKnobs>)
    return { status: 200, value: { region, site: this.#subclouds.home(region).site } }
  }
}

export interface SubcloudServer {
  readonly url: string
  stop(): Promise<void>
}

/** On loopback. @param port 0: any free one */
export async function startSubcloudServer(exchange: SimulatorExchange, port = 0): Promise<SubcloudServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const { method = 'GET', url = '/' } = request
      const credentials = String(request.headers['x-site-credentials'] ?? '')
      const answer = await exchange(
        { method, url, headers: { 'x-site-credentials': credentials }, body: Buffer.concat(chunks) },
        gone.signal,
      )
      response.writeHead(answer.status, answer.headers).end(answer.body)
    } catch (error) {
      response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: String(error) }))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
