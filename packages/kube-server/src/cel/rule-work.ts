/**
 * How often the innermost step of a rule runs on the largest object that its schema allows. It is a lower bound of what
 * the real server estimates: it knows loops over lists and maps of the schema only, and takes every step for one unit.
 */
import type { SchemaNode } from '../schema/schema-node.ts'
import { type CelNode, calledName, childrenOf } from './ast.ts'
import { escapedName } from './field-names.ts'

/** Size of the largest request that the real server reckons with. */
const maxRequestBytes = 3 * 1024 * 1024

/** What variables of the rule stand for; undefined for anything but a part of the object. */
type Variables = ReadonlyMap<string, SchemaNode | undefined>

/** `self` is the schema of the node that has the rule. The tree must be type-checked. */
export function ruleWork(tree: CelNode, self: SchemaNode, hasOptionalOldSelf: boolean): number {
  const variables = new Map([
    ['self', self],
    ['oldSelf', hasOptionalOldSelf ? undefined : self],
  ])
  return 1 + work(tree, variables)
}

function work(node: CelNode, variables: Variables): number {
  const children = childrenOf(node)
  if (node.meta.alternate?.op === 'comprehension') return loopWork(children, variables)
  const works = children.map(child => work(child, variables))
  const [condition = 0, yes = 0, no = 0] = works
  return node.op === '?:' ? condition + Math.max(yes, no) : works.reduce((sum, one) => sum + one, 0)
}

function loopWork([range, variable, ...body]: readonly CelNode[], variables: Variables): number {
  if (!range || !variable) return 0
  const inner = new Map(variables).set(String(variable.args), schemaOf(range, variables)?.items)
  const step = body.reduce((sum, child) => sum + work(child, inner), 1)
  return work(range, variables) + (lengthOf(range, variables) ?? 1) * step
}

/** The most that the list or map can hold; undefined when it is not known. */
function lengthOf(node: CelNode, variables: Variables): number | undefined {
  if (node.op === 'list') return childrenOf(node).length
  const [receiver] = childrenOf(node)
  const name = calledName(node)
  if ((name === 'map' || name === 'filter') && receiver) return lengthOf(receiver, variables)
  const schema = schemaOf(node, variables)
  return schema && maxLength(schema)
}

/** Undefined for what is no part of the object. */
function schemaOf(node: CelNode, variables: Variables): SchemaNode | undefined {
  if (node.op === 'id') return variables.get(String(node.args))
  const [receiver] = childrenOf(node)
  const schema = receiver && schemaOf(receiver, variables)
  if (!schema) return undefined
  const values = typeof schema.additional === 'object' ? schema.additional : undefined
  if (node.op === '[]') return schema.items ?? values
  if (node.op !== '.') return undefined
  const name = (node.args as readonly unknown[])[1]
  for (const [property, child] of schema.properties) if (escapedName(property) === name) return child
  return values
}

function maxLength(schema: SchemaNode): number | undefined {
  if (schema.items) return schema.itemCount?.max ?? Math.floor((maxRequestBytes - 2) / (minSize(schema.items) + 1))
  if (typeof schema.additional !== 'object') return undefined
  return schema.propertyCount?.max ?? Math.floor((maxRequestBytes - 2) / (minSize(schema.additional) + 6))
}

/**
 * How many values of this schema one object can hold. `fromAbove` is the product of the limits of all lists and maps
 * around it; undefined when one of them has none.
 */
export function cardinality(schema: SchemaNode, fromAbove: number | undefined): number {
  return fromAbove ?? Math.floor(maxRequestBytes / (minSize(schema) + 1))
}

/** `cardinality` of the parts of a schema, as `fromAbove` for each. */
export function cardinalityBelow(schema: SchemaNode, fromAbove: number | undefined): number | undefined {
  if (fromAbove === undefined) return undefined
  if (schema.items) return times(fromAbove, schema.itemCount?.max)
  return typeof schema.additional === 'object' ? times(fromAbove, schema.propertyCount?.max) : fromAbove
}

const times = (count: number, max: number | undefined) => (max === undefined ? undefined : count * max)

/** Type and metadata of an embedded resource. */
const embeddedBytes = 100

/** Bytes of the shortest value. */
function minSize(schema: SchemaNode): number {
  if (schema.intOrString) return 1
  switch (schema.typeText) {
    case 'boolean':
      return 4
    case 'integer':
    case 'number':
      return 1
    case 'string':
      return formatSizes.get(schema.format) ?? 2
    case 'object':
      return objectSize(schema)
    default:
      return 2
  }
}

const formatSizes: ReadonlyMap<string, number> = new Map([
  ['duration', 3],
  ['date', 12],
  ['date-time', 21],
])

function objectSize(schema: SchemaNode): number {
  let size = schema.embedded ? 2 + embeddedBytes : 2
  for (const name of schema.required) {
    const property = schema.properties.get(name)
    if (property && property.defaultValue === undefined) size += name.length + minSize(property) + 4
  }
  return size
}
