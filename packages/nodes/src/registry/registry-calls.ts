/** Single requests to a registry with the authorization that it asks for. Retries nothing but a refused token, once. */
import type { Transport } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { type Answer, failureOf, lossOf } from './answer-failure.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { basicHeader, type RegistryCredentialSource } from './credentials.ts'
import { RegistryError } from './registry.ts'
import { isThisMachine, type RegistryBase } from './registry-base.ts'

export interface RegistryCallsOptions {
  readonly base: RegistryBase
  /** @param origin `https://host[:port]`: of the registry, its token service, or its store of blobs */
  readonly connect: (origin: string) => Transport
  readonly credentials: RegistryCredentialSource
  readonly clock: Clock
  /** Until the whole answer is there. */
  readonly timeoutMs: number
}

export interface RegistryCall {
  readonly method: 'HEAD' | 'GET' | 'DELETE'
  /** With the base's prefix. */
  readonly repository: string
  /** `manifests/…` or `blobs/…`. */
  readonly rest: string
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
}

interface Token {
  readonly header: string
  readonly expiresAtMs: number
}

/** No manifest or config blob of a snapshot comes near this. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const MAX_REDIRECTS = 3
/** The token specification's own default. */
const DEFAULT_TOKEN_SECONDS = 60
/** A token is not used in its last moments: it might expire on the way. */
const TOKEN_MARGIN_MS = 5_000
/** One for each repository and kind of access. */
const MAX_TOKENS = 20_000

export class RegistryCalls {
  readonly #options: RegistryCallsOptions
  readonly #transports = new Map<string, Transport>()
  readonly #tokens = new Map<string, Token>()
  readonly #fetching = new Map<string, Promise<Token>>()

  constructor(options: RegistryCallsOptions) {
    this.#options = options
  }

  /** Resolves with any status but 401. Throws RegistryError. */
  async send(call: RegistryCall): Promise<Answer> {
    const what = describeCall(call, this.#options.base.host)
    const key = `${call.repository} ${call.method === 'DELETE' ? 'delete' : 'pull'}`
    const used = this.#known(key)
    const first = await this.#ask(what, call, used?.header)
    if (first.status !== 401) return first
    const token = await this.#renewed(what, key, call, used, first)
    if (!token) throw failureOf(what, first, this.#options.clock)
    const second = await this.#ask(what, call, token.header)
    if (second.status !== 401) return second
    this.#tokens.delete(key)
    throw failureOf(what, second, this.#options.clock)
  }

  #known(key: string): Token | undefined {
    const token = this.#tokens.get(key)
    return token !== undefined && token.expiresAtMs > this.#options.clock.now() ? token : undefined
  }

  /** Another one than was refused; somebody else may have fetched it while the refused request was on its way. */
  async #renewed(what: string, key: string, call: RegistryCall, used: Token | undefined, refused: Answer) {
    const known = this.#known(key)
    if (known && known !== used) return known
    this.#tokens.delete(key)
    const challenge = parseChallenge(textOf(refused.headers['www-authenticate']))
    return challenge && (await this.#authorize(what, key, call, challenge))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#transports.values()].map(transport => transport.close()))
  }

  async #ask(what: string, { method, repository, rest, accept, signal }: RegistryCall, authorization?: string) {
    const { origin } = this.#options.base
    let url = new URL(`${origin}/v2/${repository}/${rest}`)
    for (let redirects = 0; ; redirects++) {
      // What authorizes us to the registry is nobody else's business.
      const own = url.origin === origin && authorization !== undefined ? { authorization } : {}
      const answer = await this.#exchange(what, method, url, { ...own, ...(accept && { accept }) }, signal)
      const location = textOf(answer.headers['location'])
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined
      if (!isRedirect || method !== 'GET') return answer
      if (redirects === MAX_REDIRECTS) throw new RegistryError('Invalid', `${what}: too many redirects`)
      url = new URL(location, url)
      this.#refuseClearText(what, url)
    }
  }

  async #exchange(
    what: string,
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
    body?: string,
  ): Promise<Answer> {
    const { timeoutMs } = this.#options
    try {
      const response = await this.#transport(url.origin).request({
        method,
        path: `${url.pathname}${url.search}`,
        headers: { 'user-agent': 'godwit', ...headers },
        timeoutMs,
        maxBodyBytes: MAX_BODY_BYTES,
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    } catch (error) {
      throw lossOf(what, error)
    }
  }

