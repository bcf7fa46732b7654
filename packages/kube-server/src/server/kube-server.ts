/**
 * One Kubernetes-compatible API server. Nothing is shared between instances: as many as you like live in one process.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Logger, type Random, silentLogger, systemClock, systemRandom } from '@godwit/ports'
import type { KubeObject } from '../api/object.ts'
import type { User } from '../api/user.ts'
import {
  Authenticator,
  authenticated,
  fileKeyStore,
  type KeyStore,
  memoryKeyStore,
  openAuthorizer,
  RbacAuthorizer,
  renderKubeconfig,
  ServiceAccountTokens,
  type StaticUser,
} from '../auth/index.ts'
import { CompiledSchemas } from '../crd/compiled-schemas.ts'
import { Discovery } from '../discovery/discovery.ts'
import { OpenApi } from '../discovery/openapi.ts'
import { FaultSwitch } from '../faults/fault-switch.ts'
import { staleStore } from '../faults/stale-store.ts'
import { FrontEnd } from '../http/front-end.ts'
import { InProcessTransport } from '../http/in-process.ts'
import type { ApiRequest, ApiResponse } from '../http/message.ts'
import type { Transport } from '../http/transport.ts'
import { type Authority, issueServerCertificate } from '../pki/index.ts'
import { builtinResources } from '../registry/builtin/index.ts'
import { Registry } from '../registry/registry.ts'
import type { Core } from '../rest/call.ts'
import { EventLineCache } from '../rest/event-lines.ts'
import { ResourceHandler } from '../rest/resource-handler.ts'
import { imageOf, memoryStore, type Store, sqliteStore } from '../store/index.ts'
import { ApiHandler } from './api-handler.ts'
import { bootstrap } from './bootstrap.ts'
import { type Controllers, startControllers } from './controllers.ts'
import { adminTokenOf, openAuthority } from './keys.ts'
import type { Caller, KubeServerOptions } from './options.ts'
import { reviewHandler } from './reviews.ts'
import type { ServerImage } from './server-image.ts'

const defaultHost = '127.0.0.1'
const mastersGroup = 'system:masters'
const unauthenticatedGroup = 'system:unauthenticated'

interface Parts {
  readonly core: Core
  readonly api: ApiHandler
  readonly faults: FaultSwitch
  readonly controllers: Controllers
  readonly authority: Authority
  readonly tokens: ServiceAccountTokens
  readonly users: ReadonlyMap<string, StaticUser>
  readonly isOpen: boolean
  readonly place: { url: string }
  readonly schemas: CompiledSchemas
  /** Undefined: not only in memory. */
  readonly memoryKeys: KeyStore | undefined
  readonly close: () => Promise<void>
}

export class KubeServer {
  /** Switches faults on and off. */
  readonly faults: FaultSwitch
  readonly #parts: Parts
  readonly #frontEnd: FrontEnd | undefined
  readonly #transports = new Set<Transport>()
  #stopping: Promise<void> | undefined

  private constructor(parts: Parts, frontEnd: FrontEnd | undefined) {
    this.faults = parts.faults
    this.#parts = parts
    this.#frontEnd = frontEnd
  }

  /** Resolves when the server answers and the default namespaces are there. */
  static async start(options: KubeServerOptions = {}): Promise<KubeServer> {
    const parts = await assemble(options)
    try {
      await bootstrap(parts.core, !parts.isOpen)
      await parts.controllers.idle()
      const frontEnd = options.listen === false ? undefined : await listen(parts, options)
      return new KubeServer(parts, frontEnd)
    } catch (error) {
      await parts.close()
      throw error
    }
  }

  /** Where clients reach it; without sockets a name that leads nowhere. */
  get url(): string {
    return this.#parts.place.url
  }

  /** PEM of the authority that signed the server's certificate and signs those of clients. */
  get caPem(): string {
    return this.#parts.authority.certPem
  }

  /**
   * YAML of a kubeconfig for `admin` (member of system:masters) or a user given by `auth.users`. A server without
   * access control knows everybody. Throws for users it does not know.
   */
  kubeconfig(user = 'admin'): string {
    const { users, isOpen, authority } = this.#parts
    const known = users.get(user)
    if (!known && !isOpen)
      throw new Error(`no user ${JSON.stringify(user)}; known are: ${[...users.keys()].join(', ')}`)
    const isTls = this.url.startsWith('https:')
    // kubectl prompts for a user name over https unless it has a credential, whatever the server wants.
    const token = isTls || !isOpen ? (known ?? users.get('admin'))?.token : undefined
    return renderKubeconfig({
      server: this.url,
      cluster: 'godwit',
      user,
      ...(isTls && { caPem: authority.certPem }),
      ...(token !== undefined && { token }),
    })
  }

  /** A way in without sockets, as `admin` or somebody else. Requests with an Authorization header speak for themselves. */
  transport(caller: Caller = 'admin'): Transport {
    const transport = new InProcessTransport({
      handle: request => this.handle(request),
      clock: this.#parts.core.clock,
      caller: this.#userOf(caller),
    })
    this.#transports.add(transport)
    return transport
  }

  /** Answers one request. The core of the server: everything else only brings requests here. */
  handle(request: ApiRequest): Promise<ApiResponse> {
    return this.#parts.api.handle(request)
  }

  /** Resolves when the server's own controllers have nothing to do right now. */
  idle(): Promise<void> {
    return this.#parts.controllers.idle()
  }

