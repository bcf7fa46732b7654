import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { isObject, own, put, sameJson } from './json-value.ts'

/** The real server's bound; keeps one request from occupying the process. */
const MAX_OPERATIONS = 10_000
/** Repeated `copy` doubles a document each time; the bytes copied by one patch are bounded as on the real server. */
const MAX_COPIED_CHARS = 3 * 1024 * 1024
/** Patches could nest a document level by level beyond what the JSON reader accepts, and then what the stack holds. */
const MAX_DEPTH = 200
/** Moving a large part down and up again looks at all of it each time. */
const MAX_LOOKED_AT = 5_000_000

class Unappliable extends Error {}

/** What one patch has made and may still do. */
interface Work {
  /** Containers that belong to this patch alone: changed in place, so that each is copied once, not once an operation. */
  readonly fresh: WeakSet<object>
  copyableChars: number
  lookableParts: number
}

/**
 * JSON patch (RFC 6902) as the real server applies it: `replace` of a missing member adds it, negative indexes count
 * from the end. Throws StatusError 400 when `patch` is not a list, 413 for too many operations, and a 422 with a
 * generic message when an operation cannot be applied. Never changes its inputs.
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goType(patch)} into Go value of type jsonpatch.Patch`,
    )
  if (patch.length > MAX_OPERATIONS)
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    )
  const work: Work = { fresh: new WeakSet(), copyableChars: MAX_COPIED_CHARS, lookableParts: MAX_LOOKED_AT }
  try {
    return patch.reduce<Json>((document, operation) => applyOperation(document, operation, work), target)
  } catch (error) {
    if (!(error instanceof Unappliable)) throw error
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
  }
}

function goType(value: Json): string {
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

function applyOperation(document: Json, operation: Json, work: Work): Json {
  if (!isObject(operation)) throw new Unappliable('an operation is an object')
  const path = pointer(own(operation, 'path'))
  switch (own(operation, 'op')) {
    case 'add':
      return add(document, path, valueIn(operation), work)
    case 'replace':
      return replace(document, path, valueIn(operation), work)
    case 'remove':
      return remove(document, path, work)
    case 'test':
      if (!sameJson(find(document, path) ?? null, own(operation, 'value') ?? null)) throw new Unappliable('test failed')
      return document
    case 'move': {
      const from = pointer(own(operation, 'from'))
      const value = existing(document, from)
      return add(remove(document, from, work), path, value, work)
    }
    case 'copy':
      return add(document, path, copyOf(existing(document, pointer(own(operation, 'from'))), work), work)
    default:
      throw new Unappliable('unknown operation')
  }
}

function pointer(text: Json | undefined): readonly string[] {
  if (typeof text !== 'string') throw new Unappliable('a path is a string')
  if (text === '') return []
  if (!text.startsWith('/')) throw new Unappliable('a path starts with /')
  return text
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function valueIn(operation: JsonObject): Json {
  const value = own(operation, 'value')
  if (value === undefined) throw new Unappliable('no value')
  return value
}

/** A position in a list of `size` places; negative ones count from the end. */
function index(token: string, size: number): number {
  if (!/^-?\d+$/.test(token)) throw new Unappliable('not an index')
  const number = Number(token)
  const position = number < 0 ? number + size : number
  if (position < 0 || position >= size) throw new Unappliable('index out of range')
  return position
}

/** The value at `path`; undefined when its last step is missing. Throws when an earlier step is. */
function find(document: Json, path: readonly string[]): Json | undefined {
  let current: Json | undefined = document
  for (const token of path) {
    if (Array.isArray(current)) current = current[index(token, current.length)]
    else if (isObject(current)) current = own(current, token)
    else throw new Unappliable('missing parent')
  }
  return current
}

function existing(document: Json, path: readonly string[]): Json {
  const value = path.length === 0 ? undefined : find(document, path)
  if (value === undefined) throw new Unappliable('missing value')
  return value
}

/** The container itself when this patch made it, else a copy. */
function editable<T extends Json[] | JsonObject>(container: T, { fresh }: Work): T {
  if (fresh.has(container)) return container
  const copy = (Array.isArray(container) ? [...container] : { ...container }) as T
  fresh.add(copy)
  return copy
}

type Edit = (container: Json[] | JsonObject, token: string) => Json

/** Makes the spine from the root to the container that `edit` changes our own; everything else stays shared. */
function rewrite(node: Json | undefined, path: readonly string[], work: Work, edit: Edit, depth = 0): Json {
  const token = path[depth]
  if (token === undefined || node === null || typeof node !== 'object') throw new Unappliable('missing parent')
  if (depth === path.length - 1) return edit(node, token)
  const step = Array.isArray(node) ? index(token, node.length) : token
  const old = Array.isArray(node) ? node[Number(step)] : own(node, token)
  const child = rewrite(old, path, work, edit, depth + 1)
  return child === old ? node : withChild(node, step, child, work)
}

function withChild(node: Json[] | JsonObject, step: string | number, child: Json, work: Work): Json {
  const mine = editable(node, work)
  if (Array.isArray(mine)) mine[Number(step)] = child
  else put(mine, String(step), child)
  return mine
}

function withMember(object: JsonObject, key: string, value: Json, work: Work): JsonObject {
  const old = own(object, key)
  if (old !== undefined && sameJson(old, value)) return object
  const mine = editable(object, work)
  put(mine, key, value)
  return mine
}

function add(document: Json, path: readonly string[], value: Json, work: Work): Json {
  refuseDeeper(value, MAX_DEPTH - path.length, work)
  return rewrite(document, path, work, (container, token) => {
    if (!Array.isArray(container)) return withMember(container, token, value, work)
    const position = token === '-' ? container.length : index(token, container.length + 1)
    const mine = editable(container, work)
    mine.splice(position, 0, value)
    return mine
  })
}

function replace(document: Json, path: readonly string[], value: Json, work: Work): Json {
  if (path.length === 0) return value
  refuseDeeper(value, MAX_DEPTH - path.length, work)
  return rewrite(document, path, work, (container, token) => {
    if (!Array.isArray(container)) return withMember(container, token, value, work)
    const position = index(token, container.length)
    if (sameJson(container[position], value)) return container
    return withChild(container, position, value, work)
  })
}

function remove(document: Json, path: readonly string[], work: Work): Json {
  return rewrite(document, path, work, (container, token) => {
    if (!Array.isArray(container) && own(container, token) === undefined) throw new Unappliable('missing member')
    const position = Array.isArray(container) ? index(token, container.length) : 0
    const mine = editable(container, work)
    if (Array.isArray(mine)) mine.splice(position, 1)
    else delete mine[token]
    return mine
  })
}

function refuseDeeper(value: Json | undefined, levels: number, work: Work): void {
  if (levels < 0) throw new Unappliable('too deep')
  if (--work.lookableParts < 0) throw new Unappliable('too much moved')
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) refuseDeeper(member, levels - 1, work)
}

/** A deep copy: what is shared could not be changed in place. Gives up as soon as the budget is gone. */
function copyOf(value: Json, work: Work): Json {
  work.copyableChars -= typeof value === 'string' ? value.length + 2 : 2
  if (work.copyableChars < 0) throw new Unappliable('too much copied')
  if (Array.isArray(value)) return value.map(item => copyOf(item, work))
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    work.copyableChars -= key.length + 2
    if (member !== undefined) put(copy, key, copyOf(member, work))
  }
  return copy
}
