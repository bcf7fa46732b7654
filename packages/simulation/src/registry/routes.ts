/** The distribution API over the content of a registry. Pure but for the content it is given. */
import type { RegistryAction } from './access.ts'
import { digestOf, isDigest, type RegistryContent } from './content.ts'
import type { RegistryPart } from './faults.ts'
import { answerOf, errorAnswer, headerOf, jsonAnswer, type RegistryAnswer, type RegistryRequest } from './message.ts'

export interface RegistryRoute {
  readonly part: RegistryPart
  readonly repository: string
  /** Tag, digest or id of an upload; empty when the route has none. */
  readonly reference: string
  readonly query: URLSearchParams
}

export interface RegistryRules {
  /** False: deletions are 405, as registries answer that were not told to allow them. */
  readonly deletion: boolean
  /** True: a manifest may be deleted by its tag, which the specification leaves open. */
  readonly tagDeletion: boolean
}

const PATTERNS: readonly (readonly [RegExp, RegistryPart])[] = [
  [/^\/v2\/()()$/, 'base'],
  [/^\/token()()$/, 'token'],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, 'manifest'],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/, 'upload'],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, 'blob'],
  [/^\/v2\/(.+)\/tags\/list()$/, 'tags'],
]

export function routeOf(path: string): RegistryRoute | undefined {
  const { pathname, searchParams } = new URL(path, 'http://registry')
  for (const [pattern, part] of PATTERNS) {
    const match = pattern.exec(decodeURIComponent(pathname))
    if (match) return { part, repository: match[1] ?? '', reference: match[2] ?? '', query: searchParams }
  }
  return undefined
}

export function actionOf(method: string): RegistryAction {
  if (method === 'GET' || method === 'HEAD') return 'pull'
  return method === 'DELETE' ? 'delete' : 'push'
}

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

const unsupported = () => errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.')

export class RegistryRoutes {
  readonly #content: RegistryContent
  readonly #rules: RegistryRules
  readonly #uploads = new Map<string, Buffer>()
  #uploadCount = 0

  constructor(content: RegistryContent, rules: RegistryRules) {
    this.#content = content
    this.#rules = rules
  }

  answer(request: RegistryRequest, route: RegistryRoute): RegistryAnswer {
    switch (route.part) {
      case 'base':
        return jsonAnswer(200, {})
      case 'manifest':
        return this.#manifest(request, route)
      case 'blob':
        return this.#blob(request, route)
      case 'upload':
        return this.#upload(request, route)
      case 'tags':
        return this.#tags(route)
      case 'token':
        return errorAnswer(404, 'UNSUPPORTED', 'there is no token service')
    }
  }

  #manifest(request: RegistryRequest, route: RegistryRoute): RegistryAnswer {
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return this.#readManifest(request, route)
      case 'PUT':
        return this.#putManifest(request, route)
      case 'DELETE':
        return this.#deleteManifest(route)
      default:
        return unsupported()
    }
  }

  #readManifest(request: RegistryRequest, { repository, reference }: RegistryRoute): RegistryAnswer {
    const manifest = this.#content.manifest(repository, reference)
    const accepted = headerOf(request, 'accept') ?? ''
    // The classic registry hides a manifest of a type that the client does not say it understands.
    const isAccepted = manifest && (accepted.includes(manifest.mediaType) || accepted.includes('*/*'))
    if (!isAccepted) return errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    const { mediaType, digest, bytes } = manifest
    return answerOf(200, { 'content-type': mediaType, 'docker-content-digest': digest }, bytes)
  }

  #putManifest(request: RegistryRequest, { repository, reference }: RegistryRoute): RegistryAnswer {
    const mediaType = headerOf(request, 'content-type') ?? ''
    const manifest = parse(request.body)
    if (!manifest || !MANIFEST_TYPES.includes(mediaType))
      return errorAnswer(400, 'MANIFEST_INVALID', 'manifest invalid')
    if (isDigest(reference) && reference !== digestOf(request.body))
      return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
    const missing = [manifest.config, ...(manifest.layers ?? [])].some(
      part => part?.digest !== undefined && !this.#content.blob(repository, part.digest),
    )
    if (missing) return errorAnswer(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry')
    const digest = this.#content.putManifest(repository, reference, { mediaType, bytes: request.body })
    return answerOf(201, { location: `/v2/${repository}/manifests/${digest}`, 'docker-content-digest': digest })
  }

  #deleteManifest({ repository, reference }: RegistryRoute): RegistryAnswer {
    if (!this.#rules.deletion) return unsupported()
    if (!isDigest(reference) && !this.#rules.tagDeletion)
      return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
    const digest = this.#content.manifest(repository, reference)?.digest
    if (digest === undefined || !this.#content.deleteManifest(repository, digest))
      return errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    return answerOf(202)
  }

  #blob({ method }: RegistryRequest, { repository, reference }: RegistryRoute): RegistryAnswer {
    const blob = this.#content.blob(repository, reference)
    if (!blob) return errorAnswer(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
    if (method === 'GET' || method === 'HEAD')
      return answerOf(200, { 'content-type': 'application/octet-stream', 'docker-content-digest': reference }, blob)
    if (method !== 'DELETE' || !this.#rules.deletion) return unsupported()
    this.#content.deleteBlob(repository, reference)
    return answerOf(202)
  }

  #upload({ method, body }: RegistryRequest, { repository, reference, query }: RegistryRoute): RegistryAnswer {
    if (method === 'POST' && query.has('digest')) return this.#finish(repository, body, query.get('digest') ?? '')
    if (method === 'POST') {
      const id = `upload-${++this.#uploadCount}`
      this.#uploads.set(id, Buffer.alloc(0))
      return answerOf(202, { location: `/v2/${repository}/blobs/uploads/${id}` })
    }
    const begun = this.#uploads.get(reference)
    if (!begun) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    const bytes = Buffer.concat([begun, body])
    if (method === 'PATCH') {
      this.#uploads.set(reference, bytes)
      return answerOf(202, { location: `/v2/${repository}/blobs/uploads/${reference}` })
    }
    if (method !== 'PUT') return unsupported()
    this.#uploads.delete(reference)
    return this.#finish(repository, bytes, query.get('digest') ?? '')
  }

  #finish(repository: string, bytes: Buffer, digest: string): RegistryAnswer {
    if (digestOf(bytes) !== digest)
      return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
    this.#content.putBlob(repository, bytes)
    return answerOf(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest })
  }

  #tags({ repository }: RegistryRoute): RegistryAnswer {
    const tags = this.#content.tags(repository)
    if (!tags) return errorAnswer(404, 'NAME_UNKNOWN', 'repository name not known to registry')
    return jsonAnswer(200, { name: repository, tags })
  }
}

interface Manifest {
  readonly config?: { readonly digest?: string }
  readonly layers?: readonly { readonly digest?: string }[]
}

function parse(body: Buffer): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? (value as Manifest) : undefined
  } catch {
    return undefined
  }
}
