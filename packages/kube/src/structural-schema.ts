type Schema = { [key: string]: unknown }

const INT_OR_STRING = 'x-kubernetes-int-or-string'

/** Keys that JSON Schema allows and a structural schema of Kubernetes does not. */
const FOREIGN_KEYS = ['$schema', 'propertyNames', 'id']

/** A JSON schema (OpenAPI 3.0 dialect) as the structural schema of a CRD: what Kubernetes refuses in one is left out. */
export function structuralSchema(jsonSchema: object): Schema {
  return structural(jsonSchema) as Schema
}

function structural(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structural)
  if (node === null || typeof node !== 'object') return node
  const entries = Object.entries(node).filter(([key]) => !FOREIGN_KEYS.includes(key))
  const result: Schema = Object.fromEntries(entries.map(([key, value]) => [key, partOf(key, value)]))
  if (result['properties']) delete result['additionalProperties']
  if (result['format'] === 'date-time') delete result['pattern']
  for (const bound of ['minimum', 'maximum'])
    if (Math.abs(Number(result[bound])) === Number.MAX_SAFE_INTEGER) delete result[bound]
  if (result['type'] === 'integer') result['format'] = 'int64'
  if (result[INT_OR_STRING]) for (const key of ['anyOf', 'type']) delete result[key]
  return result
}

/** Keys below `properties` are names of the user's members, a default is a value: neither is a schema. */
function partOf(key: string, value: unknown): unknown {
  if (key === 'default' || key === 'enum') return value
  if (key !== 'properties' || value === null || typeof value !== 'object') return structural(value)
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, structural(schema)]))
}

/** The API server adds these itself; a schema that names them must leave their content open. */
const objectHeader = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }

/** The schema of a whole custom object: `properties` of it are spec and status. */
export function customObjectSchema(jsonSchema: object): Schema {
  const { properties, required, 'x-kubernetes-validations': rules } = structuralSchema(jsonSchema)
  return {
    type: 'object',
    ...(Array.isArray(required) && required.length > 0 && { required }),
    ...(rules !== undefined && { 'x-kubernetes-validations': rules }),
    properties: { ...objectHeader, ...(properties as Schema) },
  }
}
