/** Snapshots in an OCI registry, over the distribution API. Holds no policy: what a failure means, its caller decides. */
import { createHash } from 'node:crypto'
import { httpTransport, type Transport } from '@godwit/kube'
import { type Clock, systemClock } from '@godwit/ports'
import { type Answer, errorsOf, failureOf } from './answer-failure.ts'
import { anonymous, type RegistryCredentialSource } from './credentials.ts'
import { RegistryError, type Snapshot, type SnapshotRegistry, type TagAnswer } from './registry.ts'
import { parseRegistryBase } from './registry-base.ts'
import { parseObject, RegistryCalls, textOf } from './registry-calls.ts'

export interface OciRegistryOptions {
  /** `registry.example.com/team/vms`; repositories are VM names below it. */
  readonly base: string
  /** Default: nobody in particular. */
  readonly credentials?: RegistryCredentialSource
  /** How requests travel to `https://host[:port]`. Default: HTTP. */
  readonly connect?: (origin: string) => Transport
  readonly clock?: Clock
  /** For each request. Default 10 s. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 10_000
/** Registries hide manifests of types that are not asked for. */
const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')
const BASE_IMAGE = 'cocoonstack.snapshot.baseimage'
/** Error codes that mean: there is no such thing here. */
const ABSENT_CODES: readonly string[] = ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'BLOB_UNKNOWN', 'NOT_FOUND']
/** Layers looked at at the same time. */
const LAYERS_AT_ONCE = 8
const MAX_LAYERS = 1_024

/** @throws an Error when the base cannot be understood */
export function ociRegistry(options: OciRegistryOptions): SnapshotRegistry & { close(): Promise<void> } {
  return new OciRegistry(options)
}

class OciRegistry implements SnapshotRegistry {
  readonly #calls: RegistryCalls
  readonly #clock: Clock
  readonly #prefix: string
  readonly #host: string