  /** Undefined: we have nothing that this challenge would accept. Callers that come meanwhile share the answer. */
  async #authorize(what: string, key: string, call: RegistryCall, challenge: Challenge): Promise<Token | undefined> {
    const credentials = await this.#options.credentials.find(this.#options.base.host)
    if (challenge.scheme === 'basic')
      return credentials?.kind === 'password'
        ? this.#keep(key, { header: basicHeader(credentials), expiresAtMs: Number.POSITIVE_INFINITY })
        : undefined
    if (challenge.scheme !== 'bearer') return undefined
    const underWay = this.#fetching.get(key)
    if (underWay) return await underWay
    const fetching = this.#fetchToken(what, call, challenge, credentials).then(token => this.#keep(key, token))
    this.#fetching.set(key, fetching)
    try {
      return await fetching
    } finally {
      this.#fetching.delete(key)
    }
  }

  async #fetchToken(
    what: string,
    { repository, method }: RegistryCall,
    { parameters }: Challenge,
    credentials: Awaited<ReturnType<RegistryCredentialSource['find']>>,
  ): Promise<Token> {
    const realm = URL.canParse(parameters.get('realm') ?? '') ? new URL(parameters.get('realm') ?? '') : undefined
    const asking = `${what}: token`
    if (!realm) throw new RegistryError('Invalid', `${asking}: the registry names no token service`)
    this.#refuseClearText(asking, realm)
    const scope = parameters.get('scope') ?? `repository:${repository}:${method === 'DELETE' ? 'delete' : 'pull'}`
    const wanted = new URLSearchParams({ scope })
    const service = parameters.get('service')
    if (service !== undefined) wanted.set('service', service)
    const answer = await this.#askForToken(asking, realm, wanted, credentials)
    if (answer.status !== 200) throw failureOf(asking, answer, this.#options.clock)
    return this.#readToken(asking, answer)
  }

  #askForToken(
    asking: string,
    realm: URL,
    wanted: URLSearchParams,
    credentials: Awaited<ReturnType<RegistryCredentialSource['find']>>,
  ): Promise<Answer> {
    if (credentials?.kind === 'refreshToken') {
      wanted.set('grant_type', 'refresh_token')
      wanted.set('client_id', 'godwit')
      wanted.set('refresh_token', credentials.token)
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return this.#exchange(asking, 'POST', realm, type, undefined, wanted.toString())
    }
    const url = new URL(realm)
    for (const [name, value] of wanted) url.searchParams.set(name, value)
    const headers = credentials ? { authorization: basicHeader(credentials) } : {}
    return this.#exchange(asking, 'GET', url, headers, undefined)
  }

  #readToken(asking: string, { text }: Answer): Token {
    const body = parseObject(text)
    const token = body?.['token'] ?? body?.['access_token']
    // A token with control characters would end up as a header of our own making.
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new RegistryError('Invalid', `${asking}: the token service sent no token`)
    const seconds = Number(body?.['expires_in'] ?? DEFAULT_TOKEN_SECONDS)
    const lifetimeMs = (Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_TOKEN_SECONDS) * 1000
    return { header: `Bearer ${token}`, expiresAtMs: this.#options.clock.now() + lifetimeMs - TOKEN_MARGIN_MS }
  }

  #keep(key: string, token: Token): Token {
    const [oldest] = this.#tokens.keys()
    if (this.#tokens.size >= MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest)
    this.#tokens.set(key, token)
    return token
  }

  /** A registry on this machine may send us elsewhere on this machine; nobody else may send us anywhere in the clear. */
  #refuseClearText(what: string, url: URL): void {
    const isLocal = isThisMachine(url.host) && isThisMachine(this.#options.base.host)
    if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return
    throw new RegistryError(
      'Invalid',
      `${what}: the registry refers to ${url.protocol}//${url.host}, which is not https`,
    )
  }

  #transport(origin: string): Transport {
    const known = this.#transports.get(origin)
    if (known) return known
    const made = this.#options.connect(origin)
    this.#transports.set(origin, made)
    return made
  }
}

const describeCall = ({ method, repository, rest }: RegistryCall, host: string) =>
  `${method} ${host}/${repository}/${rest}`

export const textOf = (value: string | readonly string[] | undefined) =>
  typeof value === 'string' || value === undefined ? value : value.join(', ')

/** Undefined: no JSON, or no object. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
