/** Requests straight into an embedded registry, with the interface of an HTTP transport and its ways to fail. */
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import type { RegistryOutcome, RegistryRequest } from './message.ts'

export interface InProcessOptions {
  readonly handle: (request: RegistryRequest) => Promise<RegistryOutcome>
  readonly clock: Clock
}

const DEFAULT_TIMEOUT_MS = 30_000

export class InProcessRegistryTransport implements Transport {
  readonly #options: InProcessOptions

  constructor(options: InProcessOptions) {
    this.#options = options
  }

  request(request: TransportRequest): Promise<TransportResponse> {
    const { handle, clock } = this.#options
    const { method, path, headers, body = '', timeoutMs = DEFAULT_TIMEOUT_MS, signal } = request
    return new Promise((resolve, reject) => {
      const end = (reason: 'Timeout' | 'Aborted') => {
        release()
        reject(new TransportError(reason, reason === 'Timeout' ? 'no answer in time' : 'aborted', { wasSent: true }))
      }
      const onAbort = () => end('Aborted')
      const cancel = clock.after(timeoutMs, () => end('Timeout'))
      const release = () => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      if (signal?.aborted) return end('Aborted')
      signal?.addEventListener('abort', onAbort, { once: true })
      handle({ method, path, headers, body: Buffer.from(body) }).then(outcome => {
        if (outcome.type === 'silence') return
        release()
        if (outcome.type === 'cut') reject(brokenOff('the connection was closed'))
        else resolve(responseOf(outcome, method))
      }, reject)
    })
  }

  async close(): Promise<void> {}
}

const brokenOff = (message: string) => new TransportError('ConnectionError', message, { wasSent: true })

function responseOf(outcome: Extract<RegistryOutcome, { type: 'answer' | 'half' }>, method: string): TransportResponse {
  const { status, headers, body } = outcome.answer
  const text = async () => {
    if (method === 'HEAD') return ''
    if (outcome.type === 'half') throw brokenOff('the answer broke off')
    return body.toString()
  }
  return {
    status,
    headers,
    text,
    async *lines() {
      yield* (await text()).split('\n')
    },
  }
}
