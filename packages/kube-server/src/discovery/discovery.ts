/** `/api`, `/apis` and what is below, legacy and aggregated. Documents are made once per change of the registry. */
import { createHash } from 'node:crypto'
import type { JsonObject } from '../api/object.ts'
import { type ApiRequest, type ApiResponse, header, json, type WholeResponse } from '../http/message.ts'
import { notAcceptable, parseAccept } from '../http/negotiate.ts'
import type { Registry } from '../registry/registry.ts'
import { groupVersion } from '../registry/resource.ts'
import { methodNotAllowed } from '../rest/errors.ts'
import { aggregatedEntry, legacyEntries } from './resource-list.ts'

type AggregatedVersion = 'v2' | 'v2beta1'

export class Discovery {
  readonly #registry: Registry
  #revision = 0
  readonly #documents = new Map<string, string>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Undefined when group or version are not known. */
  answer(
    request: ApiRequest,
    path: { readonly group: string | undefined; readonly version: string | undefined; readonly legacy: boolean },
  ): ApiResponse | undefined {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed()
    const { group, version, legacy } = path
    if (version !== undefined) return this.#resources(group ?? '', version)
    if (group !== undefined) return legacy ? undefined : this.#group(group)
    const aggregated = aggregatedVersion(header(request, 'accept'))
    if (aggregated) return this.#aggregated(request, legacy, aggregated)
    return json(
      200,
      this.#document(legacy ? '/api' : '/apis', () => (legacy ? apiVersions() : this.#groupList())),
    )
  }

  #aggregated(request: ApiRequest, legacy: boolean, version: AggregatedVersion): WholeResponse {
    const body = this.#document(`${legacy}/${version}`, () => this.#aggregatedList(legacy, version))
    const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`
    const headers = {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      etag,
      vary: 'Accept',
      'cache-control': 'public',
    }
    const isKnown = header(request, 'if-none-match') === etag
    return isKnown ? { kind: 'whole', status: 304, headers, body: '' } : { kind: 'whole', status: 200, headers, body }
  }

  #document(name: string, make: () => JsonObject): string {
    if (this.#revision !== this.#registry.revision) {
      this.#documents.clear()
      this.#revision = this.#registry.revision
    }
    const known = this.#documents.get(name)
    if (known !== undefined) return known
    const made = `${JSON.stringify(make())}\n`
    this.#documents.set(name, made)
    return made
  }

  #aggregatedList(legacy: boolean, version: AggregatedVersion): JsonObject {
    const groups = [...this.#registry.groups()].filter(([group]) => (group === '') === legacy)
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(([group, versions]) => ({
        metadata: { name: group, creationTimestamp: null },
        versions: versions.map(one => ({
          version: one,
          freshness: 'Current',
          resources: this.#registry.inVersion(group, one).map(aggregatedEntry),
        })),
      })),
    }
  }

  #groupList(): JsonObject {
    const groups = [...this.#registry.groups()].filter(([group]) => group !== '')
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map(([group, versions]) => groupEntry(group, versions)),
    }
  }

  #group(name: string): WholeResponse | undefined {
    for (const [group, versions] of this.#registry.groups())
      if (group === name && group !== '')
        return json(200, JSON.stringify({ kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, versions) }))
    return undefined
  }

  #resources(group: string, version: string): WholeResponse | undefined {
    if (!this.#registry.hasVersion(group, version)) return undefined
    const name = groupVersion(group, version)
    const body = this.#document(`resources/${name}`, () => ({
      kind: 'APIResourceList',
      ...(group !== '' && { apiVersion: 'v1' }),
      groupVersion: name,
      resources: this.#registry.inVersion(group, version).flatMap(legacyEntries),
    }))
    return json(200, body)
  }
}

const apiVersions = (): JsonObject => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
})

function groupEntry(group: string, versions: readonly string[]): JsonObject {
  const entries = versions.map(version => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: entries, preferredVersion: entries[0] ?? null }
}

/** Which aggregated form the client wants most; undefined for the legacy one. Throws 406 when neither will do. */
function aggregatedVersion(accept: string | undefined): AggregatedVersion | undefined {
  if (!accept) return undefined
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue
    if (!parameters.has('as')) return undefined
    const version = parameters.get('v')
    const isOurs = parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('as') === 'APIGroupDiscoveryList'
    if (isOurs && (version === 'v2' || version === 'v2beta1')) return version
  }
  throw notAcceptable()
}
