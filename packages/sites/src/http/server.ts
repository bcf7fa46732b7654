/** An exchange over node:http: reads requests, writes answers, and knows nothing of either. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, Logger } from '@godwit/ports'
import { MAX_BODY_BYTES, refused } from './api.ts'
import type { HttpAnswer, HttpExchange, HttpRequest } from './exchange.ts'
import { Refusal } from './refusal.ts'

export interface SitesServerOptions {
  readonly exchange: HttpExchange
  readonly logger: Logger
  /** 0: any free one. */
  readonly port: number
  /** Loopback unless told. */
  readonly host?: string
  /** What was asked is answered for so long after `stop`; not at all unless told. */
  readonly drain?: { readonly clock: Clock; readonly graceMs: number }
}

export interface SitesServer {
  readonly url: string
  stop(): Promise<void>
}

/** A body that is too large is read up to here, and dropped, before the answer. */
const MAX_DRAINED_BYTES = 8 * MAX_BODY_BYTES

export async function startSitesServer(options: SitesServerOptions): Promise<SitesServer> {
  let isStopping = false
  const server = createServer((request, response) => {
    void serve(options, request, response, () => isStopping)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? '127.0.0.1', () => resolve())
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stop: async () => {
      isStopping = true
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      const { drain } = options
      const cancel = drain?.clock.after(drain.graceMs, () => server.closeAllConnections())
      if (drain) server.closeIdleConnections()
      else server.closeAllConnections()
      await closed
      cancel?.()
    },
  }
}

async function serve(
  { exchange, logger }: SitesServerOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  isStopping: () => boolean,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  try {
    const request = await requestOf(incoming)
    const answer = request === 'too large' ? tooLarge(incoming) : await exchange(request, gone.signal)
    // A connection that is kept would hold up the end.
    write(response, isStopping() ? closing(answer) : answer)
  } catch (error) {
    // The exchange answers every request itself: what arrives here is a connection that broke, or a mistake of ours.
    logger.warn({ method: incoming.method, error: String(error) }, 'a request was not answered')
    response.destroy()
  }
}

async function requestOf(incoming: IncomingMessage): Promise<HttpRequest | 'too large'> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    // Leaving the loop ends the connection, so that the client would never read why.
    if (sizeBytes > MAX_DRAINED_BYTES) return 'too large'
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  if (sizeBytes > MAX_BODY_BYTES) return 'too large'
  return {
    method: incoming.method ?? '',
    url: incoming.url ?? '/',
    headers: headersOf(incoming),
    body: sizeBytes === 0 ? undefined : Buffer.concat(chunks),
  }
}

const headersOf = ({ headers }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )

function tooLarge(incoming: IncomingMessage): HttpAnswer {
  const answer = refused(new Refusal(413, `At most ${MAX_BODY_BYTES} bytes`), { headers: headersOf(incoming) })
  return closing(answer)
}

const closing = (answer: HttpAnswer): HttpAnswer => ({
  ...answer,
  headers: { ...answer.headers, connection: 'close' },
})

const write = (response: ServerResponse, { status, headers, body }: HttpAnswer) =>
  void response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
