/** Rules for single keywords of a definition's schema, at every node. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { own } from '../patch/json-value.ts'
import { forbidden, invalid, missing, notSupported } from './causes.ts'
import { isGiven, isSet, namedSchemas, schemaList, schemaOf, textList, textOf } from './keyword.ts'
import { type RuleContext, ruleCausesAt } from './structural-rules.ts'

/** What holds for a node because of where it stands. */
interface Place {
  readonly path: string
  readonly isRoot: boolean
  /** Inside apiVersion, kind or metadata of a resource. */
  readonly isInsideMeta: boolean
  /** Why defaults are forbidden; undefined when they are not. */
  readonly noDefaults: string | undefined
  /** The list or map whose items have no identity: rules below it cannot use `oldSelf`. */
  readonly uncorrelatable: string | undefined
  /** Undefined where rules are not looked at: in value validations, or when the schema is not structural. */
  readonly rules: RuleContext | undefined
}

export interface Findings {
  readonly schema: Cause[]
  readonly rules: Cause[]
}

export function keywordCauses(schema: JsonObject, path: string, rules: RuleContext | undefined): Findings {
  const place = { path, isRoot: true, isInsideMeta: false, noDefaults: undefined, uncorrelatable: undefined, rules }
  return check(schema, place)
}

function check(schema: JsonObject, place: Place): Findings {
  const found: Findings = { schema: [], rules: [] }
  checkUnsupported(schema, place, found.schema)
  const absorb = (child: JsonObject | undefined, at: Place) => {
    if (!child) return
    const below = check(child, at)
    found.schema.push(...below.schema)
    found.rules.push(...below.rules)
  }
  descend(schema, place, absorb)
  checkMapType(schema, place.path, found.schema)
  checkListType(schema, place.path, found.schema)
  checkMapKeys(schema, place.path, found.schema)
  const own = ruleCausesAt(schema, place, found.schema.length === 0 ? place.rules : undefined)
  found.schema.push(...own.schema)
  found.rules.push(...own.rules)
  return found
}

function descend(schema: JsonObject, place: Place, visit: (child: JsonObject | undefined, place: Place) => void): void {
  const { path, rules } = place
  const inner = { ...place, isRoot: false }
  visit(schemaOf(schema, 'additionalProperties'), {
    ...inner,
    path: `${path}.additionalProperties`,
    noDefaults: place.isInsideMeta ? 'inside additionalProperties applying to object metadata' : place.noDefaults,
    rules: rules?.additional(),
  })
  for (const [name, child] of namedSchemas(schema, 'properties')) visit(child, propertyPlace(schema, place, name))
  const nested = { ...inner, rules: undefined }
  visit(schemaOf(schema, 'not'), { ...nested, path: `${path}.not` })
  for (const junctor of ['allOf', 'oneOf', 'anyOf'])
    for (const [i, one] of schemaList(schema, junctor).entries())
      visit(one, { ...nested, path: `${path}.${junctor}[${i}]` })
  visit(schemaOf(schema, 'items'), {
    ...inner,
    path: `${path}.items`,
    uncorrelatable: place.uncorrelatable ?? (textOf(schema, 'x-kubernetes-list-type') === 'map' ? undefined : path),
    rules: rules?.items(),
  })
}

const metaFields = new Set(['metadata', 'kind', 'apiVersion'])

