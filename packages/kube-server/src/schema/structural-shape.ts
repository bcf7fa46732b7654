/** Whether a schema can be read at all: every keyword has the right JSON type, and nesting is bounded. */

import { goTypeName } from '../api/metadata.ts'
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { isObject } from '../patch/json-value.ts'
import { invalid } from './causes.ts'
import { maxSchemaDepth } from './parse-node.ts'

type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'strings'
  | 'list'
  | 'schema'
  | 'schemas'
  | 'named'
  | 'schemaOrBoolean'
  | 'rules'

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...(
    [
      'type',
      'format',
      'title',
      'description',
      'pattern',
      '$ref',
      'id',
      'x-kubernetes-list-type',
      'x-kubernetes-map-type',
    ] as const
  ).map(name => [name, 'string'] as const),
  ...(
    [
      'minimum',
      'maximum',
      'multipleOf',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
    ] as const
  ).map(name => [name, 'number'] as const),
  ...(
    [
      'exclusiveMinimum',
      'exclusiveMaximum',
      'uniqueItems',
      'nullable',
      'x-kubernetes-preserve-unknown-fields',
      'x-kubernetes-embedded-resource',
      'x-kubernetes-int-or-string',
    ] as const
  ).map(name => [name, 'boolean'] as const),
  ['required', 'strings'],
  ['x-kubernetes-list-map-keys', 'strings'],
  ['enum', 'list'],
  ['not', 'schema'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['allOf', 'schemas'],
  ['properties', 'named'],
  ['additionalProperties', 'schemaOrBoolean'],
  ['x-kubernetes-validations', 'rules'],
])

/** Causes of keywords that no schema can have in this form. */
export function shapeCauses(schema: JsonObject, path: string, depth = 0): Cause[] {
  if (depth > maxSchemaDepth) return [invalid([path], null, `must not be nested deeper than ${maxSchemaDepth} levels`)]
  const causes: Cause[] = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === undefined || value === null) continue
    const shape = shapes.get(keyword)
    const at = `${path}.${keyword}`
    if (shape && !hasShape(value, shape))
      causes.push(invalid([at], goTypeName(value), `must be of type ${wanted[shape]}`))
    else
      for (const [where, child] of childrenOf(keyword, value))
        causes.push(...shapeCauses(child, path + where, depth + 1))
  }
  return causes
}

const wanted: { readonly [shape in Shape]: string } = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  strings: 'array of strings',
  list: 'array',
  schema: 'object',
  schemas: 'array of objects',
  named: 'map of objects',
  schemaOrBoolean: 'object or boolean',
  rules: 'array of objects',
}

function hasShape(value: Json, shape: Shape): boolean {
  switch (shape) {
    case 'string':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'strings':
      return Array.isArray(value) && value.every(item => typeof item === 'string')
    case 'list':
      return Array.isArray(value)
    case 'schema':
      return isObject(value)
    case 'schemas':
    case 'rules':
      return Array.isArray(value) && value.every(isObject)
    case 'named':
      return isObject(value) && Object.values(value).every(isObject)
    case 'schemaOrBoolean':
      return typeof value === 'boolean' || isObject(value)
  }
}

function childrenOf(keyword: string, value: Json): [string, JsonObject][] {
  if (keyword === 'properties' && isObject(value))
    return Object.entries(value).flatMap(([name, one]) => (isObject(one) ? [[`.properties[${name}]`, one]] : []))
  if (['anyOf', 'oneOf', 'allOf'].includes(keyword) && Array.isArray(value))
    return value.flatMap((one, i) => (isObject(one) ? [[`.${keyword}[${i}]`, one]] : []))
  return ['not', 'items', 'additionalProperties'].includes(keyword) && isObject(value) ? [[`.${keyword}`, value]] : []
}
