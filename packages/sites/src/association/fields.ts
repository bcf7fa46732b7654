/** What a request may say of an association, and what is shown of one. */
import { z } from 'zod'
import { integerField } from '../http/fields.ts'
import { SYNC_STATES } from '../model/states.ts'
import type { Association } from './rows.ts'

const MAX_ID = 2_147_483_647
const MAX_PRIORITY = 65_536

export const newAssociationSchema = z.object({
  peer_group_id: integerField(1, MAX_ID),
  system_peer_id: integerField(1, MAX_ID),
  peer_group_priority: integerField(1, MAX_PRIORITY).optional(),
})

export const associationChangeSchema = z
  .object({ peer_group_priority: integerField(1, MAX_PRIORITY), sync_status: z.enum(SYNC_STATES) })
  .partial()

export const listedAssociationSchema = z.object({
  id: z.int(),
  'peer-group-id': z.int(),
  'system-peer-id': z.int(),
  'peer-group-priority': z.int().nullable(),
  'association-type': z.enum(['primary', 'non-primary']),
  'sync-status': z.enum(SYNC_STATES),
  'created-at': z.string(),
  'updated-at': z.string().nullable(),
})
export const shownAssociationSchema = listedAssociationSchema.extend({ 'sync-message': z.string().nullable() })

export const listedAssociation = (association: Association): z.infer<typeof listedAssociationSchema> => ({
  id: association.id,
  'peer-group-id': association.groupId,
  'system-peer-id': association.peerId,
  'peer-group-priority': association.priority ?? null,
  'association-type': association.type,
  'sync-status': association.syncStatus,
  'created-at': association.createdAt,
  'updated-at': association.updatedAt ?? null,
})

export const shownAssociation = (association: Association): z.infer<typeof shownAssociationSchema> => ({
  ...listedAssociation(association),
  'sync-message': association.syncMessage ?? null,
})
