import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import { itemShape } from './granularity.ts'
import { elementText, itemElement } from './path-element.ts'
import { type KeyedListShape, memberShape, type SetShape, type Shape } from './shape.ts'

/**
 * Paths of an apply body that the schema does not declare (`.spec.nope`). Only the topmost undeclared path is listed,
 * not what is below it.
 */
export function undeclaredFields(body: JsonObject, shape: Shape): string[] {
  return [...findings(body, shape, '')].filter(({ text }) => text === UNDECLARED).map(({ path }) => path)
}

/**
 * Why an apply body cannot be merged: undeclared fields, items that cannot be told apart. Worded as in the 500 of the
 * real server: `.spec.nope: field not declared in schema`.
 */
export function applyBodyErrors(body: JsonObject, shape: Shape): string[] {
  return [...findings(body, shape, '')].map(({ path, text }) => `${path}: ${text}`)
}

/** The errors as the real server writes them into one message. */
export function bodyErrorText(errors: readonly string[]): string {
  return errors.length === 1 ? `${errors[0]}` : `errors:\n${errors.map(error => `  ${error}`).join('\n')}`
}

interface Finding {
  readonly path: string
  readonly text: string
}

const UNDECLARED = 'field not declared in schema'

function* findings(value: Json, shape: Shape, path: string): Generator<Finding> {
  if (shape.type === 'leaf' && shape.inside) yield* insideFindings(value, shape.inside, path)
  if ((shape.type === 'set' || shape.type === 'keyed') && Array.isArray(value)) yield* itemFindings(value, shape, path)
  if (shape.type !== 'map' || !isObject(value)) return
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member === undefined) continue
    const declared = memberShape(shape, key)
    if (declared === undefined) yield { path: `${path}.${key}`, text: UNDECLARED }
    else yield* findings(member, declared, `${path}.${key}`)
  }
}

function* insideFindings(value: Json, inside: Shape, path: string): Generator<Finding> {
  if (!Array.isArray(value)) yield* findings(value, inside, path)
  else for (const [position, item] of value.entries()) yield* findings(item, inside, `${path}[${position}]`)
}

function* itemFindings(list: readonly Json[], shape: SetShape | KeyedListShape, path: string): Generator<Finding> {
  const seen = new Set<string>()
  for (const [position, item] of list.entries()) {
    const element = itemElement(shape, item)
    if (element === undefined) {
      yield { path, text: `element ${position}: ${unkeyedText(shape, item)}` }
      continue
    }
    if (seen.has(element)) yield { path, text: `duplicate entries for key ${elementText(element)}` }
    seen.add(element)
    yield* findings(item, itemShape(shape), `${path}${elementText(element)}`)
  }
}

function unkeyedText(shape: SetShape | KeyedListShape, item: Json): string {
  if (shape.type === 'set') {
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements'
    return `associative list without keys has an element that's ${item === null ? 'an explicit null' : 'a map type'}`
  }
  if (!isObject(item)) return 'associative list with keys may not have non-map elements'
  const missing = shape.keys.find(key => own(item, key) === undefined && !shape.defaults.has(key))
  return `associative list with keys has an element that omits key field ${JSON.stringify(missing ?? '')} (and doesn't have default value)`
}
