/**
 * What makes a schema structural: a type on every node, and value validations (`allOf`, `anyOf`, `oneOf`, `not`) that
 * say nothing about structure and mention no field that is not declared outside of them.
 */
import type { JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { own, sameJson } from '../patch/json-value.ts'
import { forbidden, invalid, missing } from './causes.ts'
import { isGiven, isSet, namedSchemas, schemaList, schemaOf, textOf } from './keyword.ts'
import { compilePattern } from './pattern.ts'

type Level = 'root' | 'item' | 'field'

export function structuralCauses(schema: JsonObject, path: string): Cause[] {
  const causes: Cause[] = []
  checkNode(schema, 'root', path, causes)
  checkComplete(schema, schema, path, path, causes)
  return causes.sort((a, b) => (textOfCause(a) < textOfCause(b) ? -1 : 1))
}

const textOfCause = ({ field, message }: Cause) => `${field}: ${message}`

const missingType: { readonly [level in Level]: string } = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function checkNode(schema: JsonObject, level: Level, path: string, causes: Cause[]): void {
  const type = textOf(schema, 'type')
  const items = schemaOf(schema, 'items')
  if (type === 'array' && !items) causes.push(missing([`${path}.items`], 'must be specified'))
  if (items) checkNode(items, 'item', `${path}.items`, causes)
  for (const [name, child] of namedSchemas(schema, 'properties'))
    checkNode(child, 'field', `${path}.properties[${name}]`, causes)
  checkAdditional(schema, level, path, causes)
  checkExtensions(schema, path, causes)
  checkValueValidation(schema, level, path, causes)
  checkType(schema, type, level, path, causes)
  checkResource(schema, level, path, causes)
}

function checkAdditional(schema: JsonObject, level: Level, path: string, causes: Cause[]): void {
  const additional = own(schema, 'additionalProperties')
  if (additional === undefined || additional === null) return
  const at = `${path}.additionalProperties`
  if (level === 'root') causes.push(forbidden([at], 'must not be used at the root'))
  const child = schemaOf(schema, 'additionalProperties')
  if (child) checkNode(child, 'field', at, causes)
  if (isSet(schema, 'x-kubernetes-embedded-resource'))
    causes.push(forbidden([at], 'must not be used if x-kubernetes-embedded-resource is set'))
}

function checkExtensions(schema: JsonObject, path: string, causes: Cause[]): void {
  if (!isSet(schema, 'x-kubernetes-int-or-string')) return
  for (const keyword of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'])
    if (isSet(schema, keyword))
      causes.push(invalid([`${path}.${keyword}`], true, 'must be false if x-kubernetes-int-or-string is true'))
}

function checkType(schema: JsonObject, type: string, level: Level, path: string, causes: Cause[]): void {
  const at = `${path}.type`
  if (isSet(schema, 'x-kubernetes-embedded-resource')) {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    if (type === '') causes.push(missing([at], why))
    else if (type !== 'object') causes.push(invalid([at], type, why))
  } else if (
    type === '' &&
    !isSet(schema, 'x-kubernetes-int-or-string') &&
    !isSet(schema, 'x-kubernetes-preserve-unknown-fields')
  )
    causes.push(missing([at], missingType[level]))
  if (level === 'root' && type !== '' && type !== 'object')
    causes.push(invalid([at], type, 'must be object at the root'))
}

/** The members that every resource has may be restricted, not redefined. */
function checkResource(schema: JsonObject, level: Level, path: string, causes: Cause[]): void {
  const isEmbedded = isSet(schema, 'x-kubernetes-embedded-resource')
  const properties = new Map(namedSchemas(schema, 'properties'))
  if (level === 'root' || isEmbedded)
    for (const name of ['kind', 'apiVersion']) {
      const child = properties.get(name)
      if (child && textOf(child, 'type') !== 'string')
        causes.push(invalid([`${path}.properties[${name}].type`], textOf(child, 'type'), 'must be string'))
    }
  const metadata = properties.get('metadata')
  if (metadata && (level === 'root' || isEmbedded))
    checkMetadata(metadata, level, `${path}.properties[metadata]`, causes)
  if (isEmbedded && !isSet(schema, 'x-kubernetes-preserve-unknown-fields') && properties.size === 0)
    causes.push(
      missing(
        [`${path}.properties`],
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
}

const freeMetadataKeywords = new Set(['type', 'default', 'properties', 'example', 'externalDocs'])

function checkMetadata(metadata: JsonObject, level: Level, path: string, causes: Cause[]): void {
  const type = textOf(metadata, 'type')
  if (type !== 'object') causes.push(invalid([`${path}.type`], type, 'must be object'))
  if (level !== 'root') return
  const names = namedSchemas(metadata, 'properties').map(([name]) => name)
  const isBare = Object.keys(metadata).every(key => freeMetadataKeywords.has(key) || !isGiven(metadata[key]))
  if (!isBare || names.some(name => name !== 'name' && name !== 'generateName'))
    causes.push(
      forbidden(
        [path],
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    )
}

const junctors = ['anyOf', 'allOf', 'oneOf'] as const

function checkValueValidation(schema: JsonObject, level: Level, path: string, causes: Cause[], mayName = true): void {
  for (const junctor of junctors)
    for (const [i, one] of schemaList(schema, junctor).entries()) {
      if (mayName && junctor === 'anyOf' && namesIntOrString(schema)) continue
      // Int-or-string may be spelled out in the first part of an `allOf`, too.
      const isSpelledOut = mayName && junctor === 'allOf' && i === 0 && namesIntOrString(one)
      checkNested(one, level, `${path}.${junctor}[${i}]`, causes, isSpelledOut)
    }
  const not = schemaOf(schema, 'not')
  if (not) checkNested(not, level, `${path}.not`, causes, false)
  const pattern = textOf(schema, 'pattern')
  if (pattern === '') return
  try {
    compilePattern(pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    causes.push(invalid([`${path}.pattern`], pattern, `must be a valid regular expression, but isn't: ${why}`))
  }
}

const intOrString = [{ type: 'integer' }, { type: 'string' }]
const namesIntOrString = (schema: JsonObject) => sameJson(own(schema, 'anyOf'), intOrString)

/** Keywords of structure, and what they have to be in a value validation. */
const structuralKeywords: readonly (readonly [string, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]
/** Given as soon as they are there, whatever their value. */
const presentKeywords = new Set(['additionalProperties', 'default', 'x-kubernetes-list-type', 'x-kubernetes-map-type'])

function checkNested(schema: JsonObject, level: Level, path: string, causes: Cause[], isSpelledOut: boolean): void {
  // The alternatives of a spelled-out int-or-string carry types; nothing else may.
  if (isSpelledOut) checkValueValidation({ ...schema, anyOf: [] }, level, path, causes, false)
  else checkValueValidation(schema, level, path, causes, false)
  const items = schemaOf(schema, 'items')
  if (items) checkNested(items, level, `${path}.items`, causes, false)
  for (const [name, child] of namedSchemas(schema, 'properties'))
    checkNested(child, 'field', `${path}.properties[${name}]`, causes, false)
  for (const [keyword, why] of structuralKeywords) {
    const value = own(schema, keyword)
    const isThere = presentKeywords.has(keyword) ? value !== undefined && value !== null : isGiven(value)
    if (isThere) causes.push(forbidden([`${path}.${keyword}`], why))
  }
  if (namedSchemas(schema, 'properties').some(([name]) => name === 'metadata'))
    causes.push(forbidden([`${path}.properties[metadata]`], 'must not be specified in a nested context'))
}

/** Every field and item that a value validation speaks of must exist outside of it. */
function checkComplete(
  value: JsonObject,
  structure: JsonObject,
  path: string,
  valuePath: string,
  causes: Cause[],
): void {
  const not = schemaOf(value, 'not')
  if (not) checkNestedComplete(not, structure, path, `${valuePath}.not`, causes)
  for (const junctor of junctors)
    for (const [i, one] of schemaList(value, junctor).entries())
      checkNestedComplete(one, structure, path, `${valuePath}.${junctor}[${i}]`, causes)
}

function checkNestedComplete(
  value: JsonObject,
  structure: JsonObject | undefined,
  path: string,
  valuePath: string,
  causes: Cause[],
): void {
  if (!structure) {
    causes.push(missing([path], `because it is defined in ${valuePath}`))
    return
  }
  checkComplete(value, structure, path, valuePath, causes)
  const items = schemaOf(value, 'items')
  if (items) checkNestedComplete(items, schemaOf(structure, 'items'), `${path}.items`, `${valuePath}.items`, causes)
  const declared = new Map(namedSchemas(structure, 'properties'))
  for (const [name, child] of namedSchemas(value, 'properties')) {
    const at = `.properties[${name}]`
    checkNestedComplete(child, declared.get(name), path + at, valuePath + at, causes)
  }
}
