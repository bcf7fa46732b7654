/** Typed verbs of the Kubernetes API for one identity. Decides nothing: no write is ever sent twice. */
import { type Clock, type Random, systemClock, systemRandom } from '@godwit/ports'
import { CallCounter } from './call-counter.ts'
import { type Call, Caller, type CallOptions } from './caller.ts'
import { Discovery } from './discovery.ts'
import { isConflict, isObjectNotFound, KubeError } from './errors.ts'
import { isRecord, type Json } from './json.ts'
import { type KubeconfigOptions, type KubeconfigSource, kubeconfigTransport } from './kubeconfig.ts'
import type { Limiter } from './limiter.ts'
import { currentVersion, type ListOptions, listAll, type ObjectList } from './list.ts'
import type { KubeObject, Precondition, Ref } from './object.ts'
import { collectionPath, homePath, objectPath, type Resource, resourceName } from './resource.ts'
import { unexpected } from './status.ts'
import type { Transport, TransportRequest } from './transport.ts'
import { type WatchEvent, watchEvents } from './watch.ts'

export interface ClientOptions {
  /** Default `godwit`. */
  readonly userAgent?: string
  /** Owner of the fields that are written. Default `godwit`. */
  readonly fieldManager?: string
  readonly clock?: Clock
  readonly random?: Random
  /** Holds requests back; default: only the transport's limit of sockets. */
  readonly limiter?: Limiter
  /** Where requests are counted; default: a counter of its own. */
  readonly calls?: CallCounter
}

export interface KubeClientOptions extends ClientOptions {
  /** How requests travel: HTTP(S) to a URL, or straight into an embedded server. */
  readonly transport: Transport
}

/** Whom the server takes the caller for. */
export type Identity = { readonly user: string; readonly groups?: readonly string[] } | { readonly token: string }

export interface WriteOptions extends CallOptions {
  /** Everything is checked and nothing stored. */
  readonly dryRun?: boolean
  readonly subresource?: string
  readonly fieldManager?: string
}

export interface PatchOptions extends WriteOptions {
  readonly type?: 'merge' | 'json' | 'strategic'
  /**
   * Merge and strategic: a mismatch is a conflict (409). JSON: `test` operations put in front; the server answers a
   * mismatch with 422, like any operation that cannot be applied.
   */
  readonly precondition?: Precondition
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers instead of failing with a conflict. */
  readonly force?: boolean
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly precondition?: Precondition
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

export interface WatchOptions {
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Events after this version. */
  readonly resourceVersion: string
  /** The server ends the watch after this. Default: 5 to 10 minutes, by chance. */
  readonly timeoutSeconds?: number
  readonly signal?: AbortSignal
}

export interface RequestOptions extends CallOptions {
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly contentType?: string
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

/** JSON is YAML, and this is the type every server since 1.16 knows. */
const APPLY_TYPE = 'application/apply-patch+yaml'

/** Attempts of a patch whose precondition must be read first. */
const MAX_GUARDED_ATTEMPTS = 5

export class KubeClient {
  /** Requests so far, of this client and of all that were made from it by `as`. */
  readonly calls: CallCounter
  readonly #options: KubeClientOptions
  readonly #caller: Caller
  readonly #clock: Clock
  readonly #random: Random
  readonly #fieldManager: string
  readonly #discovery: Discovery

  constructor(options: KubeClientOptions) {
    const { transport, clock = systemClock, random = systemRandom, limiter, userAgent = 'godwit' } = options
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.#fieldManager = options.fieldManager ?? 'godwit'
    this.calls = options.calls ?? new CallCounter()
    const headers = { 'user-agent': userAgent }
    this.#caller = new Caller({ transport, headers, clock, random, limiter, calls: this.calls })
    this.#discovery = new Discovery(this.#caller, clock)
  }

  /**
   * A client for a kubeconfig, which is read at the first call. Its failures (no such file, no such context, a
   * credential plug-in that fails) are those of the calls.
   */
  static fromKubeconfig(source: KubeconfigSource, options: ClientOptions & KubeconfigOptions = {}): KubeClient {
    return new KubeClient({ ...options, transport: kubeconfigTransport(source, options) })
  }

