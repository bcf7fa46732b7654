/** Turns an `openAPIV3Schema` into nodes. Never fails: `checkStructural` is where bad schemas are refused. */
import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import { formatCheck } from './formats.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import {
  type EnumValues,
  type NumberLimits,
  type SchemaNode,
  type SizeLimits,
  type StringLimits,
  type TypeName,
  typeBits,
  type ValidationRule,
} from './schema-node.ts'

/** Deeper schemas are cut off; `checkStructural` refuses them. */
export const maxSchemaDepth = 128

export function parseNode(source: JsonObject, depth = 0): SchemaNode {
  const child = (value: Json | undefined) =>
    isObject(value) && depth < maxSchemaDepth ? parseNode(value, depth + 1) : undefined
  const children = (value: Json | undefined) => (Array.isArray(value) ? value.flatMap(item => child(item) ?? []) : [])
  const properties = propertiesOf(own(source, 'properties'), child)
  const additional = own(source, 'additionalProperties')
  const rules = rulesOf(own(source, 'x-kubernetes-validations'))
  const embedded = own(source, 'x-kubernetes-embedded-resource') === true
  const listType = listTypeOf(own(source, 'x-kubernetes-list-type'))
  const node = {
    ...typeOf(source),
    nullable: own(source, 'nullable') === true,
    preserves: own(source, 'x-kubernetes-preserve-unknown-fields') === true,
    embedded,
    ...formatOf(source),
    defaultValue: own(source, 'default'),
    properties,
    defaulted: [...properties].flatMap(([name, { defaultValue }]) =>
      defaultValue === undefined ? [] : [[name, defaultValue] as const],
    ),
    additional: typeof additional === 'boolean' ? additional : child(additional),
    items: child(own(source, 'items')),
    required: strings(own(source, 'required')),
    enumValues: enumOf(own(source, 'enum')),
    numbers: numberLimits(source),
    strings: stringLimits(source),
    itemCount: sizeLimits(source, 'minItems', 'maxItems'),
    propertyCount: sizeLimits(source, 'minProperties', 'maxProperties'),
    listType,
    mapKeys: strings(own(source, 'x-kubernetes-list-map-keys')),
    anyOf: children(own(source, 'anyOf')),
    oneOf: children(own(source, 'oneOf')),
    allOf: children(own(source, 'allOf')),
    not: child(own(source, 'not')),
    rules,
    source,
  }
  return { ...node, below: below(node) }
}

/** Summed over what is structural: value validations under `allOf` and so on carry none of these keywords. */
function below(node: Omit<SchemaNode, 'below'>): SchemaNode['below'] {
  const children = [...node.properties.values()]
  if (typeof node.additional === 'object') children.push(node.additional)
  if (node.items) children.push(node.items)
  return {
    rules: node.rules.length > 0 || children.some(one => one.below.rules),
    lists: node.listType === 'set' || node.listType === 'map' || children.some(one => one.below.lists),
    embedded: node.embedded || children.some(one => one.below.embedded),
  }
}

function propertiesOf(
  value: Json | undefined,
  child: (value: Json | undefined) => SchemaNode | undefined,
): ReadonlyMap<string, SchemaNode> {
  const properties = new Map<string, SchemaNode>()
  if (!isObject(value)) return properties
  for (const name of Object.keys(value)) {
    const node = child(value[name])
    if (node) properties.set(name, node)
  }
  return properties
}

function typeOf(source: JsonObject): Pick<SchemaNode, 'types' | 'typeText' | 'intOrString'> {
  if (own(source, 'x-kubernetes-int-or-string') === true)
    return { types: typeBits.integer | typeBits.string, typeText: 'integer,string', intOrString: true }
  const type = own(source, 'type')
  if (typeof type !== 'string' || !Object.hasOwn(typeBits, type)) return { types: 0, typeText: '', intOrString: false }
  return { types: typeBits[type as TypeName], typeText: type, intOrString: false }
}

function formatOf(source: JsonObject): Pick<SchemaNode, 'format' | 'formatCheck'> {
  const format = own(source, 'format')
  if (typeof format !== 'string') return { format: '', formatCheck: undefined }
  return { format, formatCheck: formatCheck(format) }
}

function numberLimits(source: JsonObject): NumberLimits | undefined {
  const minimum = numberOf(own(source, 'minimum'))
  const maximum = numberOf(own(source, 'maximum'))
  const multipleOf = numberOf(own(source, 'multipleOf'))
  if (minimum === undefined && maximum === undefined && multipleOf === undefined) return undefined
  const exclusiveMinimum = own(source, 'exclusiveMinimum') === true
  const exclusiveMaximum = own(source, 'exclusiveMaximum') === true
  return { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }
}

function stringLimits(source: JsonObject): StringLimits | undefined {
  const minLength = numberOf(own(source, 'minLength'))
  const maxLength = numberOf(own(source, 'maxLength'))
  const pattern = own(source, 'pattern')
  const hasPattern = typeof pattern === 'string' && pattern !== ''
  if (minLength === undefined && maxLength === undefined && !hasPattern) return undefined
  return { minLength, maxLength, pattern: hasPattern ? lazyPattern(pattern) : undefined }
}

function lazyPattern(source: string): () => Pattern {
  let compiled: Pattern | undefined
  return () => {
    compiled ??= compilePattern(source)
    return compiled
  }
}

function sizeLimits(source: JsonObject, minKey: string, maxKey: string): SizeLimits | undefined {
  const min = numberOf(own(source, minKey))
  const max = numberOf(own(source, maxKey))
  return min === undefined && max === undefined ? undefined : { min, max }
}

function listTypeOf(value: Json | undefined): SchemaNode['listType'] {
  return value === 'atomic' || value === 'set' || value === 'map' ? value : undefined
}

function rulesOf(value: Json | undefined): ValidationRule[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map(rule => ({
    rule: text(own(rule, 'rule')),
    message: text(own(rule, 'message')),
    messageExpression: text(own(rule, 'messageExpression')),
    reason: text(own(rule, 'reason')),
    fieldPath: text(own(rule, 'fieldPath')),
    optionalOldSelf: flag(own(rule, 'optionalOldSelf')),
  }))
}

const text = (value: Json | undefined) => (typeof value === 'string' ? value : '')
const flag = (value: Json | undefined) => (typeof value === 'boolean' ? value : undefined)
const numberOf = (value: Json | undefined) => (typeof value === 'number' ? value : undefined)

function enumOf(value: Json | undefined): EnumValues | undefined {
  if (!Array.isArray(value)) return undefined
  return { list: value, scalars: new Set(value.filter(one => typeof one !== 'object' || one === null)) }
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
