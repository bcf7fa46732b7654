/** The API of a site without sockets: identity first, then one transaction a call, then an answer or an error. */
import { Retryable } from '@godwit/core'
import type { Logger } from '@godwit/ports'
import type { Database } from '@godwit/store'
import type { EmbeddedKeystone, KeystoneAnswer } from '../auth/embedded-keystone.ts'
import type { Identities } from '../auth/identities.ts'
import { type Identity, permits, UNNAMED_PEER } from '../auth/policies.ts'
import type { HttpAnswer, HttpExchange, HttpRequest } from './exchange.ts'
import { emptyForm, isForm, parseForm } from './form.ts'
import { errorAnswer, Refusal } from './refusal.ts'
import { type Asked, findRoute, type Route, type Transact } from './route.ts'

export interface ApiOptions {
  readonly database: Database
  readonly routes: readonly Route[]
  readonly identities: Identities
  /** Answers below /v3; left out when another keystone does. */
  readonly keystone?: EmbeddedKeystone
  readonly logger: Logger
  /** Takes whoever calls itself `dcmanager/1.0` for the other site, as sites of another implementation do. Off unless told (H19). */
  readonly trustsUserAgent?: boolean
  /** Under which clients reach this service, without a slash at the end; what they called themselves unless told. */
  readonly publicUrl?: string
}

/** Bootstrap and install values are some ten kilobytes. */
export const MAX_BODY_BYTES = 1_048_576
const PEER_AGENT = 'dcmanager/1.0'
/** Of a call whose rows somebody else changes at the same time. */
const MAX_ATTEMPTS = 5

export const apiExchange =
  (options: ApiOptions): HttpExchange =>
  async request => {
    try {
      return await answer(options, request)
    } catch (error) {
      const refusal = refusalOf(error)
      if (!(error instanceof Refusal) && refusal.status === 500)
        options.logger.error({ method: request.method, ...placeOf(error) }, 'a call of the API failed')
      return refused(refusal, request)
    }
  }

/** What a mistake is and where, without its message: that may quote what somebody sent or stored. */
function placeOf(error: unknown) {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error ? String(error.code) : undefined
  const frames = (error.stack ?? '').split('\n').filter(line => /^ +at /.test(line))
  return { error: error.name, ...(code !== undefined && { code }), at: frames.slice(0, 5).map(line => line.trim()) }
}

/** The answer to a request that is refused. */
export function refused(refusal: Refusal, { headers }: Pick<HttpRequest, 'headers'>): HttpAnswer {
  const { contentType, body } = errorAnswer(refusal, headers['accept'])
  return { status: refusal.status, headers: { 'content-type': contentType }, body: Buffer.from(body) }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Retryable) return new Refusal(503, 'Not possible at the moment: try again')
  return new Refusal(500, 'Unable to process the request')
}

async function answer(options: ApiOptions, request: HttpRequest): Promise<HttpAnswer> {
  if ((request.body?.length ?? 0) > MAX_BODY_BYTES) throw new Refusal(413, `At most ${MAX_BODY_BYTES} bytes`)
  const { method } = request
  const { baseUrl, parts, query } = addressOf(request, options)
  const [version, ...rest] = parts
  if (version === undefined && method === 'GET') return send(200, versionsAt(baseUrl))
  if (version === 'v3' && options.keystone) return identity(options.keystone, request, rest.join('/'), baseUrl)
  if (version !== 'v1.0' && version !== 'v1') throw new Refusal(404, 'There are /v1.0 and /v3')
  const caller = await callerOf(options, request)
  const found = findRoute(options.routes, method, version === 'v1' ? ['v1', ...rest] : rest)
  if (found === 'no path') throw new Refusal(404, 'There is no such resource')
  if (found === 'no method') throw new Refusal(405, `${method} is not possible here`)
  const { route, ref } = found
  if (!permits(route.policy, caller)) throw new Refusal(403, 'Not allowed for the roles of this token')
  return send(200, await carriedOut(options, route, { caller, ref, query, ...(await bodyOf(request)) }))
}

async function carriedOut({ database }: ApiOptions, route: Route, asked: Asked): Promise<unknown> {
  const transact: Transact = async work => {
    for (let attempt = 1; ; attempt++)
      try {
        return await database.transaction(work)
      } catch (error) {
        if (!(error instanceof Retryable) || attempt === MAX_ATTEMPTS) throw error
      }
  }
  return 'serve' in route ? await route.serve(asked, transact) : await transact(sql => route.handle({ ...asked, sql }))
}

async function callerOf({ identities, trustsUserAgent }: ApiOptions, { headers }: HttpRequest): Promise<Identity> {
  const token = headers['x-auth-token'] ?? ''
  const caller = token === '' ? undefined : await identities.identify(token)
  if (!caller) throw new Refusal(401, 'Authentication required')
  const isNamed = trustsUserAgent !== true || headers['user-agent'] !== PEER_AGENT || caller.peerUuid !== undefined
  return isNamed ? caller : { ...caller, peerUuid: UNNAMED_PEER }
}

function identity(keystone: EmbeddedKeystone, request: HttpRequest, path: string, baseUrl: string): HttpAnswer {
  const { status, body, headers } = keystoneAnswer(keystone, request, path, baseUrl)
  return send(status, body, headers)
}

function keystoneAnswer(
  keystone: EmbeddedKeystone,
  { method, headers, body }: HttpRequest,
  path: string,
  baseUrl: string,
): KeystoneAnswer {
  if (path === '' && method === 'GET') return keystone.discovery(baseUrl)
  if (path === 'auth/tokens' && method === 'POST') return keystone.authenticate(jsonOf(body), baseUrl)
  if (path === 'auth/tokens' && method === 'GET')
    return keystone.validate(headers['x-auth-token'] ?? '', headers['x-subject-token'] ?? '', baseUrl)
  throw new Refusal(404, 'There is no such resource')
}

/** Collections are asked for with and without a slash at the end. */
function addressOf({ url, headers }: HttpRequest, { publicUrl }: ApiOptions) {
  try {
    const { protocol, host, pathname, searchParams } = new URL(url, `http://${headers['host'] ?? 'localhost'}`)
    return {
      baseUrl: publicUrl ?? `${protocol}//${host}`,
      parts: pathname.split('/').filter(Boolean).map(decodeURIComponent),
      query: searchParams,
    }
  } catch {
    throw new Refusal(400, 'The path is malformed')
  }
}

const versionsAt = (baseUrl: string) => ({
  versions: [{ id: 'v1.0', status: 'CURRENT', links: [{ rel: 'self', href: `${baseUrl}/v1.0/` }] }],
})

async function bodyOf({ headers, body }: HttpRequest): Promise<Pick<Asked, 'body' | 'form'>> {
  const contentType = headers['content-type']
  if (contentType !== undefined && body && isForm(contentType))
    return { body: undefined, form: await parseForm(contentType, body) }
  return { body: jsonOf(body), form: emptyForm }
}

function jsonOf(body: Uint8Array | undefined): unknown {
  if (!body || body.length === 0) return undefined
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}

const send = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...lowerCased(headers) },
  body: Buffer.from(JSON.stringify(body)),
})

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
