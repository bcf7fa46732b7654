/** What a request may say of a subcloud peer group, with hyphens, and what is shown of one, with underscores. */
import { z } from 'zod'
import { integerField, nameField, uuidField } from '../http/fields.ts'
import type { PeerGroup } from './rows.ts'

const fields = {
  'peer-group-name': nameField.refine(name => name.toLowerCase() !== 'none'),
  'group-priority': integerField(0, 65_536),
  'group-state': z.enum(['enabled', 'disabled']),
  'system-leader-id': uuidField,
  'system-leader-name': nameField,
  'max-subcloud-rehoming': integerField(1, 250),
}

export const newGroupSchema = z.object({
  ...fields,
  'group-priority': fields['group-priority'].default(0),
  'group-state': fields['group-state'].default('enabled'),
  'system-leader-id': fields['system-leader-id'].optional(),
  'system-leader-name': fields['system-leader-name'].optional(),
  'max-subcloud-rehoming': fields['max-subcloud-rehoming'].default(10),
})

/** `none`, or null, forgets that a migration has ended. */
const migrationField = z
  .string()
  .transform(value => value.toLowerCase())
  .pipe(z.enum(['migrating', 'complete', 'none']))

export const groupChangeSchema = z.object({ ...fields, migration_status: migrationField }).partial()
export const GROUP_KEYS: readonly string[] = Object.keys(groupChangeSchema.shape)

export const migrateSchema = z.object({ sysadmin_password: z.string() })

export const auditSchema = z.object({
  peer_uuid: z.string(),
  peer_group_name: z.string(),
  group_priority: z.union([z.int(), z.string()]),
  group_state: z.string(),
  system_leader_id: z.string(),
  system_leader_name: z.string(),
  migration_status: z.string().nullable(),
})
/** In the order in which they are asked for. */
export const AUDIT_KEYS: readonly string[] = Object.keys(auditSchema.shape)

export const shownGroupSchema = z.object({
  id: z.int(),
  peer_group_name: z.string(),
  group_priority: z.int(),
  group_state: z.string(),
  max_subcloud_rehoming: z.int(),
  system_leader_id: z.string(),
  system_leader_name: z.string(),
  migration_status: z.string().nullable(),
  'created-at': z.string(),
  'updated-at': z.string().nullable(),
})

export const shownGroup = (group: PeerGroup): z.infer<typeof shownGroupSchema> => ({
  id: group.id,
  peer_group_name: group.name,
  group_priority: group.priority,
  group_state: group.state,
  max_subcloud_rehoming: group.maxRehoming,
  system_leader_id: group.leaderId,
  system_leader_name: group.leaderName,
  migration_status: group.migrationStatus ?? null,
  'created-at': group.createdAt,
  'updated-at': group.updatedAt ?? null,
})
