/** Who may do what in the embedded registry: nobody is asked, by password, or by tokens that a token service issues. */
import { createHash } from 'node:crypto'
import type { Clock } from '@godwit/ports'
import { errorAnswer, headerOf, jsonAnswer, type RegistryAnswer, type RegistryRequest } from './message.ts'

export type RegistryAction = 'pull' | 'push' | 'delete'

export interface RegistryUser {
  readonly name: string
  readonly password: string
  readonly may: readonly RegistryAction[]
}

export type RegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly users: readonly RegistryUser[] }
  | {
      readonly kind: 'token'
      readonly users: readonly RegistryUser[]
      /** What somebody without credentials may do. Default nothing. */
      readonly anonymous?: readonly RegistryAction[]
      /** Default five minutes. */
      readonly lifetimeMs?: number
    }

interface Grant {
  readonly repository: string
  readonly actions: readonly string[]
  readonly expiresAtMs: number
}

const DEFAULT_LIFETIME_MS = 300_000
const SERVICE = 'embedded-registry'
/** Tokens are forgotten beyond this; whoever holds one asks for another. */
const MAX_TOKENS = 10_000

export class RegistryAccess {
  readonly #auth: RegistryAuth
  readonly #clock: Clock
  readonly #grants = new Map<string, Grant>()
  #issued = 0

  constructor(auth: RegistryAuth, clock: Clock) {
    this.#auth = auth
    this.#clock = clock
  }

  /** Why the request is refused, or undefined when it is not. */
  refusal(request: RegistryRequest, action: RegistryAction, repository: string): RegistryAnswer | undefined {
    const auth = this.#auth
    if (auth.kind === 'none') return undefined
    if (auth.kind === 'basic') {
      const user = userOf(auth.users, request)
      if (!user) return unauthorized('Basic realm="embedded registry"')
      return user.may.includes(action) ? undefined : denied()
    }
    const grant = this.#grantOf(request)
    const challenge = `Bearer realm="${this.#realm(request)}",service="${SERVICE}",scope="repository:${repository}:${scopeOf(action)}"`
    if (!grant) return unauthorized(challenge)
    const isCovered = grant.repository === repository || repository === ''
    if (!isCovered || !grant.actions.includes(action))
      return isAsked(grant, repository) ? denied() : unauthorized(`${challenge},error="insufficient_scope"`)
    return undefined
  }

  /** The token service: `GET /token?service=…&scope=repository:NAME:ACTIONS`, by password or for nobody in particular. */
  issue(request: RegistryRequest, query: URLSearchParams): RegistryAnswer {
    const auth = this.#auth
    if (auth.kind !== 'token') return errorAnswer(404, 'UNSUPPORTED', 'there is no token service')
    const user = userOf(auth.users, request)
    if (!user && headerOf(request, 'authorization') !== undefined)
      return errorAnswer(401, 'UNAUTHORIZED', 'no such user, or not this password')
    const may: readonly string[] = user?.may ?? auth.anonymous ?? []
    const [, repository = '', actions = ''] = /^repository:(.+):([a-z,*]+)$/.exec(query.get('scope') ?? '') ?? []
    const lifetimeMs = auth.lifetimeMs ?? DEFAULT_LIFETIME_MS
    const token = createHash('sha256')
      .update(`${++this.#issued} ${repository} ${this.#clock.now()}`)
      .digest('base64url')
    const granted = actions.split(',').filter(action => may.includes(action))
    this.#grants.set(token, { repository, actions: granted, expiresAtMs: this.#clock.now() + lifetimeMs })
    const [oldest] = this.#grants.keys()
    if (this.#grants.size > MAX_TOKENS && oldest !== undefined) this.#grants.delete(oldest)
    return jsonAnswer(200, { token, expires_in: Math.floor(lifetimeMs / 1000) })
  }

  #grantOf(request: RegistryRequest): Grant | undefined {
    const [, token = ''] = /^Bearer (.+)$/i.exec(headerOf(request, 'authorization') ?? '') ?? []
    const grant = this.#grants.get(token)
    return grant && grant.expiresAtMs > this.#clock.now() ? grant : undefined
  }

  #realm(request: RegistryRequest): string {
    return `http://${headerOf(request, 'host') ?? 'localhost'}/token`
  }
}

/** Registries ask for the right to pull along with any other. */
const scopeOf = (action: RegistryAction) => (action === 'pull' ? 'pull' : `pull,${action}`)

/** The token was issued for this repository: asking for another one would not help. */
const isAsked = (grant: Grant, repository: string) => grant.repository === repository && grant.actions.length > 0

const unauthorized = (challenge: string) =>
  errorAnswer(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge })
const denied = () => errorAnswer(403, 'DENIED', 'requested access to the resource is denied')

function userOf(users: readonly RegistryUser[], request: RegistryRequest): RegistryUser | undefined {
  const [, encoded = ''] = /^Basic (.+)$/i.exec(headerOf(request, 'authorization') ?? '') ?? []
  const pair = Buffer.from(encoded, 'base64').toString()
  return users.find(({ name, password }) => pair === `${name}:${password}`)
}
