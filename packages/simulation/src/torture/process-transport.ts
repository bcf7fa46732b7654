/**
 * How one simulated process reaches a server: its requests wait while it stands still and vanish when it is dead. Each
 * write is announced, so that the process can be killed just before it is sent or just after it was applied.
 */
import type { Transport, TransportRequest, TransportResponse } from '@godwit/kube'
import type { ProcessGate } from './process-gate.ts'

export type CrashTime = 'before' | 'after'

export interface Wire {
  readonly gate: ProcessGate
  /** Told of each write when it is about to be sent; answers when the process dies of it, if it does. */
  readonly onWrite: (request: TransportRequest) => CrashTime | undefined
  /** Kills the process. */
  readonly crash: () => void
  /** Told whenever something went over the wire, in either direction. */
  readonly onTraffic: () => void
}

const WRITES: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']
/** Questions that are asked by POST: nothing is stored, so there is nothing to die of. */
const isQuestion = ({ path }: TransportRequest) => path.includes('accessreviews')

export class ProcessTransport implements Transport {
  readonly #inner: Transport
  readonly #wire: Wire

  constructor(inner: Transport, wire: Wire) {
    this.#inner = inner
    this.#wire = wire
  }

  request(request: TransportRequest): Promise<TransportResponse> {
    const { gate, onTraffic } = this.#wire
    return new Promise((resolve, reject) => {
      const answer = (act: () => void) => {
        onTraffic()
        gate.enter(act)
      }
      gate.enter(() => {
        onTraffic()
        this.#send(request).then(
          response => answer(() => resolve(response)),
          error => answer(() => reject(error)),
        )
      })
    })
  }

  async close(): Promise<void> {}

  async #send(request: TransportRequest): Promise<TransportResponse> {
    const { onWrite, crash, gate } = this.#wire
    const death = WRITES.includes(request.method) && !isQuestion(request) ? onWrite(request) : undefined
    if (death === 'before') {
      crash()
      return dead()
    }
    if (death === 'after') {
      const { signal: _, ...unaborted } = request
      await this.#inner.request(unaborted)
      crash()
      return dead()
    }
    if (!request.stream) return this.#inner.request(request)
    const signal = request.signal ? AbortSignal.any([request.signal, gate.killed]) : gate.killed
    return this.#streamed(await this.#inner.request({ ...request, signal }))
  }

  #streamed(response: TransportResponse): TransportResponse {
    const { gate, onTraffic } = this.#wire
    return {
      ...response,
      async *lines() {
        try {
          for await (const line of response.lines()) {
            onTraffic()
            await gate.entered()
            yield line
          }
        } finally {
          onTraffic()
          // An end that a dead process would notice never comes.
          await gate.entered()
        }
      },
    }
  }
}

/** Nobody is there any more who could be answered. */
const dead = () => new Promise<never>(() => undefined)
