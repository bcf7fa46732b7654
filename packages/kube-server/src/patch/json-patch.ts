import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { isObject, own, put, sameJson } from './json-value.ts'

/** The real server's bound; keeps one request from occupying the process. */
const MAX_OPERATIONS = 10_000
/** Repeated `copy` doubles a document each time; the bytes copied by one patch are bounded as on the real server. */
const MAX_COPIED_CHARS = 3 * 1024 * 1024
/** Patches could nest a document level by level beyond what the JSON reader accepts, and then what the stack holds. */
const MAX_DEPTH = 200

class Unappliable extends Error {}

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
  const budget = { chars: MAX_COPIED_CHARS }
  try {
    return patch.reduce<Json>((document, operation) => applyOperation(document, operation, budget), target)
  } catch (error) {
    if (!(error instanceof Unappliable)) throw error
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
  }
}

function goType(value: Json): string {
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

function applyOperation(document: Json, operation: Json, budget: { chars: number }): Json {
  if (!isObject(operation)) throw new Unappliable('an operation is an object')
  const path = pointer(own(operation, 'path'))
  switch (own(operation, 'op')) {
    case 'add':
      return add(document, path, valueIn(operation))
    case 'replace':
      return replace(document, path, valueIn(operation))
    case 'remove':
      return remove(document, path)
    case 'test':
      if (!sameJson(find(document, path) ?? null, own(operation, 'value') ?? null)) throw new Unappliable('test failed')
      return document
    case 'move': {
      const from = pointer(own(operation, 'from'))
      const value = existing(document, from)
      return add(remove(document, from), path, value)
    }
    case 'copy': {
      const value = existing(document, pointer(own(operation, 'from')))
      spend(value, budget)
      return add(document, path, value)
    }
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

/** Rebuilds the spine from the root to the container that `edit` changes; everything else is shared. */
function rewrite(
  node: Json | undefined,
  path: readonly string[],
  depth: number,
  edit: (container: Json[] | JsonObject, token: string) => Json,
): Json {
  const token = path[depth]
  if (token === undefined || node === null || typeof node !== 'object') throw new Unappliable('missing parent')
  if (depth === path.length - 1) return edit(node, token)
  if (Array.isArray(node)) {
    const position = index(token, node.length)
    const child = rewrite(node[position], path, depth + 1, edit)
    return child === node[position] ? node : node.with(position, child)
  }
  const old = own(node, token)
  const child = rewrite(old, path, depth + 1, edit)
  return child === old ? node : withMember(node, token, child)
}

function withMember(object: JsonObject, key: string, value: Json): JsonObject {
  const old = own(object, key)
  if (old !== undefined && sameJson(old, value)) return object
  const copy = { ...object }
  put(copy, key, value)
  return copy
}

function add(document: Json, path: readonly string[], value: Json): Json {
  refuseDeeper(value, MAX_DEPTH - path.length)
  return rewrite(document, path, 0, (container, token) => {
    if (!Array.isArray(container)) return withMember(container, token, value)
    return container.toSpliced(token === '-' ? container.length : index(token, container.length + 1), 0, value)
  })
}

function replace(document: Json, path: readonly string[], value: Json): Json {
  if (path.length === 0) return value
  refuseDeeper(value, MAX_DEPTH - path.length)
  return rewrite(document, path, 0, (container, token) => {
    if (!Array.isArray(container)) return withMember(container, token, value)
    const position = index(token, container.length)
    return sameJson(container[position], value) ? container : container.with(position, value)
  })
}

function remove(document: Json, path: readonly string[]): Json {
  return rewrite(document, path, 0, (container, token) => {
    if (Array.isArray(container)) return container.toSpliced(index(token, container.length), 1)
    if (own(container, token) === undefined) throw new Unappliable('missing member')
    const copy = { ...container }
    delete copy[token]
    return copy
  })
}

function refuseDeeper(value: Json | undefined, levels: number): void {
  if (levels < 0) throw new Unappliable('too deep')
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) refuseDeeper(member, levels - 1)
}

/** Charges the size of a copied value, giving up as soon as the budget is gone: the value may share sub-trees. */
function spend(value: Json | undefined, budget: { chars: number }): void {
  if (typeof value === 'string') budget.chars -= value.length
  budget.chars -= 2
  if (budget.chars < 0) throw new Unappliable('too much copied')
  if (Array.isArray(value)) for (const item of value) spend(item, budget)
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) {
      budget.chars -= key.length + 2
      spend(member, budget)
    }
}
