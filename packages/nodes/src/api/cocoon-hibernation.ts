/** CocoonHibernation as the API serves it. */
import type { KubeObject } from '@godwit/kube'
import { z } from 'zod'
import { condition } from './cocoon-set.ts'

export const hibernationPhases = ['Pending', 'Hibernating', 'Hibernated', 'Waking', 'Active', 'Failed'] as const
export type HibernationPhase = (typeof hibernationPhases)[number]

const spec = z.object({
  podRef: z.object({ name: z.string().min(1).max(253) }).meta({
    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'podRef cannot change: make another one' }],
  }),
  desire: z.enum(['Hibernate', 'Wake']),
})

const status = z.object({
  observedGeneration: z.int().optional(),
  phase: z.enum(hibernationPhases).optional(),
  vmName: z.string().optional(),
  conditions: z
    .array(condition)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional(),
  digest: z.string().optional().describe('Of the snapshot that holds the state of the VM.'),
  oldDigest: z.string().optional().describe('Of a snapshot that was there before this hibernation began.'),
  setUid: z.string().optional().describe('Of the set whose VM it is: another set of that name is another life.'),
  owesDelete: z.boolean().optional().describe('The snapshot is to be deleted: the VM runs again.'),
})
export type HibernationStatus = z.infer<typeof status>

export const cocoonHibernationSchema = z.object({ spec, status: status.optional() })
export type CocoonHibernation = KubeObject & z.infer<typeof cocoonHibernationSchema>
