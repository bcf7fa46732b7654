/** CocoonSet as the API serves it. Members of the status that the reference does not have are ours, and all optional. */
import type { KubeObject } from '@godwit/kube'
import { z } from 'zod'
import { cocoonSetSpec } from './cocoon-set-spec.ts'
import { moveOutcome, moveRecord, snapshotDebt, suspension } from './move-record.ts'
import { connType, port } from './vm-options.ts'

export const setPhases = [
  'Pending',
  'Running',
  'Scaling',
  'Suspending',
  'Suspended',
  'Waking',
  'Migrating',
  'Failed',
] as const
export type SetPhase = (typeof setPhases)[number]

const byKey = (...keys: readonly string[]) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })

export const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional(),
})
export type SetCondition = z.infer<typeof condition>

const runtime = {
  podName: z.string().optional(),
  vmName: z.string().optional(),
  vmID: z.string().optional(),
  ip: z.string().optional(),
  phase: z.string().optional(),
}

const agentStatus = z.object({
  slot: z.int(),
  role: z.string(),
  ...runtime,
  forkedFrom: z.string().optional(),
})
export type AgentStatus = z.infer<typeof agentStatus>

const toolboxStatus = z.object({
  name: z.string(),
  ...runtime,
  connType: connType.optional(),
  vncPort: port.optional(),
})
export type ToolboxStatus = z.infer<typeof toolboxStatus>

export const cocoonSetStatus = z.object({
  observedGeneration: z.int().optional(),
  phase: z.enum(setPhases).optional(),
  readyAgents: z.int().optional(),
  desiredAgents: z.int().optional(),
  readyToolboxes: z.int().optional(),
  desiredToolboxes: z.int().optional(),
  agents: z.array(agentStatus).meta(byKey('slot')).optional(),
  toolboxes: z.array(toolboxStatus).meta(byKey('name')).optional(),
  conditions: z.array(condition).meta(byKey('type')).optional(),
  migrations: z.array(moveRecord).meta(byKey('podName')).optional(),
  lastMigrations: z.array(moveOutcome).meta(byKey('podName')).optional(),
  debts: z.array(snapshotDebt).meta(byKey('vmName')).optional(),
  suspension: suspension.optional(),
})
export type CocoonSetStatus = z.infer<typeof cocoonSetStatus>

export const cocoonSetSchema = z.object({ spec: cocoonSetSpec, status: cocoonSetStatus.optional() })
export type CocoonSet = KubeObject & z.infer<typeof cocoonSetSchema>
