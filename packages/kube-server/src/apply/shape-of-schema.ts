import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import { free, leaf, type MapShape, type Shape, set, untracked } from './shape.ts'
import { embeddedMetadataShape, metadataShape } from './shape-metadata.ts'

/**
 * The shape of a custom resource from its `openAPIV3Schema` (a structural schema). The server's own members
 * (apiVersion, kind, metadata) are filled in. Build once per schema and keep: shapes are immutable.
 */
export function shapeOfSchema(openAPIV3Schema: JsonObject): Shape {
  const root = shapeOf(openAPIV3Schema)
  return withObjectMembers(root.type === 'map' ? root : { type: 'map', fields: new Map(), rest: free })
}

function withObjectMembers(shape: MapShape): MapShape {
  const fields = new Map(shape.fields)
  fields.set('apiVersion', untracked).set('kind', untracked).set('metadata', metadataShape)
  return { ...shape, fields }
}

function shapeOf(schema: Json | undefined): Shape {
  if (!isObject(schema)) return free
  if (own(schema, 'x-kubernetes-int-or-string') === true) return leaf
  const type = own(schema, 'type')
  if (type === 'array') return listShape(schema)
  if (type === 'object' || isObject(own(schema, 'properties'))) return objectShape(schema)
  if (type === undefined) return free
  return leaf
}

function objectShape(schema: JsonObject): Shape {
  const shape = granularShape(schema)
  return own(schema, 'x-kubernetes-map-type') === 'atomic' ? { type: 'leaf', inside: shape } : shape
}

function granularShape(schema: JsonObject): Shape {
  const properties = own(schema, 'properties')
  const fields = new Map<string, Shape>()
  if (isObject(properties))
    for (const [name, property] of Object.entries(properties)) fields.set(name, shapeOf(property))
  const rest = restShape(schema, fields.size)
  if (own(schema, 'x-kubernetes-embedded-resource') === true)
    return withEmbeddedMembers({ type: 'map', fields, ...(rest && { rest }) })
  if (fields.size === 0 && rest?.type === 'free') return free
  return { type: 'map', fields, ...(rest && { rest }) }
}

function restShape(schema: JsonObject, declared: number): Shape | undefined {
  if (own(schema, 'x-kubernetes-preserve-unknown-fields') === true) return free
  const additional = own(schema, 'additionalProperties')
  if (isObject(additional)) return shapeOf(additional)
  if (additional === true) return free
  // An object that declares nothing at all holds whatever pruning leaves: nothing.
  return declared === 0 ? free : undefined
}

function withEmbeddedMembers(shape: MapShape): MapShape {
  const fields = new Map(shape.fields)
  if (!fields.has('apiVersion')) fields.set('apiVersion', leaf)
  if (!fields.has('kind')) fields.set('kind', leaf)
  fields.set('metadata', embeddedMetadataShape)
  return { ...shape, fields }
}

function listShape(schema: JsonObject): Shape {
  const listType = own(schema, 'x-kubernetes-list-type')
  if (listType === 'set') return set
  const items = own(schema, 'items')
  const keys = own(schema, 'x-kubernetes-list-map-keys')
  if (listType !== 'map' || !Array.isArray(keys)) return { type: 'leaf', inside: shapeOf(items) }
  return {
    type: 'keyed',
    keys: keys.filter(key => typeof key === 'string'),
    defaults: keyDefaults(items, keys),
    items: shapeOf(items),
  }
}

function keyDefaults(items: Json | undefined, keys: readonly Json[]): ReadonlyMap<string, Json> {
  const defaults = new Map<string, Json>()
  const properties = isObject(items) ? own(items, 'properties') : undefined
  if (!isObject(properties)) return defaults
  for (const key of keys) {
    const property = typeof key === 'string' ? own(properties, key) : undefined
    const value = isObject(property) ? own(property, 'default') : undefined
    if (typeof key === 'string' && value !== undefined) defaults.set(key, value)
  }
  return defaults
}
