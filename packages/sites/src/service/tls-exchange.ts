/** Requests over TLS whose certificates are checked against authorities of our own choice: fetch knows the public ones only. */
import { Agent, request as httpsRequest } from 'node:https'
import type { HttpAnswer, HttpExchange } from '../http/exchange.ts'

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
  const exchange: HttpExchange = ({ method, url, headers, body }, signal) =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(url, { agent, method, headers: { ...headers }, timeout: TIMEOUT_MS, signal })
      request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
      request.once('error', reject)
      request.once('response', response => {
        const chunks: Buffer[] = []
        let sizeBytes = 0
        response.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.length
          if (sizeBytes > MAX_ANSWER_BYTES) request.destroy(new Error(`more than ${MAX_ANSWER_BYTES} bytes`))
          else chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('end', () => resolve(answerOf(response, Buffer.concat(chunks))))
      })
      request.end(body)
    })
  return { exchange, close: () => agent.destroy() }
}

const answerOf = (
  { statusCode = 0, headers }: { statusCode?: number | undefined; headers: NodeJS.Dict<string | string[]> },
  body: Buffer,
): HttpAnswer => ({
  status: statusCode,
  headers: Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  ),
  body,
})
