import { StatusError } from '../api/status-error.ts'

/** How the client wants objects shown. */
export interface Representation {
  readonly as: 'object' | 'table' | 'metadata'
  /** Version of `meta.k8s.io` for tables and metadata views. */
  readonly metaVersion: 'v1' | 'v1beta1'
  readonly yaml: boolean
}

export const asObjects: Representation = Object.freeze({ as: 'object', metaVersion: 'v1', yaml: false })

interface Clause {
  readonly type: string
  readonly quality: number
  readonly parameters: ReadonlyMap<string, string>
}

export function parseAccept(accept: string): Clause[] {
  const clauses = accept
    .split(',')
    .filter(part => part.trim() !== '')
    .map(parseClause)
  return clauses.sort((a, b) => b.quality - a.quality)
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';').map(part => part.trim())
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const equals = part.indexOf('=')
    if (equals > 0) parameters.set(part.slice(0, equals), part.slice(equals + 1))
  }
  return { type: type.toLowerCase(), quality: Number(parameters.get('q') ?? '1'), parameters }
}

/**
 * Picks the first clause that can be served. Tables and metadata views only where `transformable`.
 * Throws 406 when nothing fits.
 */
export function negotiate(accept: string | undefined, transformable: boolean): Representation {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return asObjects
  for (const clause of parseAccept(accept)) {
    const representation = serve(clause, transformable)
    if (representation) return representation
  }
  throw notAcceptable()
}

const jsonTypes = new Set(['application/json', 'application/*', '*/*'])

function serve({ type, parameters }: Clause, transformable: boolean): Representation | undefined {
  const yaml = type === 'application/yaml'
  if (!yaml && !jsonTypes.has(type)) return undefined
  const as = parameters.get('as')
  if (as === undefined) return yaml ? { ...asObjects, yaml } : asObjects
  const metaVersion = parameters.get('v') ?? 'v1'
  if (!transformable || parameters.get('g') !== 'meta.k8s.io') return undefined
  if (metaVersion !== 'v1' && metaVersion !== 'v1beta1') return undefined
  if (as === 'Table') return { as: 'table', metaVersion, yaml }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { as: 'metadata', metaVersion, yaml }
  return undefined
}

export const notAcceptable = () =>
  new StatusError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  )
