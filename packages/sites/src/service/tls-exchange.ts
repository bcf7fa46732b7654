/** Requests over TLS whose certificates are checked against authorities of our own choice, not only the public ones. */
import { Agent } from 'node:https'
import type { HttpExchange } from '../http/exchange.ts'
import { socketExchange } from '../http/socket-exchange.ts'

/** A subcloud that does not answer holds its place so long. */
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 8_388_608

export interface TlsExchange {
  readonly exchange: HttpExchange
  close(): void
}

/** @param ca PEM; undefined: those of the system */
export function tlsExchange(ca: string | undefined): TlsExchange {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...(ca !== undefined && { ca }) })
  return {
    exchange: socketExchange({ agent, silenceMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES }),
    close: () => agent.destroy(),
  }
}
