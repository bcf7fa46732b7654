import type { Api } from './api.ts'

type Json = Record<string, unknown>

const schema: Json = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', minimum: 1 },
        color: { type: 'string', enum: ['Red', 'Blue'], default: 'Red' },
        replicas: { type: 'integer' },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, qty: { type: 'integer', default: 1 } },
          },
        },
        selector: { type: 'string' },
        maybe: { type: 'string', nullable: true },
      },
    },
    status: {
      type: 'object',
      properties: {
        phase: { type: 'string', enum: ['Pending', 'Done'] },
        replicas: { type: 'integer' },
        selector: { type: 'string' },
      },
    },
  },
}

export interface DefinitionOptions {
  readonly group?: string
  readonly plural?: string
  readonly kind?: string
  readonly scope?: 'Namespaced' | 'Cluster'
  readonly names?: Json
  readonly versions?: Json[]
  readonly subresources?: Json
}

export const version = (name: string, more: Json = {}): Json => ({
  name,
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  subresources: { status: {} },
  ...more,
})

/** A definition with sensible contents; everything can be replaced. */
export function definition(options: DefinitionOptions = {}): Json {
  const { group = 'test.example.com', plural = 'widgets', kind = 'Widget', scope = 'Namespaced' } = options
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, ...options.names },
      versions: options.versions ?? [version('v1', options.subresources && { subresources: options.subresources })],
    },
  }
}

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Creates a definition and waits until it is served. */
export async function serve(api: Api, options: DefinitionOptions = {}): Promise<void> {
  const wanted = definition(options)
  const { name } = wanted['metadata'] as { name: string }
  await api.create(definitionsPath, wanted)
  await api.until(`${definitionsPath}/${name}`, ({ body }) =>
    JSON.stringify(body.status).includes('"type":"Established","status":"True"'),
  )
}

export const widgetsPath = '/apis/test.example.com/v1/namespaces/default/widgets'

export const widget = (name: string, spec: Json = {}, more: Json = {}): Json => ({
  apiVersion: 'test.example.com/v1',
  kind: 'Widget',
  metadata: { name, ...(more['metadata'] as Json | undefined) },
  spec,
  ...Object.fromEntries(Object.entries(more).filter(([field]) => field !== 'metadata')),
})
