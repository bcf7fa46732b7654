/** Whether a lost site is seen alive on another way: another address of it, a witness, its subclouds. */
import type { Clock } from '@godwit/ports'
import type { HttpExchange } from '../http/exchange.ts'
import type { SecondView } from './decide.ts'

/** `unknown`: this way tells nothing at the moment. Never rejects. */
export type SecondPath = () => Promise<SecondView>

export interface UrlPathOptions {
  readonly url: string
  readonly exchange: HttpExchange
  readonly clock: Clock
  /** 10 seconds unless told. */
  readonly timeoutMs?: number
}

/** Whatever is answered, somebody is there. Silence counts only from an address that is not reached by the same link. */
export const urlPath =
  ({ url, exchange, clock, timeoutMs = 10_000 }: UrlPathOptions): SecondPath =>
  async () => {
    const ending = new AbortController()
    const late = Promise.withResolvers<'lost'>()
    const cancel = clock.after(timeoutMs, () => {
      ending.abort()
      late.resolve('lost')
    })
    const asked = exchange({ method: 'GET', url, headers: { accept: '*/*' }, body: undefined }, ending.signal)
    try {
      return await Promise.race([asked.then(() => 'alive' as const), late.promise])
    } catch {
      return 'lost'
    } finally {
      cancel()
    }
  }

export interface WitnessPathOptions {
  /** How many of the subclouds that were asked still hear their controller; undefined: none could be asked. */
  readonly ask: () => Promise<{ readonly asked: number; readonly hearing: number } | undefined>
}

/** One subcloud that hears its controller is a living controller. */
export const witnessPath =
  ({ ask }: WitnessPathOptions): SecondPath =>
  async () => {
    try {
      const answer = await ask()
      if (!answer || answer.asked === 0) return 'unknown'
      return answer.hearing > 0 ? 'alive' : 'lost'
    } catch {
      return 'unknown'
    }
  }

/** One way that sees it alive is enough to leave it alone. */
export async function secondView(paths: readonly SecondPath[]): Promise<SecondView> {
  const views = await Promise.all(paths.map(path => path()))
  if (views.includes('alive')) return 'alive'
  return views.includes('lost') ? 'lost' : 'unknown'
}
