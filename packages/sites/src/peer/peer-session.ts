/**
 * Requests to one site: a token that is kept while it is good, time-outs, and errors as the two kinds that there are.
 * Nothing is sent twice, unless the token was refused: whether a request may be repeated only its sender knows.
 */
import type { Clock } from '@godwit/ports'
import type { HttpAnswer, HttpExchange, HttpRequest } from '../http/exchange.ts'
import { jsonOf, type Login, logIn, type PeerToken } from './keystone-login.ts'
import type { MultipartBody } from './multipart.ts'
import { PeerRefused, PeerUnreachable } from './peer-site.ts'

export interface PeerRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the endpoint of the service. */
  readonly path: string
  readonly service?: 'dcmanager' | 'platform'
  readonly json?: unknown
  readonly form?: MultipartBody
}

export interface PeerSessionOptions {
  readonly login: Login
  readonly exchange: HttpExchange
  readonly clock: Clock
  /** 10 seconds unless told. */
  readonly loginTimeoutMs?: number
  /** 60 seconds unless told. */
  readonly requestTimeoutMs?: number
}

/** A token is renewed so long before it ends: a request that it begins may take as long as it may. */
const RENEW_BEFORE_MS = 120_000
/** Who asks, in the spelling by which such sites know each other. */
const USER_AGENT = 'dcmanager/1.0'

export class PeerSession {
  readonly #options: PeerSessionOptions
  #token: { readonly given: PeerToken; readonly untilMs: number } | undefined
  /** The login under way: those who need a token at the same time share it. */
  #login: Promise<PeerToken> | undefined

  constructor(options: PeerSessionOptions) {
    this.#options = options
  }

  /** @returns the parsed body @throws PeerRefused on a 4xx; PeerUnreachable on everything else that is no answer */
  async request(request: PeerRequest): Promise<unknown> {
    const token = await this.#current()
    let answer = await this.#send(request, token)
    if (answer.status === 401) {
      if (this.#token?.given === token) this.#token = undefined
      answer = await this.#send(request, await this.#current())
    }
    if (answer.status !== 200) throw failureOf(answer)
    const body = jsonOf(answer)
    if (body === undefined) throw new PeerUnreachable('the answer of the peer site is no JSON')
    return body
  }

  async #current(): Promise<PeerToken> {
    if (this.#token && this.#options.clock.now() < this.#token.untilMs) return this.#token.given
    this.#login ??= this.#logIn().finally(() => {
      this.#login = undefined
    })
    return await this.#login
  }

  async #logIn(): Promise<PeerToken> {
    const { login, clock, loginTimeoutMs = 10_000 } = this.#options
    const nowMs = clock.now()
    const given = await logIn(login, ({ method, url, json }) =>
      this.#exchange(
        {
          method,
          url,
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: json === undefined ? undefined : Buffer.from(JSON.stringify(json)),
        },
        loginTimeoutMs,
      ),
    )
    this.#token = { given, untilMs: nowMs + Math.max(given.lifeMs - RENEW_BEFORE_MS, given.lifeMs / 2) }
    return given
  }

  #send({ method, path, service, json, form }: PeerRequest, token: PeerToken): Promise<HttpAnswer> {
    const base = service === 'platform' ? token.platformUrl?.replace(/\/v1$/, '') : token.dcmanagerUrl
    if (base === undefined) throw new PeerRefused(404, 'the peer site has no public platform endpoint')
    const body = form?.body ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)))
    const contentType = form?.contentType ?? 'application/json'
    return this.#exchange(
      {
        method,
        url: `${base}${path}`,
        headers: {
          'x-auth-token': token.token,
          'user-agent': USER_AGENT,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': contentType }),
        },
        body,
      },
      this.#options.requestTimeoutMs ?? 60_000,
    )
  }

  async #exchange(request: HttpRequest, timeoutMs: number): Promise<HttpAnswer> {
    const { clock, exchange } = this.#options
    const ending = new AbortController()
    const timedOut = Promise.withResolvers<never>()
    const cancel = clock.after(timeoutMs, () => {
      ending.abort()
      timedOut.reject(new PeerUnreachable(`no answer from the peer site within ${timeoutMs / 1000} s`))
    })
    try {
      return await Promise.race([exchange(request, ending.signal), timedOut.promise])
    } catch (error) {
      if (error instanceof PeerUnreachable) throw error
      throw new PeerUnreachable(`the peer site cannot be reached: ${causeOf(error)}`, { cause: error })
    } finally {
      cancel()
    }
  }
}

/** A server's own failure says nothing of whether the request was carried out. */
function failureOf(answer: HttpAnswer): PeerRefused | PeerUnreachable {
  const body = jsonOf(answer)
  const given = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  const message = typeof given === 'string' ? given : `the peer site answered ${answer.status}`
  return answer.status >= 400 && answer.status < 500
    ? new PeerRefused(answer.status, message)
    : new PeerUnreachable(message)
}

/** The error of `fetch` itself says only that it failed. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
