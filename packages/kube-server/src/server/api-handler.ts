/** The core: one request in, one answer out, no sockets. Authenticates, routes, lets faults strike, presents errors. */
import type { Clock, Logger } from '@godwit/ports'
import { stringify } from 'yaml'
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import { type Authenticator, type Authorizer, assertAllowed, type ServiceAccountTokens } from '../auth/index.ts'
import type { Discovery } from '../discovery/discovery.ts'
import type { OpenApi } from '../discovery/openapi.ts'
import type { FaultSwitch } from '../faults/fault-switch.ts'
import { withFaults } from '../faults/faulty-handler.ts'
import { maxBodyBytes, tooLarge } from '../http/body.ts'
import { type ApiRequest, type ApiResponse, header, json, plainText } from '../http/message.ts'
import { errorResponse, pageNotFound } from '../rest/errors.ts'
import { flag, splitUrl } from '../rest/query.ts'
import type { ResourceHandler } from '../rest/resource-handler.ts'
import { parseRoute, type ResourcePath, type Route, verbOf } from '../rest/route.ts'
import { StoreClosed } from '../store/index.ts'
import type { RequestNote } from './options.ts'
import { versionInfo } from './version.ts'

export interface ApiHandlerParts {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly tokens: ServiceAccountTokens
  /** Handles resources over the store, or over the store as it was so many versions ago. */
  readonly resources: (staleBy: number) => ResourceHandler
  readonly discovery: Discovery
  readonly openApi: OpenApi
  readonly faults: FaultSwitch
  readonly clock: Clock
  readonly logger: Logger
  /** Where clients reach the server, for the discovery document of tokens. */
  readonly baseUrl: () => string
  readonly onRequest?: ((request: RequestNote) => void) | undefined
}

export class ApiHandler {
  readonly #parts: ApiHandlerParts

  constructor(parts: ApiHandlerParts) {
    this.#parts = parts
  }

  /** Never rejects: errors are answers. */
  async handle(request: ApiRequest): Promise<ApiResponse> {
    try {
      return inYaml(await this.#answer(request))
    } catch (error) {
      if (!(error instanceof StatusError) && !(error instanceof StoreClosed))
        this.#parts.logger.error({ error, method: request.method, url: request.url }, 'a request failed unexpectedly')
      return errorResponse(error)
    }
  }

  async #answer(request: ApiRequest): Promise<ApiResponse> {
    const { path, query } = splitUrl(request.url)
    const user = this.#authenticate(request)
    // Over sockets such a body is refused while it arrives; without them it would get further than on a real server.
    if (request.body && request.body.length > maxBodyBytes) throw tooLarge()
    const route = parseRoute(path)
    if (route.kind === 'resource') return (await this.#resource(request, route.path, query, user)) ?? pageNotFound()
    assertAllowed(this.#parts.authorizer, { user, verb: request.method.toLowerCase(), path })
    return this.#nonResource(request, route, path) ?? pageNotFound()
  }

  #authenticate(request: ApiRequest): User {
    const authorization = header(request, 'authorization')
    const { clientCertificate, caller, headers } = request
    return this.#parts.authenticator.authenticate({
      authorization,
      clientCertificate,
      ...(authorization === undefined && { caller }),
      headers,
    })
  }

  #resource(
    request: ApiRequest,
    path: ResourcePath,
    query: URLSearchParams,
    user: User,
  ): Promise<ApiResponse | undefined> {
    const { faults, clock, resources, onRequest } = this.#parts
    const perform = (staleBy: number) => resources(staleBy).handle(request, path, query, user)
    if (faults.isEmpty && !onRequest) return perform(0)
    const verb = verbOf(request.method, path.name !== '', flag(query, 'watch')) ?? ''
    const { group, plural, namespace } = path
    onRequest?.({ user: user.name, verb, group, resource: plural, namespace })
    if (faults.isEmpty) return perform(0)
    return withFaults(faults, clock, { ...path, verb, user: user.name }, perform)
  }

  #nonResource(
    request: ApiRequest,
    route: Exclude<Route, { kind: 'resource' }>,
    path: string,
  ): ApiResponse | undefined {
    const { discovery, openApi, tokens, baseUrl } = this.#parts
    if (route.kind === 'discovery') return discovery.answer(request, route)
    if (path === '/openapi/v3' || path.startsWith('/openapi/v3/')) return openApi.answer(path)
    switch (path) {
      case '/version':
      case '/version/':
        return json(200, JSON.stringify(versionInfo))
      case '/healthz':
      case '/livez':
      case '/readyz':
        return plainText(200, 'ok')
      case '/openid/v1/jwks':
        return json(200, JSON.stringify(tokens.keySet()))
      case '/.well-known/openid-configuration':
        return json(200, JSON.stringify(tokens.discovery(baseUrl())))
      case '/':
        return json(
          200,
          JSON.stringify({ paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] }),
        )
      default:
        return undefined
    }
  }
}

/** Answers announced as YAML are written so at the very end. */
function inYaml(response: ApiResponse): ApiResponse {
  if (!('headers' in response) || response.headers['content-type'] !== 'application/yaml') return response
  if (response.kind === 'watch') return response
  const text = response.kind === 'whole' ? response.body : [...response.pieces].join('')
  return { kind: 'whole', status: response.status, headers: response.headers, body: stringify(JSON.parse(text)) }
}
