import { structuralSchema as asStructural, customObjectSchema } from '@godwit/kube'
import { z } from 'zod'
import { migrationSchema } from './migration.ts'
import { migrationTaskSchema } from './migration-task.ts'

type Schema = { [key: string]: unknown }

/** A zod schema as the structural OpenAPI schema of a CRD. */
export function structuralSchema(schema: z.ZodType): Schema {
  return asStructural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }))
}

function objectSchema(schema: z.ZodType, required: readonly string[]): Schema {
  const { required: _, ...whole } = structuralSchema(schema)
  return customObjectSchema({ ...whole, required })
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
          { name: 'Percent', type: 'integer', jsonPath: '.status.progress.percent', priority: 1 },
          { name: 'Waits for', type: 'string', jsonPath: '.status.waitingFor[0].what', priority: 1 },
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
