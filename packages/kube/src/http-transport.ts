/** Requests over node:http and node:https, with sockets that are kept open and, for changing credentials, replaced. */
import http from 'node:http'
import https from 'node:https'
import { type Clock, systemClock } from '@godwit/ports'
import { exchange, StaleSocketError } from './http-exchange.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

/** Who a request comes from. Never logged. */
export interface Credentials {
  /** The whole header: `Bearer …` or `Basic …`. */
  readonly authorization?: string
  /** PEM. */
  readonly cert?: string | Buffer
  /** PEM. */
  readonly key?: string | Buffer
}

export interface CredentialSource {
  /** Asked before each request, so it must be cheap; may change from call to call. */
  current(): Promise<Credentials>
  /** The server did not accept what `current` returned (401): forget it if it was kept. */
  refuse?(): void
}

export interface HttpTransportOptions {
  /** `https://host:port[/prefix]`; `http://…` without credentials, or to this machine. */
  readonly server: string
  /** PEM of the authorities to trust; default: those of the system. */
  readonly ca?: string | Buffer
  /** PEM of a client certificate, and of its key. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  /** Bearer token. */
  readonly token?: string
  /** Asked for the bearer token before each request, so that a rotated one is picked up. */
  readonly tokenSource?: () => string | Promise<string>
  /** Headers of a user to act as, in requests that do not bring an identity of their own. */
  readonly impersonation?: TransportRequest['headers']
  /** In place of cert, key, token and tokenSource. */
  readonly credentials?: CredentialSource
  /** Name in the server's certificate when it is not the host of `server`. */
  readonly serverName?: string
  readonly insecureSkipTlsVerify?: boolean
  /** Requests under way at the same time; watches have sockets of their own. */
  readonly maxSockets?: number
  /** For a proxy: makes the connections of requests and of watches. */
  readonly agent?: http.Agent
  readonly clock?: Clock
}

export const DEFAULT_MAX_SOCKETS = 32

/** Throws when `server` is no URL, or would be sent a token in the clear over a network. */
export function httpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(options)
}

class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions
  readonly #server: URL
  readonly #prefix: string
  readonly #clock: Clock
  readonly #credentials: CredentialSource
  /** For requests that bring an identity of their own: a client certificate would outrank their token. */
  readonly #anonymous: Connections
  #own: Connections

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#server = new URL(options.server)
    this.#prefix = this.#server.pathname.replace(/\/+$/, '')
    this.#clock = options.clock ?? systemClock
    this.#credentials = options.credentials ?? staticCredentials(options)
    this.#anonymous = this.#connect({})
    this.#own = this.#anonymous
    if (options.token !== undefined || options.tokenSource) this.#refuseClearText()
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    if ('authorization' in request.headers) {
      this.#refuseClearText()
      return this.#send(request, this.#anonymous, request.headers)
    }
    const response = await this.#sendOwn(request)
    // A 401 comes before any effect, so even a write may be sent again, once, with new credentials.
    if (response.status !== 401 || !this.#credentials.refuse) return response
    await response.text()
    this.#credentials.refuse()
    return this.#sendOwn(request)
  }

  async close(): Promise<void> {
    this.#own.destroy()
    this.#anonymous.destroy()
  }

  async #sendOwn(request: TransportRequest): Promise<TransportResponse> {
    const credentials = await this.#credentials.current()
    const { authorization } = credentials
    if (authorization !== undefined) this.#refuseClearText()
    const impersonation = 'impersonate-user' in request.headers ? {} : this.#options.impersonation
    const headers = { ...impersonation, ...request.headers, ...(authorization !== undefined && { authorization }) }
    return this.#send(request, this.#connectionsFor(credentials), headers)
  }

  async #send(
    request: TransportRequest,
    connections: Connections,
    headers: TransportRequest['headers'],
  ): Promise<TransportResponse> {
    const agent = request.stream ? connections.streams : connections.requests
    try {
      return await exchange(this.#open(request, headers, agent), request, this.#clock)
    } catch (error) {
      // A read may simply be asked again. A write may not: the server may have read it before it closed.
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      if (!(error instanceof StaleSocketError) || !isRead) throw error
      return await exchange(this.#open(request, headers, connections.fresh), request, this.#clock)
    }
  }

  #open({ method, path }: TransportRequest, headers: TransportRequest['headers'], agent: http.Agent) {
    const { protocol, hostname, port } = this.#server
    const library = protocol === 'https:' ? https : http
    return library.request({
      method,
      path: this.#prefix + path,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      headers: headers as http.OutgoingHttpHeaders,
      agent,
    })
  }

  #connectionsFor({ cert, key }: Credentials): Connections {
    if (cert === undefined || key === undefined) return this.#anonymous
    if (!this.#own.isFor(cert, key)) {
      if (this.#own !== this.#anonymous) this.#own.retire()
      this.#own = this.#connect({ cert, key })
    }
    return this.#own
  }

  #connect(identity: Credentials): Connections {
    const { ca, serverName, insecureSkipTlsVerify, maxSockets = DEFAULT_MAX_SOCKETS, agent } = this.#options
    const tls: https.AgentOptions = {
      ...identity,
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { servername: serverName }),
      ...(insecureSkipTlsVerify && { rejectUnauthorized: false }),
    }
    const library = this.#server.protocol === 'https:' ? https : http
    return new Connections(identity, {
      requests: agent ?? new library.Agent({ ...tls, keepAlive: true, maxSockets, scheduling: 'lifo' }),
      streams: agent ?? new library.Agent({ ...tls, keepAlive: true }),
      fresh: agent ?? new library.Agent({ ...tls, keepAlive: false }),
    })
  }

  #refuseClearText(): void {
    if (this.#server.protocol === 'https:' || isThisMachine(this.#server.hostname)) return
    throw new Error(`a token is not sent to ${this.#server.origin} in clear text: use https`)
  }
}

const isThisMachine = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)

function staticCredentials({ cert, key, token, tokenSource }: HttpTransportOptions): CredentialSource {
  const certificate = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }
  const bearer = async () => (tokenSource ? await tokenSource() : token)
  return {
    async current() {
      const current = await bearer()
      return current === undefined ? certificate : { ...certificate, authorization: `Bearer ${current}` }
    },
  }
}

interface Agents {
  /** Kept open, limited in number. */
  readonly requests: http.Agent
  /** For watches, which would use up the limit. */
  readonly streams: http.Agent
  /** Never a socket that was used before. */
  readonly fresh: http.Agent
}

/** Sockets that speak for one identity. */
class Connections implements Agents {
  readonly requests: http.Agent
  readonly streams: http.Agent
  readonly fresh: http.Agent
  readonly #identity: Credentials

  constructor(identity: Credentials, agents: Agents) {
    this.#identity = identity
    this.requests = agents.requests
    this.streams = agents.streams
    this.fresh = agents.fresh
  }

  isFor(cert: string | Buffer, key: string | Buffer): boolean {
    return String(this.#identity.cert) === String(cert) && String(this.#identity.key) === String(key)
  }

  /** Lets requests under way finish, and keeps no socket after them. */
  retire(): void {
    for (const agent of [this.requests, this.streams]) {
      agent.maxFreeSockets = 0
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    }
  }

  destroy(): void {
    for (const agent of [this.requests, this.streams, this.fresh]) agent.destroy()
  }
}
