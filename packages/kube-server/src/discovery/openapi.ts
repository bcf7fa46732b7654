/** OpenAPI v3: just what kubectl needs to validate, apply, edit and explain. */
import { createHash } from 'node:crypto'
import type { JsonObject } from '../api/object.ts'
import { type ApiResponse, json } from '../http/message.ts'
import { scaleResource } from '../registry/builtin/reviews.ts'
import { metadataSchema } from '../registry/define.ts'
import type { Registry } from '../registry/registry.ts'
import { groupVersion, type Resource } from '../registry/resource.ts'

const prefix = '/openapi/v3'

export class OpenApi {
  readonly #registry: Registry
  #revision = 0
  readonly #documents = new Map<string, string>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Answers `/openapi/v3` and everything below; undefined for group versions that are not served. */
  answer(path: string): ApiResponse | undefined {
    if (this.#revision !== this.#registry.revision) {
      this.#documents.clear()
      this.#revision = this.#registry.revision
    }
    const rest = path.slice(prefix.length).replace(/^\/|\/$/g, '')
    if (rest === '') return json(200, JSON.stringify({ paths: this.#index() }))
    const document = this.#document(rest)
    return document === undefined ? undefined : json(200, document)
  }

  #index(): JsonObject {
    const paths: JsonObject = {}
    for (const [group, versions] of this.#registry.groups())
      for (const version of versions) {
        const name = pathOf(group, version)
        const hash = createHash('sha256')
          .update(this.#document(name) ?? '')
          .digest('hex')
          .toUpperCase()
        paths[name] = { serverRelativeURL: `${prefix}/${name}?hash=${hash}` }
      }
    return paths
  }

  #document(name: string): string | undefined {
    const known = this.#documents.get(name)
    if (known !== undefined) return known
    for (const [group, versions] of this.#registry.groups())
      for (const version of versions)
        if (pathOf(group, version) === name) {
          const made = JSON.stringify(documentOf(this.#registry.inVersion(group, version)))
          this.#documents.set(name, made)
          return made
        }
    return undefined
  }
}

const pathOf = (group: string, version: string) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)

function documentOf(resources: readonly Resource[]): JsonObject {
  const paths: JsonObject = {}
  const schemas: JsonObject = { ObjectMeta: metadataSchema }
  for (const resource of resources) {
    const name = schemaName(resource)
    schemas[name] ??= schemaOf(resource)
    Object.assign(paths, pathsOf(resource, name))
    if (resource.scale) schemas[schemaName(scaleResource)] ??= schemaOf(scaleResource)
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths,
    components: { schemas },
  }
}

/** `com.example.checks.v1.Widget` for group `checks.example.com`. */
function schemaName({ group, version, kind, custom }: Resource): string {
  if (!custom) return `io.k8s.api.${group.split('.')[0] || 'core'}.${version}.${kind}`
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

const gvk = ({ group, version, kind }: Resource): JsonObject => ({ group, version, kind })

function schemaOf(resource: Resource): JsonObject {
  const schema = resource.schema ?? { type: 'object' }
  const properties = (schema['properties'] ?? {}) as JsonObject
  return {
    ...schema,
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'The REST resource this object stands for.' },
      ...properties,
      metadata: {
        description: 'Standard object metadata.',
        allOf: [{ $ref: '#/components/schemas/ObjectMeta' }],
        default: {},
      },
    },
    'x-kubernetes-group-version-kind': [gvk(resource)],
  }
}

const query = (name: string, description: string): JsonObject => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
})

const writeParameters: readonly JsonObject[] = [
  query('dryRun', 'When present, modifications should not be persisted. The valid value is All.'),
  query('fieldManager', 'The name of the actor that makes these changes.'),
  query('fieldValidation', 'What to do about unknown and duplicate fields: Ignore, Warn or Strict.'),
]

const actions: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['create', ['post', 'post']],
  ['list', ['get', 'list']],
  ['deletecollection', ['delete', 'deletecollection']],
  ['get', ['get', 'get']],
  ['update', ['put', 'put']],
  ['patch', ['patch', 'patch']],
  ['delete', ['delete', 'delete']],
])

function pathsOf(resource: Resource, schema: string): JsonObject {
  const root = `/${pathOf(resource.group, resource.version)}`
  const collection = resource.namespaced
    ? `${root}/namespaces/{namespace}/${resource.plural}`
    : `${root}/${resource.plural}`
  const paths: JsonObject = {}
  addPath(paths, collection, resource, schema, ['create', 'list', 'deletecollection'])
  addPath(paths, `${collection}/{name}`, resource, schema, ['get', 'update', 'patch', 'delete'])
  if (resource.namespaced && resource.verbs.includes('list'))
    addPath(paths, `${root}/${resource.plural}`, resource, schema, ['list'])
  for (const { name } of resource.subresources)
    if (name === 'status') addPath(paths, `${collection}/{name}/status`, resource, schema, ['get', 'update', 'patch'])
  return paths
}

function addPath(paths: JsonObject, path: string, resource: Resource, schema: string, verbs: readonly string[]): void {
  const item: JsonObject = {}
  for (const verb of verbs.filter(one => resource.verbs.includes(one))) {
    const [method, action] = actions.get(verb) ?? ['', '']
    item[method] = {
      operationId: `${action}-${groupVersion(resource.group, resource.version)}-${resource.plural}-${path.length}`,
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': gvk(resource),
      parameters: method === 'get' ? [] : [...writeParameters],
      responses: {
        200: {
          description: 'OK',
          content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
        },
      },
    }
  }
  if (Object.keys(item).length > 0) paths[path] = item
}
