/**
 * Asks a real subcloud: its keystone for a token, then its agent for an audit. It is online when every service group has
 * an active member. A token is kept until a call with it is refused.
 */
import type { HttpAnswer, HttpExchange } from '../http/exchange.ts'
import type { Presence, ProbedSubcloud, SubcloudProbe } from './probe.ts'

export interface KeystoneProbeOptions {
  /** Checks certificates against the authority that this site gave the subcloud. */
  readonly exchange: HttpExchange
  readonly username: string
  readonly password: string
  readonly keystonePort?: number
  readonly agentPort?: number
}

const KEYSTONE_PORT = 5_001
const AGENT_PORT = 8_326
const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json' }

class Unauthorized extends Error {
  override readonly name = 'Unauthorized'
}

export class KeystoneProbe implements SubcloudProbe {
  readonly #options: KeystoneProbeOptions
  /** By region. */
  readonly #tokens = new Map<string, string>()

  constructor(options: KeystoneProbeOptions) {
    this.#options = options
  }

  async presence(subcloud: ProbedSubcloud, signal: AbortSignal): Promise<Presence> {
    try {
      return await this.#ask(subcloud, signal)
    } catch (error) {
      this.#tokens.delete(subcloud.region)
      return error instanceof Unauthorized ? 'unauthorized' : 'offline'
    }
  }

  async #ask(subcloud: ProbedSubcloud, signal: AbortSignal): Promise<Presence> {
    const known = this.#tokens.get(subcloud.region)
    const first = known === undefined ? undefined : await this.#audit(subcloud, known, signal)
    if (first && first.status !== 401) return presenceOf(first)
    const token = await this.#token(subcloud, signal)
    const answer = await this.#audit(subcloud, token, signal)
    if (answer.status === 401 || answer.status === 403) throw new Unauthorized('the agent refuses the token')
    this.#tokens.set(subcloud.region, token)
    return presenceOf(answer)
  }

  async #token({ address }: ProbedSubcloud, signal: AbortSignal): Promise<string> {
    const { exchange, username, password, keystonePort = KEYSTONE_PORT } = this.#options
    const domain = { name: 'Default' }
    const identity = { methods: ['password'], password: { user: { name: username, password, domain } } }
    const scope = { project: { name: 'admin', domain } }
    const body = Buffer.from(JSON.stringify({ auth: { identity, scope } }))
    const url = `https://${hostOf(address)}:${keystonePort}/v3/auth/tokens`
    const answer = await exchange({ method: 'POST', url, headers: JSON_TYPE, body }, signal)
    if (answer.status === 401 || answer.status === 403) throw new Unauthorized('keystone refuses the credentials')
    const token = answer.headers['x-subject-token']
    if (answer.status !== 201 || token === undefined) throw new Error(`keystone answered ${answer.status}`)
    return token
  }

  async #audit({ address }: ProbedSubcloud, token: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { exchange, agentPort = AGENT_PORT } = this.#options
    const url = `https://${hostOf(address)}:${agentPort}/v1/dcaudit`
    const headers = { ...JSON_TYPE, 'x-auth-token': token }
    return await exchange({ method: 'PATCH', url, headers, body: Buffer.from('{"base_audit":""}') }, signal)
  }
}

function presenceOf({ status, body }: HttpAnswer): Presence {
  if (status !== 200) return 'offline'
  const audit = JSON.parse(Buffer.from(body).toString()) as {
    readonly base_audit?: { readonly availability?: string }
  }
  return audit.base_audit?.availability === 'online' ? 'online' : 'offline'
}

const hostOf = (address: string) => (address.includes(':') ? `[${address}]` : address)
