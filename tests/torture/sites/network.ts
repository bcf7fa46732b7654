/** What lies between the two sites: requests may be cut off, lost on the way there or back, repeated, or late. */
import { type Clock, type Random, sleep } from '@godwit/ports'
import type { HttpAnswer, HttpExchange, HttpRequest } from '@godwit/sites'

/** 0…1, each. */
export interface NetworkKnobs {
  /** Never arrives. */
  readonly loses: number
  /** Arrives, and its answer does not. */
  readonly losesAnswer: number
  /** Arrives twice, as after a proxy that tried again. */
  readonly repeats: number
  readonly delays: number
  readonly maxDelayMs: number
}

export const CALM: NetworkKnobs = { loses: 0, losesAnswer: 0, repeats: 0, delays: 0, maxDelayMs: 0 }
/** Until a sender notices that nobody answers. */
const SILENCE_MS = 4_000

export interface NetworkOptions {
  readonly clock: Clock
  readonly random: Random
  /** By the name of a host; rejects when nobody listens. */
  readonly deliver: (host: string, request: HttpRequest) => Promise<HttpAnswer>
}

export class Network {
  knobs: NetworkKnobs = CALM
  /** Nothing arrives anywhere. */
  isCut = false
  strikes = 0
  readonly #options: NetworkOptions

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  readonly exchange: HttpExchange = async request => {
    const { deliver, random, clock } = this.#options
    const { loses, losesAnswer, repeats, delays, maxDelayMs } = this.knobs
    if (this.isCut) return await this.#silence()
    if (this.#strikes(loses)) return await this.#silence()
    if (this.#strikes(delays)) await sleep(clock, random.next() * maxDelayMs)
    const { host } = new URL(request.url)
    if (this.#strikes(repeats)) await deliver(host, request).catch(() => undefined)
    const answer = await deliver(host, request)
    if (this.isCut || this.#strikes(losesAnswer)) return await this.#silence()
    return answer
  }

  async #silence(): Promise<never> {
    await sleep(this.#options.clock, SILENCE_MS)
    throw new Error('no answer')
  }

  #strikes(rate: number): boolean {
    if (rate <= 0 || this.#options.random.next() >= rate) return false
    this.strikes++
    return true
  }
}
