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

/** The waves of a migration with a strategy, written before the clusters of a wave begin. */
const waves = z.object({
  number: z.int().describe('The wave that is under way, or the last one.'),
  of: z.int().describe('How many waves there will have been, by the present strategy.'),
  begun: z.int().describe('So many clusters, in the order of the migration, may begin or have begun.'),
  since: z.iso.datetime().describe('When the wave began.'),
  soakUntil: z.iso.datetime().optional().describe('The next wave rests until then.'),
  stopped: z.string().optional().describe('Why no further cluster begins.'),
})

const plan = z.object({
  at: z.iso.datetime(),
  generation: z.int(),
  clusters: z.int(),
  problems: z.int().describe('How many clusters and hubs would be refused now.'),
  pages: z.array(z.string()).max(100).describe('ConfigMaps that hold the plan.'),
})

const progress = z.object({
  settled: z.int().describe('Clusters that have arrived or ended otherwise.'),
  total: z.int(),
  percent: z.int(),
  estimatedCompletion: z.iso
    .datetime()
    .optional()
    .describe('When all clusters may have settled, from those that have; absent while that says nothing.'),
  next: z.string().optional().describe('What comes next, and when.'),
})

const status = z
  .object({
    phase: z.enum(PHASES).optional(),
    conditions: z.array(condition).optional(),
    observedGeneration: z.int().optional(),
    epoch: z.int().optional().describe('Term of the controller that wrote this; a lower one is refused.'),
    shared: shared.optional(),
    clusters: counts.optional(),
    progress: progress.optional(),
    waves: waves.optional(),
    plan: plan.optional().describe('With spec.dryRun: where the plan is.'),
    waitingFor: z.array(waitingFor).max(20).optional(),
    residue: z.array(z.string()).max(RESIDUE_LIMIT).optional().describe('What was knowingly left behind, by name.'),
    startTime: z.iso.datetime().optional(),
    completionTime: z.iso.datetime().optional(),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '!has(oldSelf.epoch) || (has(self.epoch) && self.epoch >= oldSelf.epoch)',
        message: 'a newer controller has taken over',
      },
    ],
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
export type ProgressRecord = z.infer<typeof progress>
export type PlanRecord = z.infer<typeof plan>
export type MigrationCondition = z.infer<typeof condition>
export type ClusterCounts = z.infer<typeof counts>
export type WaitingFor = z.infer<typeof waitingFor>
export type WaveRecord = z.infer<typeof waves>
export type SharedRecord = z.infer<typeof shared>

/** `global-hub.open-cluster-management.io/v1alpha1`, short name `mcm`. */
export interface ManagedClusterMigration {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec?: MigrationSpec
  readonly status?: MigrationStatus
}
