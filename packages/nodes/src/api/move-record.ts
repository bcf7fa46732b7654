/** The durable record of one VM on its way to another node, and of clean-up that is owed. */
import { z } from 'zod'

export const moveStages = ['Prepare', 'Quiesce', 'Release', 'Restore', 'Settle'] as const
export type MoveStage = (typeof moveStages)[number]

const time = z.string()
const failure = z.object({ code: z.string(), message: z.string() })

export const moveRecord = z.object({
  podName: z.string(),
  id: z.string().describe('Names the migration in logs, Events and the claim on the pod.'),
  vmName: z.string().describe('Taken from the pod, so that it is known while there is no pod.'),
  slot: z.int(),
  source: z.string(),
  target: z.string().optional().describe('Absent: any node that fits.'),
  requested: z.string().optional().describe('What the spec asked for when the target was chosen.'),
  stage: z.enum(moveStages),
  direction: z.enum(['Forward', 'Undo']),
  entered: z.boolean(),
  since: time,
  deadline: time.optional(),
  attempt: z.int(),
  generation: z.int().describe('Of the spec that asked for the move.'),
  startedAt: time,
  oldPodUid: z.string(),
  oldVmId: z.string().optional(),
  oldDigest: z.string().optional().describe('Of a snapshot that was there before; only another digest counts.'),
  keptLeftover: z.boolean().optional(),
  quiescedAt: time.optional(),
  digest: z.string().optional(),
  snapshotId: z.string().optional(),
  newPodUid: z.string().optional(),
  newVmId: z.string().optional(),
  tried: z.array(z.string()).optional(),
  failure: failure.optional(),
  waitsFor: z.string().optional(),
})
export type MoveRecord = z.infer<typeof moveRecord>

export const moveOutcome = z.object({
  podName: z.string(),
  id: z.string(),
  source: z.string(),
  target: z.string().optional(),
  outcome: z.enum(['Completed', 'RolledBack', 'Cancelled', 'Superseded', 'SnapshotLost', 'Failed']),
  generation: z.int(),
  finishedAt: time,
  totalMs: z.int().optional(),
  downtimeMs: z
    .int()
    .optional()
    .describe('From the receipt that the source stopped to the proof that the target runs.'),
  failure: failure.optional(),
})
export type MoveOutcome = z.infer<typeof moveOutcome>

/** A snapshot tag that is to go. Never in the way of the user; retried with a capped delay. */
export const snapshotDebt = z.object({
  vmName: z.string(),
  podName: z.string(),
  digest: z
    .string()
    .optional()
    .describe('Only this manifest is deleted; absent: what the tag shows once its proof holds.'),
  reason: z.enum(['migration', 'suspend', 'wake']),
  isProven: z.boolean().describe('A newer state was seen running. Otherwise that is still to be proven.'),
  generation: z.int(),
  since: time,
  attempts: z.int(),
  nextAttempt: time.optional(),
  failure: failure.optional(),
})
export type SnapshotDebt = z.infer<typeof snapshotDebt>

export const suspension = z.object({
  since: time.describe('When Suspending began.'),
  vms: z.array(z.object({ podName: z.string(), vmName: z.string() })),
  isComplete: z.boolean(),
})
export type Suspension = z.infer<typeof suspension>
