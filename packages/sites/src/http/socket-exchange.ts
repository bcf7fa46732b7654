/**
 * Requests over sockets that are kept open. Not by `fetch`: its streams and signals cost more than a small request itself.
 * Redirects are answers like others: one that was followed would carry the token to an address that nobody configured.
 */
import { type IncomingMessage, type RequestOptions, request as requestOverHttp } from 'node:http'
import { type Agent, request as requestOverHttps } from 'node:https'
import type { HttpAnswer, HttpExchange } from './exchange.ts'

export interface SocketOptions {
  /** Of requests over TLS; that of the process unless told. */
  readonly agent?: Agent
  /** Without a byte; as long as the signal lets it unless told. */
  readonly silenceMs?: number
  /** As large as it is unless told. */
  readonly maxAnswerBytes?: number
}

/** Rejects with the reason of the signal when it is aborted. */
export const socketExchange =
  (options: SocketOptions = {}): HttpExchange =>
  ({ method, url, headers, body }, signal) =>
    new Promise((resolve, reject) => {
      const { agent, silenceMs } = options
      const given: RequestOptions = { method, headers: { ...headers, ...lengthOf(body) } }
      const request = url.startsWith('https:')
        ? requestOverHttps(url, { ...given, ...(agent && { agent }) })
        : requestOverHttp(url, given)
      // The socket is given no error of ours: nobody listens to it once its answer is complete.
      const giveUp = (error: unknown) => {
        reject(error)
        request.destroy()
      }
      const abort = () => giveUp(signal?.reason)
      request.on('error', reject)
      request.once('close', () => signal?.removeEventListener('abort', abort))
      request.once('response', response => read(response, options, { resolve, giveUp }))
      if (silenceMs !== undefined)
        request.setTimeout(silenceMs, () => giveUp(new Error(`no answer within ${silenceMs} ms`)))
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
      else request.end(body)
    })

/** As the process is configured; time-outs are the caller's, by its signal. */
export const networkExchange: HttpExchange = socketExchange()

/** Otherwise a body of known size is sent in chunks. */
const lengthOf = (body: Uint8Array | undefined) => (body ? { 'content-length': String(body.length) } : {})

function read(
  response: IncomingMessage,
  { maxAnswerBytes = Number.POSITIVE_INFINITY }: SocketOptions,
  { resolve, giveUp }: { resolve(answer: HttpAnswer): void; giveUp(error: unknown): void },
): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > maxAnswerBytes) giveUp(new Error(`more than ${maxAnswerBytes} bytes`))
    else chunks.push(chunk)
  })
  response.on('error', giveUp)
  response.once('end', () => resolve(answerOf(response, Buffer.concat(chunks))))
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer): HttpAnswer {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) texts[name] = String(value)
  return { status: statusCode, headers: texts, body }
}
