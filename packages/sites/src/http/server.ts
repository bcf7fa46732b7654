/** The API of a site over node:http: identity first, then one transaction a call, then an answer or an error. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Retryable } from '@godwit/core'
import type { Logger } from '@godwit/ports'
import type { Database } from '@godwit/store'
import type { EmbeddedKeystone } from '../auth/embedded-keystone.ts'
import { permits } from '../auth/policies.ts'
import type { Tokens } from '../auth/tokens.ts'
import { errorAnswer, Refusal } from './refusal.ts'
import { findRoute, type Route } from './route.ts'

export interface SitesServerOptions {
  readonly database: Database
  readonly routes: readonly Route[]
  readonly tokens: Tokens
  readonly keystone: EmbeddedKeystone
  readonly logger: Logger
  /** 0: any free one. */
  readonly port: number
  /** Loopback unless told. */
  readonly host?: string
}

export interface SitesServer {
  readonly url: string
  stop(): Promise<void>
}

/** Bootstrap and install values are some ten kilobytes. */
const MAX_BODY_BYTES = 1_048_576
/** A body that is too large is read up to here, and dropped, before the answer. */
const MAX_DRAINED_BYTES = 8 * MAX_BODY_BYTES

export async function startSitesServer(options: SitesServerOptions): Promise<SitesServer> {
  const server = createServer((request, response) => void serve(options, request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? '127.0.0.1', () => resolve())
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(options: SitesServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await answer(options, request, response)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal.status === 500) options.logger.error({ method: request.method, error }, 'a call of the API failed')
    const { contentType, body } = errorAnswer(refusal, request.headers.accept)
    const allow = refusal.status === 413 ? { connection: 'close' } : {}
    response.writeHead(refusal.status, { 'content-type': contentType, ...allow }).end(body)
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Retryable) return new Refusal(503, 'Changed or locked by another call meanwhile: try again')
  return new Refusal(500, 'Unable to process the request')
}

async function answer(options: SitesServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? ''
  const baseUrl = `http://${request.headers.host ?? 'localhost'}`
  const [version, ...parts] = partsOf(request.url ?? '/')
  if (version === undefined && method === 'GET') return send(response, 200, versionsAt(baseUrl))
  if (version === 'v3') return identity(options, request, response, parts.join('/'))
  if (version !== 'v1.0') throw new Refusal(404, 'There are /v1.0 and /v3')
  const caller = options.tokens.check(String(request.headers['x-auth-token'] ?? ''))
  if (!caller) throw new Refusal(401, 'Authentication required')
  const found = findRoute(options.routes, method, parts)
  if (found === 'no path') throw new Refusal(404, 'There is no such resource')
  if (found === 'no method') throw new Refusal(405, `${method} is not possible here`)
  const { route, ref } = found
  if (!permits(route.policy, caller)) throw new Refusal(403, 'Not allowed for the roles of this token')
  const body = await bodyOf(request)
  send(response, 200, await options.database.transaction(sql => route.handle({ sql, caller, ref, body })))
}

async function identity(
  { keystone }: SitesServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const baseUrl = `http://${request.headers.host ?? 'localhost'}`
  const isTokens = path === 'auth/tokens' && request.method === 'POST'
  if (!isTokens && (path !== '' || request.method !== 'GET')) throw new Refusal(404, 'There is no such resource')
  const result = isTokens ? keystone.authenticate(await bodyOf(request), baseUrl) : keystone.discovery(baseUrl)
  send(response, result.status, result.body, result.headers)
}

/** Collections are asked for with and without a slash at the end. */
function partsOf(url: string): string[] {
  const path = url.split('?')[0] ?? ''
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw new Refusal(400, 'The path is malformed')
  }
}

const versionsAt = (baseUrl: string) => ({
  versions: [{ id: 'v1.0', status: 'CURRENT', links: [{ rel: 'self', href: `${baseUrl}/v1.0/` }] }],
})

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    // Leaving the loop ends the connection, so that the client would never read why.
    if (sizeBytes > MAX_DRAINED_BYTES) throw new Refusal(413, 'Far too large')
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  if (sizeBytes > MAX_BODY_BYTES) throw new Refusal(413, `At most ${MAX_BODY_BYTES} bytes`)
  try {
    return sizeBytes === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
