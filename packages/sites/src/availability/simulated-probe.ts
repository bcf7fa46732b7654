/** Asks simulated subclouds, over their HTTP service. */
import type { HttpExchange } from '../http/exchange.ts'
import type { Presence, ProbedSubcloud, SubcloudProbe } from './probe.ts'

export interface SimulatedProbeOptions {
  readonly exchange: HttpExchange
  /** Of the service, without a slash at the end. */
  readonly url: string
  readonly site: { readonly uuid: string; readonly credentials: string }
}

export class SimulatedProbe implements SubcloudProbe {
  readonly #options: SimulatedProbeOptions

  constructor(options: SimulatedProbeOptions) {
    this.#options = options
  }

  async presence({ region }: ProbedSubcloud, signal: AbortSignal): Promise<Presence> {
    const { exchange, url, site } = this.#options
    const headers = { 'x-site-credentials': site.credentials }
    const path = `/subclouds/${encodeURIComponent(region)}/online?site=${encodeURIComponent(site.uuid)}`
    try {
      const answer = await exchange({ method: 'GET', url: `${url}${path}`, headers, body: undefined }, signal)
      const { presence } = JSON.parse(Buffer.from(answer.body).toString()) as { readonly presence?: Presence }
      return answer.status === 200 && presence ? presence : 'offline'
    } catch {
      return 'offline'
    }
  }
}
