/** Tokens of a keystone that others run: it is asked whose they are, with a token of this service's own. */
import { createHash } from 'node:crypto'
import { Retryable } from '@godwit/core'
import { type Clock, sleep } from '@godwit/ports'
import { z } from 'zod'
import type { HttpAnswer, HttpExchange } from '../http/exchange.ts'
import type { Identities } from './identities.ts'
import type { Identity } from './policies.ts'

export interface KeystoneIdentitiesOptions {
  readonly exchange: HttpExchange
  readonly clock: Clock
  /** With the version at the end: `http://10.0.0.1:5000/v3`. */
  readonly url: string
  /** Of this service, which may ask whose a token is. */
  readonly login: {
    readonly username: string
    readonly password: string
    readonly project: string
    readonly domain?: string
  }
  /** UUIDs of other sites, by the names of the users that they log in as (H19). */
  readonly peers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** A token that was revoked is believed so long at most. */
const MAX_BELIEVED_MS = 300_000
/** Programs that get a new token for each call would fill the memory otherwise. */
const MAX_KNOWN = 10_000

const tokenSchema = z.object({
  token: z.object({
    expires_at: z.string(),
    user: z.object({ name: z.string() }),
    project: z.object({ name: z.string() }).optional(),
    roles: z.array(z.object({ name: z.string() })).default([]),
  }),
})

interface Known {
  readonly identity: Identity
  readonly untilMs: number
}

export class KeystoneIdentities implements Identities {
  readonly #options: KeystoneIdentitiesOptions
  /** By digest: what is in memory is no token. */
  readonly #known = new Map<string, Known>()
  readonly #asked = new Map<string, Promise<Identity | undefined>>()
  #own: Promise<string> | undefined

  constructor(options: KeystoneIdentitiesOptions) {
    this.#options = options
  }

  async identify(token: string): Promise<Identity | undefined> {
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#known.get(key)
    if (known && this.#options.clock.now() < known.untilMs) return known.identity
    this.#known.delete(key)
    const asked = this.#asked.get(key) ?? this.#ask(key, token).finally(() => this.#asked.delete(key))
    this.#asked.set(key, asked)
    return await asked
  }

  async #ask(key: string, token: string): Promise<Identity | undefined> {
    const answer = await this.#validated(token)
    if (answer.status === 404) return undefined
    const parsed = tokenSchema.safeParse(jsonOf(answer))
    if (answer.status !== 200 || !parsed.success)
      throw new Retryable(`keystone answered ${answer.status} about a token`)
    const { user, project, roles, expires_at: expiresAt } = parsed.data.token
    const peerUuid = this.#options.peers?.[user.name]
    const identity: Identity = {
      user: user.name,
      project: project?.name ?? '',
      roles: roles.map(({ name }) => name),
      ...(peerUuid !== undefined && { peerUuid }),
    }
    this.#remember(key, { identity, untilMs: this.#options.clock.now() + believedMs(answer, expiresAt) })
    return identity
  }

  #remember(key: string, known: Known): void {
    this.#known.set(key, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break
      this.#known.delete(oldest)
    }
  }

  async #validated(token: string): Promise<HttpAnswer> {
    const own = await this.#ownToken()
    const answer = await this.#send('GET', { 'x-auth-token': own, 'x-subject-token': token })
    if (answer.status !== 401) return answer
    // Ours is over: the caller's would have been 404.
    this.#own = undefined
    return await this.#send('GET', { 'x-auth-token': await this.#ownToken(), 'x-subject-token': token })
  }

  async #ownToken(): Promise<string> {
    this.#own ??= this.#logIn()
    try {
      return await this.#own
    } catch (error) {
      this.#own = undefined
      throw error
    }
  }

  async #logIn(): Promise<string> {
    const { username, password, project, domain: name = 'Default' } = this.#options.login
    const domain = { name }
    const identity = { methods: ['password'], password: { user: { name: username, password, domain } } }
    const body = { auth: { identity, scope: { project: { name: project, domain } } } }
    const answer = await this.#send('POST', {}, Buffer.from(JSON.stringify(body)))
    const token = answer.headers['x-subject-token']
    if (answer.status !== 201 || token === undefined)
      throw new Retryable(`keystone answered ${answer.status} to the login of this service`)
    return token
  }

  async #send(method: string, headers: Readonly<Record<string, string>>, body?: Uint8Array): Promise<HttpAnswer> {
    const { exchange, clock, url, timeoutMs = 10_000 } = this.#options
    const ending = new AbortController()
    const over = new AbortController()
    const request = {
      method,
      url: `${url.replace(/\/+$/, '')}/auth/tokens`,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      body,
    }
    try {
      const late = sleep(clock, timeoutMs, over.signal).then(() => Promise.reject(new Error('no answer in time')))
      return await Promise.race([exchange(request, ending.signal), late])
    } catch (error) {
      ending.abort()
      throw new Retryable('keystone cannot be reached', { cause: error })
    } finally {
      over.abort()
    }
  }
}

/** By keystone's own clock, which it says with the answer; clocks of two machines are never compared. */
function believedMs({ headers }: HttpAnswer, expiresAt: string): number {
  const leftMs = Date.parse(expiresAt) - Date.parse(headers['date'] ?? '')
  return Number.isNaN(leftMs) ? 0 : Math.max(0, Math.min(MAX_BELIEVED_MS, leftMs))
}

function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}