  /**
   * What is stored now in a collection (`secrets`, `leases.coordination.k8s.io`), deeply frozen, without a request: for
   * who judges a simulation.
   */
  *peek(collection: string, namespace?: string): Iterable<KubeObject> {
    for (const { object } of this.#parts.core.store.scan(collection, namespace)) yield object
  }

  /** Version of the newest state; grows with each write. */
  get version(): number {
    return this.#parts.core.store.version
  }

  /**
   * What other servers can begin with, by option `image`. Take it when nobody writes. Throws for a server whose storage
   * is a folder.
   */
  image(): ServerImage {
    const { core, memoryKeys, tokens, authority, schemas } = this.#parts
    if (!memoryKeys) throw new Error('only a server in memory has an image')
    return { content: imageOf(core.store), keys: memoryKeys, signingKey: tokens.signingKey, authority, schemas }
  }

  /** Ends watches, lets answers under way finish for a moment, closes the storage. Stopping twice does nothing. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#transports].map(transport => transport.close()))
    await this.#frontEnd?.stop()
    await this.#parts.close()
  }

  #userOf(caller: Caller): User {
    if (typeof caller !== 'string') return caller.groups.includes(unauthenticatedGroup) ? caller : authenticated(caller)
    const { groups = [], uid } = this.#parts.users.get(caller) ?? {}
    return authenticated({ name: caller, groups, ...(uid !== undefined && { uid }) })
  }
}

async function assemble(options: KubeServerOptions): Promise<Parts> {
  const { storage = 'memory', clock = systemClock, random = systemRandom, logger = silentLogger } = options
  const auth = options.auth === 'open' || options.auth === undefined ? undefined : options.auth
  const { image } = options
  if (image && storage !== 'memory') throw new Error('a server whose storage is a folder cannot begin with an image')
  const keys = storage === 'memory' ? (image?.keys ?? memoryKeyStore()) : fileKeyStore(join(storage.folder, 'keys'))
  const authority = image?.authority ?? (await openAuthority(keys, clock.now()))
  const store = openStore(options, { clock, random, logger })
  const registry = new Registry(builtinResources)
  const rbac = auth && new RbacAuthorizer(store)
  const authorizer = rbac ?? openAuthorizer
  const { onChange, tracksFields = true } = options
  const core: Core = { store, registry, clock, random, authorizer, tracksFields, onChange }
  const tokens = image
    ? new ServiceAccountTokens({ store, clock, signingKey: image.signingKey })
    : await ServiceAccountTokens.open({ store, clock, keys })
  const admin: StaticUser = { name: 'admin', token: adminTokenOf(authority), groups: [mastersGroup] }
  const staticUsers = [admin, ...(auth?.users ?? [])]
  const authenticator = new Authenticator({
    authorizer,
    clock,
    open: !auth,
    staticUsers,
    tokens,
    clientAuthority: authority,
    anonymous: auth?.anonymous ?? true,
  })
  const review = reviewHandler(core, authenticator, tokens)
  const lines = new EventLineCache()
  const fresh = new ResourceHandler(core, review, lines)
  const faults = new FaultSwitch(random, options.faults)
  const place = { url: 'http://in-process.invalid' }
  const api = new ApiHandler({
    authenticator,
    authorizer,
    tokens,
    resources: staleBy =>
      staleBy === 0 ? fresh : new ResourceHandler({ ...core, store: staleStore(store, staleBy) }, review, lines),
    discovery: new Discovery(registry),
    openApi: new OpenApi(registry),
    faults,
    clock,
    logger,
    baseUrl: () => place.url,
    onRequest: options.onRequest,
  })
  const { approver } = options
  const schemas = image?.schemas ?? new CompiledSchemas()
  const aggregatesRoles = auth !== undefined
  const controllers = startControllers({ core, logger, authority, schemas, approver, aggregatesRoles })
  return {
    core,
    api,
    faults,
    controllers,
    authority,
    tokens,
    users: new Map(staticUsers.map(user => [user.name, user])),
    isOpen: !auth,
    place,
    schemas,
    memoryKeys: storage === 'memory' ? keys : undefined,
    async close() {
      await controllers.stop()
      rbac?.close()
      await store.close()
    },
  }
}

function openStore(
  { storage = 'memory', historyEvents, image }: KubeServerOptions,
  ports: { clock: Clock; random: Random; logger: Logger },
): Store {
  const options = { ...ports, ...(historyEvents !== undefined && { historyEvents }) }
  return storage === 'memory'
    ? memoryStore(options, image?.content)
    : sqliteStore({ ...options, folder: storage.folder })
}

async function listen(parts: Parts, options: KubeServerOptions): Promise<FrontEnd> {
  const { host = defaultHost, port = 0, tls = false, logger = silentLogger } = options
  const hosts = [
    ...new Set(['localhost', '127.0.0.1', '::1', host, hostname(), 'kubernetes', 'kubernetes.default.svc']),
  ]
  // Sockets live in real time, whatever clock the server has.
  const certificate = tls ? await issueServerCertificate(parts.authority, { hosts, now: systemClock.now() }) : undefined
  const frontEnd = await FrontEnd.start({
    handle: request => parts.api.handle(request),
    host,
    port,
    tls: certificate && { cert: certificate.certPem, key: certificate.keyPem, clientCa: parts.authority.certPem },
    clock: systemClock,
    logger,
  })
  const name = host.includes(':') ? `[${host}]` : host
  parts.place.url = `${tls ? 'https' : 'http'}://${name}:${frontEnd.port}`
  return frontEnd
}
