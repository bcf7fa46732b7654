import type { ObjectMeta } from '@godwit/kube'
import { z } from 'zod'
import { type MigrationSpec, migrationSpec } from './migration-spec.ts'
import { PHASES, STAGES } from './stages.ts'

const RESIDUE_LIMIT = 200

const condition = z.object({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(1024),
  message: z.string().max(32_768),
  lastTransitionTime: z.iso.datetime(),
  lastUpdateTime: z.iso.datetime().optional(),
  observedGeneration: z.int().optional(),
})

const waitingFor = z.object({
  what: z.string(),
  who: z.string(),
  since: z.iso.datetime(),
  until: z.iso.datetime().optional(),
  items: z.int().optional().describe('How many clusters wait for it.'),
  example: z.string().optional().describe('One of these clusters.'),
})

const counts = z.object({
  total: z.int(),
  waiting: z.int().describe('Not started yet.'),
  validating: z.int(),
  initializing: z.int(),
  deploying: z.int(),
  registering: z.int(),
  cleaning: z.int(),
  completed: z.int(),
  rollingBack: z.int(),
  failed: z.int(),
})

/** The shared part of the record: where the migration as a whole stands. */
const shared = z.object({
  stage: z.string(),
  direction: z.enum(['Forward', 'Undo']),
  entered: z.boolean(),
  since: z.iso.datetime(),
  deadline: z.iso.datetime().optional(),
  attempt: z.int().optional().describe('How often a person has asked to roll back again.'),
  failure: z
    .object({ stage: z.enum(STAGES), code: z.string(), message: z.string() })
    .optional()
    .describe('Why the migration as a whole failed.'),
})

const status = z.object({
  phase: z.enum(PHASES).optional(),
  conditions: z.array(condition).optional(),
  observedGeneration: z.int().optional(),
  epoch: z.int().optional().describe('Term of the controller that wrote this; a lower one is refused.'),
  shared: shared.optional(),
  clusters: counts.optional(),
  waitingFor: z.array(waitingFor).max(20).optional(),
  residue: z.array(z.string()).max(RESIDUE_LIMIT).optional().describe('What was knowingly left behind, by name.'),
  startTime: z.iso.datetime().optional(),
  completionTime: z.iso.datetime().optional(),
})

export const migrationSchema = z.object({ spec: migrationSpec.optional(), status: status.optional() }).meta({
  'x-kubernetes-validations': [
    {
      rule: '!has(oldSelf.spec) || has(self.spec)',
      message: 'spec cannot be taken away: delete the migration instead',
    },
  ],
})

export type MigrationStatus = z.infer<typeof status>
export type MigrationCondition = z.infer<typeof condition>
export type ClusterCounts = z.infer<typeof counts>
export type WaitingFor = z.infer<typeof waitingFor>
export type SharedRecord = z.infer<typeof shared>

/** `global-hub.open-cluster-management.io/v1alpha1`, short name `mcm`. */
export interface ManagedClusterMigration {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec?: MigrationSpec
  readonly status?: MigrationStatus
}
