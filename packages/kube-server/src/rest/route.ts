/** What a URL path under `/api` or `/apis` asks for. */
export interface ResourcePath {
  readonly group: string
  readonly version: string
  /** Empty when the path is cluster-wide. */
  readonly namespace: string
  readonly plural: string
  readonly name: string
  readonly subresource: string
}

export type Route =
  | { readonly kind: 'resource'; readonly path: ResourcePath }
  /** `/api`, `/apis`, `/apis/g`, `/apis/g/v`, `/api/v1` */
  | {
      readonly kind: 'discovery'
      readonly group: string | undefined
      readonly version: string | undefined
      readonly legacy: boolean
    }
  | { readonly kind: 'other'; readonly path: string }

const namespaceSubresources = new Set(['status', 'finalize'])

/** Reads the path part of a URL (no query). Percent-escapes are decoded part by part. */
export function parseRoute(path: string): Route {
  const parts = path
    .split('/')
    .filter(part => part !== '')
    .map(decode)
  const root = parts[0]
  if (root === 'api') {
    if (parts.length <= 2) return { kind: 'discovery', group: parts[1] && '', version: parts[1], legacy: true }
    return resource('', parts[1] ?? '', parts.slice(2), path)
  }
  if (root !== 'apis') return { kind: 'other', path }
  if (parts.length <= 3) return { kind: 'discovery', group: parts[1], version: parts[2], legacy: false }
  return resource(parts[1] ?? '', parts[2] ?? '', parts.slice(3), path)
}

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function resource(group: string, version: string, rest: readonly string[], path: string): Route {
  let namespace = ''
  let parts = rest
  const second = parts[1]
  if (parts[0] === 'namespaces' && second !== undefined) {
    const third = parts[2]
    // `/namespaces/x/status` is a subresource of the namespace, everything longer lives inside it.
    if (third !== undefined && !(parts.length === 3 && namespaceSubresources.has(third))) {
      namespace = second
      parts = parts.slice(2)
    }
  }
  if (parts.length > 3) return { kind: 'other', path }
  const [plural = '', name = '', subresource = ''] = parts
  return { kind: 'resource', path: { group, version, namespace, plural, name, subresource } }
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** The verb that authorization and dispatch speak of; undefined for methods that no resource knows. */
export function verbOf(method: string, hasName: boolean, isWatch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (isWatch) return 'watch'
      return hasName ? 'get' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return hasName ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