  /** Another identity over the same connections: a user is impersonated, a token replaces our own credentials. */
  as(identity: Identity): KubeClient {
    const { transport } = this.#options
    return new KubeClient({ ...this.#options, calls: this.calls, transport: withIdentity(transport, identity) })
  }

  /** Closes the connections. On a client made by `as` it does nothing: they are not its own. */
  close(): Promise<void> {
    return this.#options.transport.close()
  }

  /** The object, or undefined when it does not exist; a kind that is not served is an error. */
  async get<T extends KubeObject>(resource: Resource, ref: Ref, options: CallOptions = {}): Promise<T | undefined> {
    try {
      return await this.#object<T>({ ...this.#call('get', resource, 'GET', objectPath(resource, ref)), ...options })
    } catch (error) {
      if (isObjectNotFound(error, ref.name)) return undefined
      throw error
    }
  }

  /** All objects that match, read page by page from one snapshot. */
  async list<T extends KubeObject>(resource: Resource, options: ListOptions<T> = {}): Promise<ObjectList<T>> {
    return await listAll(this.#caller, resource, this.#listCall(resource, options), options)
  }

  /** The version that the server's state has now, for comparison with one that was seen before. */
  async version(resource: Resource, options: ListOptions = {}): Promise<string> {
    return await currentVersion(this.#caller, this.#listCall(resource, options))
  }

  /** Changes after a version, bookmarks included; see `watchEvents` for how it ends. */
  watch<T extends KubeObject>(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, signal } = options
    const timeoutSeconds = options.timeoutSeconds ?? Math.round(300 * (1 + this.#random.next()))
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
      labelSelector,
      fieldSelector,
    }
    const call = this.#call('watch', resource, 'GET', collectionPath(resource, namespace))
    const limit = { clock: this.#clock, timeoutSeconds }
    return watchEvents<T>(this.#caller, { ...call, query, ...(signal && { signal }) }, limit)
  }

  /** The namespace comes from the metadata. For a generated name, `name` is empty and `generateName` set. */
  async create<T extends KubeObject>(resource: Resource, object: T, options: WriteOptions = {}): Promise<T> {
    const { name, ...unnamed } = object.metadata
    const body = name === '' && unnamed.generateName ? { ...object, metadata: unnamed } : object
    const path = homePath(resource, object.metadata.namespace)
    return await this.#write<T>(this.#call('create', resource, 'POST', path), body, options)
  }

  /** Demands `metadata.resourceVersion`: without it, some kinds would be overwritten blindly. */
  async replace<T extends KubeObject>(resource: Resource, object: T, options: WriteOptions = {}): Promise<T> {
    const { subresource } = options
    if (!object.metadata.resourceVersion)
      throw new TypeError(`replace of ${resource.kind} ${object.metadata.name}: metadata.resourceVersion is missing`)
    const path = objectPath(resource, object.metadata, subresource)
    return await this.#write<T>(this.#call('update', resource, 'PUT', path, subresource), object, options)
  }

  /** Merge patch by default. `patch` is an array of operations for `json`. */
  async patch<T extends KubeObject>(
    resource: Resource,
    ref: Ref,
    patch: object,
    options: PatchOptions = {},
  ): Promise<T> {
    const { type = 'merge', precondition = {}, subresource } = options
    // Servers ignore the metadata of a write to a subresource, all but its version: a uid must become a version.
    if (type !== 'json' && subresource && precondition.uid && !precondition.resourceVersion)
      return await this.#patchExactly<T>(resource, ref, patch, { ...options, uid: precondition.uid })
    const call = this.#call('patch', resource, 'PATCH', objectPath(resource, ref, subresource), subresource)
    const body = type === 'json' ? withTests(patch, precondition) : withMetadata(patch, precondition)
    try {
      return await this.#write<T>({ ...call, contentType: PATCH_TYPES[type] }, body, options)
    } catch (error) {
      throw asConflict(error, precondition)
    }
  }

  /** Server-side apply. */
  async apply<T extends KubeObject>(resource: Resource, object: T, options: ApplyOptions = {}): Promise<T> {
    const { subresource, force } = options
    const path = objectPath(resource, object.metadata, subresource)
    const call = this.#call('patch', resource, 'PATCH', path, subresource)
    const query = { force: force ? 'true' : undefined }
    return await this.#write<T>({ ...call, contentType: APPLY_TYPE, query }, object, options)
  }

  /** `deleting`: finalizers, or a grace period, hold it. `absent`: there was no such object. */
  async delete(resource: Resource, ref: Ref, options: DeleteOptions = {}): Promise<'deleted' | 'deleting' | 'absent'> {
    const { precondition: preconditions, propagationPolicy, dryRun, ...callOptions } = options
    const call = this.#call('delete', resource, 'DELETE', objectPath(resource, ref))
    const body = preconditions || propagationPolicy ? { ...deleteOptions, preconditions, propagationPolicy } : undefined
    const query = { dryRun: dryRun ? 'All' : undefined }
    try {
      const answer = await this.#caller.json({ ...call, query, ...(body && { body }), ...callOptions })
      return isTerminating(answer) ? 'deleting' : 'deleted'
    } catch (error) {
      if (isObjectNotFound(error, ref.name)) return 'absent'
      throw error
    }
  }

  /** Sends `body` to a path that answers with what it made of it: reviews, token requests. */
  async post<In, Out>(path: string, body: In, options: CallOptions = {}): Promise<Out> {
    return await this.request<Out>('POST', path, { ...options, body })
  }

  /** Any request with a JSON answer. `Out` is believed, not checked. */
  async request<Out>(method: string, path: string, options: RequestOptions = {}): Promise<Out> {
    const resource = path.split('/').at(-1) ?? path
    return (await this.#caller.json({ verb: method.toLowerCase(), resource, method, path, ...options })) as Out
  }

  /** Whether the server knows this resource in this version; remembered for up to a minute, "no" for two seconds. */
  serves(resource: Resource): Promise<boolean> {
    return this.#discovery.serves(resource)
  }

  #call(verb: string, resource: Resource, method: string, path: string, subresource?: string): Call {
    const name = resourceName(resource)
    return { verb, resource: subresource ? `${name}/${subresource}` : name, method, path }
  }

  #listCall<T extends KubeObject>(resource: Resource, options: ListOptions<T>): Call {
    const { namespace, labelSelector, fieldSelector, signal, timeoutMs } = options
    return {
      ...this.#call('list', resource, 'GET', collectionPath(resource, namespace)),
      query: { labelSelector, fieldSelector },
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    }
  }

  async #write<T extends KubeObject>(call: Call, body: unknown, options: WriteOptions): Promise<T> {
    const { fieldManager = this.#fieldManager, dryRun, signal, timeoutMs } = options
    return await this.#object<T>({
      ...call,
      body,
      query: { ...call.query, fieldManager, dryRun: dryRun ? 'All' : undefined },
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  }

  async #object<T extends KubeObject>(call: Call): Promise<T> {
    const answer = await this.#caller.json(call)
    const metadata = isRecord(answer) ? answer['metadata'] : undefined
    if (!isRecord(metadata) || typeof metadata['name'] !== 'string')
      throw unexpected(call, 200, 'the answer is not an object')
    return answer as unknown as T
  }

  async #patchExactly<T extends KubeObject>(
    resource: Resource,
    ref: Ref,
    patch: object,
    { uid, ...options }: PatchOptions & { readonly uid: string },
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const live = await this.get<T>(resource, ref, options)
      const resourceVersion = live?.metadata.resourceVersion
      if (!resourceVersion) throw noObject(resource, ref)
      if (live.metadata.uid !== uid) throw otherObject(objectPath(resource, ref), uid)
      try {
        return await this.patch<T>(resource, ref, patch, { ...options, precondition: { uid, resourceVersion } })
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_GUARDED_ATTEMPTS) throw error
      }
    }
  }
}

function withIdentity(transport: Transport, identity: Identity): Transport {
  // A client made from one that was itself made by `as` starts from our own identity again, never from a mixture.
  const own = transport instanceof Impersonating ? transport.own : transport
  if ('token' in identity) return new Impersonating(own, { authorization: `Bearer ${identity.token}` })
  const { user, groups = [] } = identity
  return new Impersonating(own, { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': groups }) })
}

class Impersonating implements Transport {
  readonly own: Transport
  readonly #headers: TransportRequest['headers']

  constructor(own: Transport, headers: TransportRequest['headers']) {
    this.own = own
    this.#headers = headers
  }

  request(request: TransportRequest) {
    return this.own.request({ ...request, headers: { ...request.headers, ...this.#headers } })
  }

  async close(): Promise<void> {}
}

const deleteOptions = { apiVersion: 'v1', kind: 'DeleteOptions' } as const

function isTerminating(answer: Json): boolean {
  const metadata = isRecord(answer) && answer['kind'] !== 'Status' ? answer['metadata'] : undefined
  return isRecord(metadata) && metadata['deletionTimestamp'] !== undefined
}

function withMetadata(patch: object, { uid, resourceVersion }: Precondition): object {
  if (uid === undefined && resourceVersion === undefined) return patch
  const metadata = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : undefined
  const guard = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) }
  return { ...patch, metadata: { ...metadata, ...guard } }
}

function withTests(patch: object, precondition: Precondition): object {
  const tests = (['uid', 'resourceVersion'] as const).flatMap(name => {
    const value = precondition[name]
    return value === undefined ? [] : [{ op: 'test', path: `/metadata/${name}`, value }]
  })
  return [...tests, ...(Array.isArray(patch) ? patch : [patch])]
}

const noObject = (resource: Resource, ref: Ref) =>
  new KubeError({
    method: 'PATCH',
    path: objectPath(resource, ref),
    status: 404,
    reason: 'NotFound',
    message: `${resourceName(resource)} ${JSON.stringify(ref.name)} not found`,
    details: { name: ref.name, kind: resource.plural },
  })

const otherObject = (path: string, uid: string) =>
  new KubeError({
    method: 'PATCH',
    path,
    status: 409,
    reason: 'Conflict',
    message: `precondition failed: there is no object with uid ${uid} any more`,
  })

/** Servers answer a patch with another object's uid by 422 on that field; for a caller it is a failed precondition. */
function asConflict(error: unknown, { uid }: Precondition): unknown {
  if (uid === undefined || !(error instanceof KubeError) || error.status !== 422) return error
  const causes = error.details?.causes ?? []
  const isUidOnly = causes.length > 0 && causes.every(cause => cause.field === 'metadata.uid')
  return isUidOnly ? otherObject(error.path, uid) : error
}
