/** How one object or a list of them is written for a client. */
import type { JsonObject } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import type { Representation } from '../http/negotiate.ts'
import type { Resource, View } from '../registry/resource.ts'
import { partialMetadata, type RowObject, table } from '../table/table.ts'

export interface Presentation {
  readonly representation: Representation
  readonly include: RowObject
  readonly nowMs: number
}

export function rowObjectOf(query: URLSearchParams): RowObject {
  const include = query.get('includeObject') ?? ''
  if (include === '' || include === 'Metadata') return 'Metadata'
  if (include === 'None' || include === 'Object') return include
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(include)}`)
}

/** JSON text of one object. */
export function presentObject(resource: Resource, view: View, presentation: Presentation): string {
  const { representation, include, nowMs } = presentation
  const { metaVersion } = representation
  if (representation.as === 'object') return view.json
  if (representation.as === 'metadata') return JSON.stringify(partialMetadata(view.object, metaVersion))
  const { resourceVersion } = view.object.metadata
  const options = { metaVersion, include, nowMs, metadata: { resourceVersion }, columns: true }
  return JSON.stringify(table(resource, [view.object], options))
}

/** Items between two pauses of a long list. */
const itemsPerPiece = 500

/** Pieces of the JSON text of a list. */
export function* presentList(
  resource: Resource,
  views: readonly View[],
  presentation: Presentation & { readonly metadata: JsonObject },
): Generator<string> {
  const { representation, include, nowMs, metadata } = presentation
  const { metaVersion, as } = representation
  if (as === 'table') {
    const objects = views.map(view => view.object)
    yield JSON.stringify(table(resource, objects, { metaVersion, include, nowMs, metadata, columns: true }))
    return
  }
  const [kind, apiVersion] =
    as === 'metadata'
      ? ['PartialObjectMetadataList', `meta.k8s.io/${metaVersion}`]
      : [resource.listKind, resource.apiVersion]
  const item =
    as === 'metadata' ? (view: View) => JSON.stringify(partialMetadata(view.object, metaVersion)) : itemWriter(resource)
  const head = JSON.stringify({ kind, apiVersion, metadata })
  yield `${head.slice(0, -1)},"items":[`
  for (let start = 0; start < views.length; start += itemsPerPiece) {
    const piece = views
      .slice(start, start + itemsPerPiece)
      .map(item)
      .join(',')
    yield start === 0 ? piece : `,${piece}`
  }
  yield ']}\n'
}

/** Items of built-in lists carry no kind and apiVersion; all stored text begins with them. */
function itemWriter(resource: Resource): (view: View) => string {
  if (resource.custom) return view => view.json
  const prefix = `{"apiVersion":${JSON.stringify(resource.apiVersion)},"kind":${JSON.stringify(resource.kind)},`
  return view => {
    if (view.json.startsWith(prefix)) return `{${view.json.slice(prefix.length)}`
    const { apiVersion: _version, kind: _kind, ...rest } = view.object
    return JSON.stringify(rest)
  }
}
