/**
 * A small OCI registry inside the process: over loopback HTTP, or straight through `transport`. It keeps everything in
 * memory, answers as the classic registry does, and goes wrong when it is told to.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Transport } from '@godwit/kube'
import { type Clock, type Random, seededRandom, sleep, systemClock } from '@godwit/ports'
import { RegistryAccess, type RegistryAuth } from './access.ts'
import { RegistryContent } from './content.ts'
import { type RegistryFaultEffect, RegistryFaults } from './faults.ts'
import { InProcessRegistryTransport } from './in-process.ts'
import { errorAnswer, type RegistryAnswer, type RegistryOutcome, type RegistryRequest } from './message.ts'
import { actionOf, type RegistryRoute, RegistryRoutes, type RegistryRules, routeOf } from './routes.ts'

export interface EmbeddedRegistryOptions extends Partial<RegistryRules> {
  /** False: no socket, only `transport` and `handle`. Default true: 127.0.0.1. */
  readonly listen?: boolean
  /** Default: any free one. */
  readonly port?: number
  readonly auth?: RegistryAuth
  /** Default: empty. Handed to a second registry, it is what a restart finds. */
  readonly content?: RegistryContent
  readonly clock?: Clock
  readonly random?: Random
}

/** Told of each request after it was decided. */
export type RegistryRequestNote = Pick<RegistryRoute, 'part' | 'repository' | 'reference'> & {
  readonly method: string
  readonly status: number
}

/** Larger bodies than a simulated snapshot has are a mistake. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

export class EmbeddedRegistry {
  readonly content: RegistryContent
  readonly faults: RegistryFaults
  readonly #routes: RegistryRoutes
  readonly #access: RegistryAccess
  readonly #clock: Clock
  readonly #listeners = new Set<(note: RegistryRequestNote) => void>()
  #server: Server | undefined
  #port = 0
  #isDown = false

  private constructor(options: EmbeddedRegistryOptions) {
    const { deletion = true, tagDeletion = false, clock = systemClock, random = seededRandom(1) } = options
    this.content = options.content ?? new RegistryContent()
    this.faults = new RegistryFaults(random)
    this.#clock = clock
    this.#access = new RegistryAccess(options.auth ?? { kind: 'none' }, clock)
    this.#routes = new RegistryRoutes(this.content, { deletion, tagDeletion })
  }

  static async start(options: EmbeddedRegistryOptions = {}): Promise<EmbeddedRegistry> {
    const registry = new EmbeddedRegistry(options)
    if (options.listen ?? true) await registry.#listen(options.port ?? 0)
    return registry
  }

  /** `127.0.0.1:PORT`, as it stands in front of repository names; without a socket a name that leads nowhere. */
  get host(): string {
    return this.#port === 0 ? 'registry.invalid' : `127.0.0.1:${this.#port}`
  }

  get url(): string {
    return `http://${this.host}`
  }

  onRequest(listener: (note: RegistryRequestNote) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A way in without sockets. */
  transport(): Transport {
    return new InProcessRegistryTransport({
      handle: request => this.handle({ ...request, headers: { host: this.host, ...request.headers } }),
      clock: this.#clock,
    })
  }

  /** Unreachable, as after a kill or behind a cut cable, until it is told otherwise. What it holds stays. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown
    if (isDown) this.#server?.closeAllConnections()
  }

  get isDown(): boolean {
    return this.#isDown
  }

  /** Answers one request; everything else only brings requests here. */
  async handle(request: RegistryRequest): Promise<RegistryOutcome> {
    if (this.#isDown) return { type: 'cut' }
    const route = routeOf(request.path)
    if (!route) return { type: 'answer', answer: errorAnswer(404, 'UNSUPPORTED', 'page not found') }
    const effects = this.faults.strike({ ...route, method: request.method })
    for (const effect of effects) if (effect.kind === 'delay') await sleep(this.#clock, effect.delayMs)
    if (this.#isDown) return { type: 'cut' }
    const outcome = this.#struck(
      request,
      route,
      effects.find(({ kind }) => kind !== 'delay'),
    )
    const status = 'answer' in outcome ? outcome.answer.status : 0
    for (const listener of this.#listeners) listener({ ...route, method: request.method, status })
    return outcome
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  #struck(request: RegistryRequest, route: RegistryRoute, effect: RegistryFaultEffect | undefined): RegistryOutcome {
    switch (effect?.kind) {
      case undefined:
      case 'delay':
        return { type: 'answer', answer: this.#answer(request, route) }
      case 'half':
        return { type: 'half', answer: this.#answer(request, route) }
      case 'status':
        if (effect.applied) this.#answer(request, route)
        return { type: 'answer', answer: faultAnswer(effect) }
      case 'cut':
      case 'silence':
        if (effect.applied) this.#answer(request, route)
        return { type: effect.kind }
    }
  }

  #answer(request: RegistryRequest, route: RegistryRoute): RegistryAnswer {
    if (route.part === 'token') return this.#access.issue(request, route.query)
    const refused = this.#access.refusal(request, actionOf(request.method), route.repository)
    return refused ?? this.#routes.answer(request, route)
  }

  async #listen(port: number): Promise<void> {
    const server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = incoming
    const outcome = await this.handle({ method, path, headers, body: await bodyOf(incoming) })
    if (outcome.type === 'silence') return
    if (outcome.type === 'cut') {
      outgoing.destroy()
      return
    }
    const { status, headers: answered, body } = outcome.answer
    outgoing.writeHead(status, answered)
    if (method === 'HEAD') outgoing.end()
    else if (outcome.type === 'answer') outgoing.end(body)
    else outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy())
  }
}

const FAULT_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'MANIFEST_UNKNOWN',
  405: 'UNSUPPORTED',
  429: 'TOOMANYREQUESTS',
}

const faultAnswer = ({ code, retryAfterSeconds }: Extract<RegistryFaultEffect, { kind: 'status' }>) =>
  errorAnswer(code, FAULT_CODES[code] ?? 'UNKNOWN', 'a fault was switched on', {
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  })

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of incoming) {
    const bytes = chunk as Buffer
    sizeBytes += bytes.length
    if (sizeBytes > MAX_BODY_BYTES) throw new Error('the body is too large')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
