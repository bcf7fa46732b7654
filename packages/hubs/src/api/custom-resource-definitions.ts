import { z } from 'zod'
import { migrationSchema } from './migration.ts'
import { migrationTaskSchema } from './migration-task.ts'

type Schema = { [key: string]: unknown }

const RULES = 'x-kubernetes-validations'
const INT_OR_STRING = 'x-kubernetes-int-or-string'

/** Keys that JSON Schema allows and a structural schema of Kubernetes does not. */
const FOREIGN_KEYS = ['$schema', 'propertyNames', 'id']

/** A zod schema as the structural OpenAPI schema of a CRD. */
export function structuralSchema(schema: z.ZodType): Schema {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' })) as Schema
}

function structural(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structural)
  if (node === null || typeof node !== 'object') return node
  const entries = Object.entries(node).filter(([key]) => !FOREIGN_KEYS.includes(key))
  const result: Schema = Object.fromEntries(entries.map(([key, value]) => [key, structural(value)]))
  if (result['properties']) delete result['additionalProperties']
  if (result['format'] === 'date-time') delete result['pattern']
  for (const bound of ['minimum', 'maximum'])
    if (Math.abs(Number(result[bound])) === Number.MAX_SAFE_INTEGER) delete result[bound]
  if (result['type'] === 'integer') result['format'] = 'int64'
  if (result[INT_OR_STRING]) for (const key of ['anyOf', 'type']) delete result[key]
  return result
}

/** The API server adds these itself; a schema that names them must leave their content open. */
const objectHeader = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }

function objectSchema(schema: z.ZodType, required: readonly string[]): Schema {
  const { properties, [RULES]: rules } = structuralSchema(schema) as { properties: Schema; [RULES]?: unknown }
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    ...(rules !== undefined && { [RULES]: rules }),
    properties: { ...objectHeader, ...properties },
  }
}

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

export const managedClusterMigrationCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'managedclustermigrations.global-hub.open-cluster-management.io' },
  spec: {
    group: 'global-hub.open-cluster-management.io',
    scope: 'Namespaced',
    names: {
      plural: 'managedclustermigrations',
      singular: 'managedclustermigration',
      kind: 'ManagedClusterMigration',
      listKind: 'ManagedClusterMigrationList',
      shortNames: ['mcm'],
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'The phase of the migration' },
          { name: 'From', type: 'string', jsonPath: '.spec.from', priority: 1 },
          { name: 'To', type: 'string', jsonPath: '.spec.to', priority: 1 },
          { name: 'Clusters', type: 'integer', jsonPath: '.status.clusters.total', priority: 1 },
          { name: 'Done', type: 'integer', jsonPath: '.status.clusters.completed', priority: 1 },
          { name: 'Failed', type: 'integer', jsonPath: '.status.clusters.failed', priority: 1 },
          age,
        ],
        schema: { openAPIV3Schema: objectSchema(migrationSchema, []) },
      },
    ],
  },
} as const

export const migrationTaskCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'migrationtasks.godwit.dev' },
  spec: {
    group: 'godwit.dev',
    scope: 'Namespaced',
    names: {
      plural: 'migrationtasks',
      singular: 'migrationtask',
      kind: 'MigrationTask',
      listKind: 'MigrationTaskList',
      shortNames: ['mtask'],
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Migration', type: 'string', jsonPath: '.spec.migration.name' },
          { name: 'Role', type: 'string', jsonPath: '.spec.role' },
          { name: 'Scope', type: 'string', jsonPath: '.spec.scope' },
          age,
        ],
        schema: { openAPIV3Schema: objectSchema(migrationTaskSchema, ['spec']) },
      },
    ],
  },
} as const
