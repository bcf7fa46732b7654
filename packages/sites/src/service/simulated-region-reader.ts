/** Asks the service of simulated subclouds which of them is at an address. */
import { networkExchange } from '../http/socket-exchange.ts'
import type { RegionReader } from '../subcloud/region-reader.ts'

export class SimulatedRegionReader implements RegionReader {
  readonly #url: string

  /** @param url of the service, without a slash at the end */
  constructor(url: string) {
    this.#url = url
  }

  async regionOf({ bootstrapAddress }: { readonly bootstrapAddress: string }): Promise<string> {
    const url = `${this.#url}/subclouds?bootstrap_address=${encodeURIComponent(bootstrapAddress)}`
    const answer = await networkExchange({ method: 'GET', url, headers: {}, body: undefined })
    const { subclouds } = JSON.parse(Buffer.from(answer.body).toString()) as {
      readonly subclouds?: readonly { readonly region: string }[]
    }
    const [found] = subclouds ?? []
    if (!found) throw new Error(`nobody answers at ${bootstrapAddress}`)
    return found.region
  }
}