function propertyPlace(schema: JsonObject, place: Place, name: string): Place {
  const isMeta = (place.isRoot || isSet(schema, 'x-kubernetes-embedded-resource')) && metaFields.has(name)
  return {
    path: `${place.path}.properties[${name}]`,
    isRoot: false,
    isInsideMeta: place.isInsideMeta || isMeta,
    noDefaults: isMeta && place.isRoot ? `in top-level ${name}` : place.noDefaults,
    uncorrelatable: place.uncorrelatable,
    rules: place.rules?.property(name),
  }
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

function checkUnsupported(schema: JsonObject, { path, noDefaults, isInsideMeta }: Place, causes: Cause[]): void {
  const type = textOf(schema, 'type')
  if (type !== '' && !types.includes(type)) causes.push(notSupported([`${path}.type`], type, types))
  if (own(schema, 'default') !== undefined && noDefaults)
    causes.push(forbidden([`${path}.default`], `must not be set ${noDefaults}`))
  for (const keyword of unsupported)
    if (isThere(own(schema, keyword), keyword))
      causes.push(forbidden([`${path}.${keyword}`], `${keyword} is not supported`))
  if (type === 'null')
    causes.push(forbidden([`${path}.type`], 'type cannot be set to null, use nullable as an alternative'))
  if (Array.isArray(own(schema, 'items')))
    causes.push(forbidden([`${path}.items`], 'items must be a schema object and not an array'))
  if (isInsideMeta && isSet(schema, 'x-kubernetes-embedded-resource'))
    causes.push(forbidden([`${path}.x-kubernetes-embedded-resource`], 'must not be used inside of resource meta'))
  if (isSet(schema, 'uniqueItems'))
    causes.push(
      forbidden(
        [`${path}.uniqueItems`],
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  const additional = own(schema, 'additionalProperties')
  if (additional !== undefined && additional !== true && namedSchemas(schema, 'properties').length > 0)
    causes.push(forbidden([`${path}.additionalProperties`], 'additionalProperties and properties are mutual exclusive'))
  if (own(schema, 'x-kubernetes-preserve-unknown-fields') === false)
    causes.push(invalid([`${path}.x-kubernetes-preserve-unknown-fields`], false, 'must be true or undefined'))
}

/** `$ref`, `dependencies` and `additionalItems` count even when empty. */
function isThere(value: Json | undefined, keyword: string): boolean {
  if (keyword === 'id' || keyword === 'patternProperties' || keyword === 'definitions') return isGiven(value)
  return value !== undefined && value !== null
}

function checkMapType(schema: JsonObject, path: string, causes: Cause[]): void {
  const mapType = textOf(schema, 'x-kubernetes-map-type')
  if (mapType === '') return
  checkTypeFor(schema, 'object', 'x-kubernetes-map-type', path, causes)
  if (mapType !== 'atomic' && mapType !== 'granular')
    causes.push(notSupported([`${path}.x-kubernetes-map-type`], mapType, ['atomic', 'granular']))
}

function checkTypeFor(schema: JsonObject, wanted: string, keyword: string, path: string, causes: Cause[]): boolean {
  const type = textOf(schema, 'type')
  if (type === wanted) return true
  const why = `must be ${wanted} if ${keyword} is specified`
  causes.push(type === '' ? missing([`${path}.type`], why) : invalid([`${path}.type`], type, why))
  return false
}

function checkListType(schema: JsonObject, path: string, causes: Cause[]): void {
  const listType = textOf(schema, 'x-kubernetes-list-type')
  const at = `${path}.x-kubernetes-list-type`
  if (listType !== '') {
    if (checkTypeFor(schema, 'array', 'x-kubernetes-list-type', path, causes) && listType === 'set')
      checkSetItems(schema, path, causes)
    if (!['atomic', 'set', 'map'].includes(listType))
      causes.push(notSupported([at], listType, ['atomic', 'set', 'map']))
  }
  if (textList(schema, 'x-kubernetes-list-map-keys').length === 0 || listType === 'map') return
  const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
  causes.push(listType === '' ? missing([at], why) : invalid([at], listType, why))
}

/** Items of a set are compared as a whole, so they must be atomic. */
function checkSetItems(schema: JsonObject, path: string, causes: Cause[]): void {
  const items = schemaOf(schema, 'items')
  if (!items) return
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const [type, listType, mapType] = ['type', 'x-kubernetes-list-type', 'x-kubernetes-map-type'].map(keyword =>
    textOf(items, keyword),
  )
  if (type === 'array' && listType !== '' && listType !== 'atomic')
    causes.push(invalid([`${path}.items.x-kubernetes-list-type`], listType ?? null, why))
  if (type === 'object' && mapType !== 'atomic')
    causes.push(invalid([`${path}.items.x-kubernetes-map-type`], listType || null, why))
}

function checkMapKeys(schema: JsonObject, path: string, causes: Cause[]): void {
  const listType = textOf(schema, 'x-kubernetes-list-type')
  const items = schemaOf(schema, 'items')
  if (listType === 'map') {
    const keys = textList(schema, 'x-kubernetes-list-map-keys')
    if (keys.length === 0)
      causes.push(missing([`${path}.x-kubernetes-list-map-keys`], 'must not be empty if x-kubernetes-list-type is map'))
    if (!items) causes.push(missing([`${path}.items`], 'must have a schema if x-kubernetes-list-type is map'))
    else if (textOf(items, 'type') !== 'object')
      causes.push(
        invalid(
          [`${path}.items.type`],
          textOf(items, 'type'),
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      )
    else checkKeyNames(keys, items, path, causes)
  }
  if (items && (listType === 'map' || listType === 'set')) checkKeyedItems(schema, items, listType, path, causes)
}

function checkKeyNames(keys: readonly string[], items: JsonObject, path: string, causes: Cause[]): void {
  const properties = new Map(namedSchemas(items, 'properties'))
  const at = `${path}.x-kubernetes-list-map-keys`
  for (const [i, key] of keys.entries()) {
    const type = properties.has(key) ? textOf(properties.get(key) ?? {}, 'type') : undefined
    if (type === undefined) causes.push(badKeys(at, keys, 'entries must all be names of item properties'))
    else if (type === 'array' || type === 'object')
      causes.push(
        invalid(
          [`${path}.items.properties[${key}].type`],
          'object',
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    if (keys.indexOf(key) < i) causes.push(badKeys(at, keys, 'must not contain duplicate entries'))
  }
}

const badKeys = (field: string, keys: readonly string[], why: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: []string{${keys.map(key => JSON.stringify(key)).join(', ')}}: ${why}`,
})

function checkKeyedItems(schema: JsonObject, items: JsonObject, listType: string, path: string, causes: Cause[]): void {
  if (isSet(items, 'nullable'))
    causes.push(forbidden([`${path}.items.nullable`], `cannot be nullable when x-kubernetes-list-type is ${listType}`))
  if (listType !== 'map') return
  const required = new Set(textList(items, 'required'))
  const properties = new Map(namedSchemas(items, 'properties'))
  for (const key of textList(schema, 'x-kubernetes-list-map-keys')) {
    const property = properties.get(key)
    if (!property) continue
    const at = `${path}.items.properties[${key}]`
    if (!required.has(key) && own(property, 'default') === undefined)
      causes.push(
        missing(
          [`${at}.default`],
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    if (isSet(property, 'nullable'))
      causes.push(
        forbidden([`${at}.nullable`], 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'),
      )
  }
}