  constructor({ base: text, credentials = anonymous, clock = systemClock, timeoutMs, connect }: OciRegistryOptions) {
    const base = parseRegistryBase(text)
    this.#clock = clock
    this.#host = base.host
    this.#prefix = base.prefix === '' ? '' : `${base.prefix}/`
    this.#calls = new RegistryCalls({
      base,
      credentials,
      clock,
      timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
      connect: connect ?? (server => httpTransport({ server, clock })),
    })
  }

  async head(repository: string, tag: string, signal?: AbortSignal): Promise<TagAnswer | undefined> {
    const answer = await this.#ask('HEAD', repository, `manifests/${tag}`, signal)
    const digest = textOf(answer.headers['docker-content-digest'])
    if (answer.status === 200 && digest !== undefined && isDigest(digest)) return { digest }
    if (answer.status !== 200 && answer.status !== 404) throw this.#failure('HEAD', repository, tag, answer)
    // A head has no body: only a registry that says so in its headers is believed that there is nothing.
    if (answer.status === 404 && isFromRegistry(answer)) return undefined
    const manifest = await this.#manifest(repository, tag, signal)
    return manifest && { digest: manifest.digest }
  }

  async read(repository: string, reference: string, signal?: AbortSignal): Promise<Snapshot | undefined> {
    const manifest = await this.#manifest(repository, reference, signal)
    if (!manifest) return undefined
    const { digest, baseImage, configDigest, layers } = manifest
    const config = configDigest === undefined ? undefined : await this.#config(repository, configDigest, signal)
    const id = config?.['snapshotId']
    return {
      digest,
      baseImage,
      snapshotId: typeof id === 'string' ? id : undefined,
      isComplete: config !== undefined && (await this.#hasAll(repository, layers, signal)),
    }
  }

  async deleteByDigest(repository: string, digest: string, signal?: AbortSignal): Promise<'deleted' | 'absent'> {
    // By tag, a newer push would go too, and many registries refuse it.
    if (!isDigest(digest)) throw new RegistryError('Invalid', `${JSON.stringify(digest)} is not a digest`)
    const answer = await this.#ask('DELETE', repository, `manifests/${digest}`, signal)
    if (answer.status >= 200 && answer.status < 300) return 'deleted'
    if (answer.status === 404 && isAbsence(answer)) return 'absent'
    throw this.#failure('DELETE', repository, digest, answer)
  }

  close(): Promise<void> {
    return this.#calls.close()
  }

  async #manifest(repository: string, reference: string, signal?: AbortSignal): Promise<Manifest | undefined> {
    const answer = await this.#ask('GET', repository, `manifests/${reference}`, signal)
    if (answer.status === 404 && isAbsence(answer)) return undefined
    if (answer.status !== 200) throw this.#failure('GET', repository, reference, answer)
    const digest = `sha256:${createHash('sha256').update(answer.text).digest('hex')}`
    const told = isDigest(reference) ? reference : textOf(answer.headers['docker-content-digest'])
    const manifest = parseManifest(answer.text, digest)
    const what = `GET ${this.#host}/${this.#prefix}${repository}/manifests/${reference}`
    if (told !== undefined && told !== digest)
      throw new RegistryError('Invalid', `${what}: what came has the digest ${digest}, not ${told}`, { status: 200 })
    if (!manifest) throw new RegistryError('Invalid', `${what}: what came is not a manifest`, { status: 200 })
    return manifest
  }

  /** Undefined: absent, damaged or not what it should be, so that nobody could restore from it. */
  async #config(repository: string, digest: string, signal?: AbortSignal) {
    const answer = await this.#ask('GET', repository, `blobs/${digest}`, signal)
    if (answer.status === 404 && isAbsence(answer)) return undefined
    if (answer.status !== 200) throw this.#failure('GET', repository, digest, answer)
    const actual = `sha256:${createHash('sha256').update(answer.text).digest('hex')}`
    return actual === digest ? parseObject(answer.text) : undefined
  }

  async #hasAll(repository: string, digests: readonly string[], signal?: AbortSignal): Promise<boolean> {
    for (let from = 0; from < digests.length; from += LAYERS_AT_ONCE) {
      const some = digests.slice(from, from + LAYERS_AT_ONCE)
      const present = await Promise.all(some.map(digest => this.#hasBlob(repository, digest, signal)))
      if (present.includes(false)) return false
    }
    return true
  }

  async #hasBlob(repository: string, digest: string, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#ask('HEAD', repository, `blobs/${digest}`, signal)
    // A redirect to the store of blobs is made for blobs that are there.
    if (answer.status >= 200 && answer.status < 400) return true
    if (answer.status === 404) return false
    throw this.#failure('HEAD', repository, digest, answer)
  }

  #ask(method: 'HEAD' | 'GET' | 'DELETE', name: string, rest: string, signal?: AbortSignal): Promise<Answer> {
    const isSound = isName(name) && /^(?:manifests|blobs)\/[\w][\w.:-]{0,127}$/.test(rest)
    if (!isSound) throw new RegistryError('Invalid', `${JSON.stringify(`${name} ${rest}`)} names nothing in a registry`)
    const accept = rest.startsWith('manifests/') ? { accept: ACCEPT } : {}
    return this.#calls.send({ method, repository: `${this.#prefix}${name}`, rest, signal, ...accept })
  }

  #failure(method: string, repository: string, reference: string, answer: Answer): RegistryError {
    return failureOf(`${method} ${this.#host}/${this.#prefix}${repository} ${reference}`, answer, this.#clock)
  }
}

interface Manifest {
  readonly digest: string
  readonly baseImage: string | undefined
  readonly configDigest: string | undefined
  readonly layers: readonly string[]
}

const isDigest = (text: string) => /^sha256:[0-9a-f]{64}$/.test(text)
const isName = (text: string) => /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/.test(text)

/** A 404 of a proxy, or of anything else that is no registry, says nothing about a snapshot. */
function isAbsence(answer: Answer): boolean {
  const errors = errorsOf(answer.text)
  return errors.length > 0 ? errors.some(({ code }) => ABSENT_CODES.includes(code)) : isFromRegistry(answer)
}
const isFromRegistry = ({ headers }: Answer) => headers['docker-distribution-api-version'] !== undefined

function parseManifest(text: string, digest: string): Manifest | undefined {
  const body = parseObject(text)
  const { config, layers, annotations } = (body ?? {}) as {
    readonly config?: { readonly digest?: unknown } | null
    readonly layers?: unknown
    readonly annotations?: Readonly<Record<string, unknown>> | null
  }
  if (!body || !Array.isArray(layers) || layers.length > MAX_LAYERS) return undefined
  const digests = layers.map((layer: { readonly digest?: unknown } | null) => layer?.digest)
  const isSound = digests.every((each): each is string => typeof each === 'string' && isDigest(each))
  if (!isSound) return undefined
  const configDigest = config?.digest
  const image = annotations?.[BASE_IMAGE]
  return {
    digest,
    layers: digests,
    configDigest: typeof configDigest === 'string' && isDigest(configDigest) ? configDigest : undefined,
    baseImage: typeof image === 'string' ? image : undefined,
  }
}
