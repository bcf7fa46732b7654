import type { ObjectMeta } from '@godwit/kube'
import { z } from 'zod'
import { STAGES } from './stages.ts'

/**
 * Items of one task. A write to one of them stores the whole task and sends it to everybody who watches: of 50, that
 * is about 60 KB, and yet so many advance together that their writes are shared.
 */
export const MAX_TASK_ITEMS = 50

const stage = z.enum(STAGES)
const direction = z.enum(['Forward', 'Undo'])
const failure = z.object({ stage, code: z.string(), message: z.string() })

/** What the controller wants of one item (or of the shared part) from this side. */
const wish = z.object({
  stage: stage.describe('Forward: the stage to reach. Undo: the lowest stage to take back.'),
  direction,
  attempt: z.int().optional().describe('Grows when somebody asks for another attempt to undo what failed.'),
})

/** The controller's record of one item; it lives with the wish of the source side. */
const itemWish = wish.extend({
  cursor: z
    .object({ stage, direction, entered: z.boolean(), since: z.iso.datetime(), deadline: z.iso.datetime() })
    .optional()
    .describe('Where the item stands as a whole; only in source tasks.'),
  failure: failure.optional().describe('Why the item does not arrive; only in source tasks.'),
  outcome: z
    .enum(['Completed', 'RolledBack', 'Stuck'])
    .optional()
    .describe('How the item ended; only in source tasks.'),
  residue: z.array(z.string()).max(50).optional().describe('What was knowingly left behind; only in source tasks.'),
  bundle: z.string().optional().describe('Secret in this namespace that holds the item; only in target tasks.'),
  digest: z.string().optional().describe('SHA-256 of the item in its bundle; only in target tasks.'),
})

/** How far this side is with one item (or with the shared part). */
const progress = z.object({
  stage,
  direction,
  state: z.enum(['Acting', 'Done', 'Failed']),
  entered: z.boolean(),
  attempt: z.int().optional(),
  since: z.iso.datetime(),
  waitsFor: z.string().optional(),
  who: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  journal: z
    .record(z.string(), z.string())
    .optional()
    .describe('Values as they were before Godwit changed them, as JSON; null: absent.'),
  evidence: z.record(z.string(), z.string()).optional().describe('Receipts: facts that the world may stop showing.'),
})

const spec = z
  .object({
    migration: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
    role: z.enum(['Source', 'Target']),
    scope: z.enum(['Shared', 'Items', 'Plan']),
    shard: z.int().optional(),
    peer: z.string().describe('Name of the other hub.'),
    epoch: z.int(),
    shared: wish
      .extend({
        placement: z.string().optional().describe('Source: Placement whose decisions are the items.'),
        clusters: z.int().optional().describe('How many clusters the migration names.'),
        credential: z.string().optional().describe('Source: Secret in this namespace with the bootstrap kubeconfig.'),
        serviceAccount: z
          .object({ namespace: z.string(), name: z.string() })
          .optional()
          .describe('Target: who bootstraps.'),
      })
      .optional(),
    sealTo: z.string().optional().describe('Source: public key that bundles are sealed for.'),
    items: z.record(z.string(), itemWish).optional(),
    plan: z
      .object({ clusters: z.array(z.string()).max(MAX_TASK_ITEMS) })
      .optional()
      .describe('Only look, and tell what would be done with these clusters.'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self.epoch >= oldSelf.epoch', message: 'a newer controller has taken over' },
      {
        rule: 'self.migration == oldSelf.migration && self.role == oldSelf.role',
        message: 'a task keeps its migration and role',
      },
    ],
  })

/** What this side would do, told and not done. */
const clusterPlan = z.object({ text: z.string(), problem: z.string().optional() })
const taskPlan = z.object({
  at: z.iso.datetime(),
  shared: z.string().optional(),
  problem: z.string().optional().describe('Why the shared part would fail.'),
  selected: z.array(z.string()).max(5000).optional().describe('Source: clusters that the placement chooses now.'),
  items: z.record(z.string(), clusterPlan).optional(),
})

const status = z.object({
  observedGeneration: z.int().optional(),
  epoch: z.int().optional(),
  shared: progress
    .extend({
      selected: z.array(z.string()).max(5000).optional().describe('Source: clusters that the placement chose.'),
      sealingKey: z.string().optional().describe('Target: public key that bundles must be sealed for.'),
    })
    .optional(),
  items: z.record(z.string(), progress).optional(),
  plan: taskPlan.optional(),
})

export const migrationTaskSchema = z.object({ spec, status: status.optional() })

export type TaskSpec = z.infer<typeof spec>
export type TaskStatus = z.infer<typeof status>
export type SharedWish = NonNullable<TaskSpec['shared']>
export type SharedProgress = NonNullable<TaskStatus['shared']>
export type ItemWish = z.infer<typeof itemWish>
export type ItemCursor = NonNullable<ItemWish['cursor']>
export type Wish = z.infer<typeof wish>
export type Progress = z.infer<typeof progress>
export type TaskPlan = z.infer<typeof taskPlan>
export type PlanOfCluster = z.infer<typeof clusterPlan>
export type Failure = z.infer<typeof failure>
export type Role = TaskSpec['role']

/** `godwit.dev/v1alpha1` MigrationTask: the controller writes spec, the agent of the hub writes status. */
export interface MigrationTask {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec: TaskSpec
  readonly status?: TaskStatus
}
