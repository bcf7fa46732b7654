/** Objects of the other site's API, parsed. Members that only we have may be missing. */
import { z } from 'zod'
import { SYNC_STATES } from '../model/states.ts'
import type { ValuesVersion } from '../model/values-version.ts'
import {
  PeerUnreachable,
  type RemoteAssociation,
  type RemoteGroup,
  type RemoteSubcloud,
  type RemoteTombstone,
  type RemoteView,
} from './peer-site.ts'

/** Objects that one implementation shows as such, and the other one as JSON text. */
const jsonObject = z
  .union([
    z.record(z.string(), z.unknown()),
    z.string().transform((text, context) => {
      try {
        return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
      } catch {
        context.addIssue({ code: 'custom', message: 'no JSON object' })
        return z.NEVER
      }
    }),
  ])
  .nullish()

const textOrNone = z
  .string()
  .nullish()
  .transform(text => text ?? '')

export const groupSchema = z
  .object({
    id: z.number(),
    peer_group_name: z.string(),
    group_priority: z.number(),
    group_state: z.string(),
    max_subcloud_rehoming: z.number(),
    system_leader_id: z.string(),
    system_leader_name: textOrNone,
    migration_status: z.enum(['migrating', 'complete']).nullish(),
  })
  .transform(
    (group): RemoteGroup => ({
      id: group.id,
      name: group.peer_group_name,
      priority: group.group_priority,
      state: group.group_state,
      maxRehoming: group.max_subcloud_rehoming,
      leaderId: group.system_leader_id,
      leaderName: group.system_leader_name,
      migrationStatus: group.migration_status ?? undefined,
    }),
  )
export const groupsSchema = z.object({ subcloud_peer_groups: z.array(groupSchema) })

export const subcloudSchema = z
  .object({
    id: z.number(),
    name: z.string(),
    'region-name': z.string(),
    'deploy-status': z.string(),
    'management-state': z.enum(['managed', 'unmanaged']),
    'availability-status': z.string(),
    peer_group_id: z.number().nullish(),
    description: textOrNone,
    location: textOrNone,
    'software-version': textOrNone,
    rehome_data: jsonObject,
    data_install: jsonObject,
    'owner-epoch': z.number().nullish(),
    'values-version': jsonObject,
  })
  .transform((subcloud): RemoteSubcloud => {
    const payload = subcloud.rehome_data?.['saved_payload']
    return {
      id: subcloud.id,
      name: subcloud.name,
      region: subcloud['region-name'],
      deployStatus: subcloud['deploy-status'],
      managementState: subcloud['management-state'],
      availability: subcloud['availability-status'],
      peerGroupId: subcloud.peer_group_id ?? undefined,
      description: subcloud.description,
      location: subcloud.location,
      softwareVersion: subcloud['software-version'],
      rehomeData: typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : undefined,
      installValues: subcloud.data_install ?? undefined,
      ownerEpoch: subcloud['owner-epoch'] ?? undefined,
      valuesVersion: (subcloud['values-version'] ?? undefined) as ValuesVersion | undefined,
    }
  })
export const subcloudsSchema = z.object({ subclouds: z.array(subcloudSchema) })

export const tombstonesSchema = z.object({
  tombstones: z.array(
    z.object({ 'region-name': z.string(), name: z.string(), 'owner-epoch': z.number() }).transform(
      (stone): RemoteTombstone => ({
        region: stone['region-name'],
        name: stone.name,
        ownerEpoch: stone['owner-epoch'],
      }),
    ),
  ),
})

const viewSchema = z
  .object({
    'deploy-status': z.string(),
    'management-state': z.enum(['managed', 'unmanaged']),
    'owner-epoch': z.number(),
    'values-version': z.record(z.string(), z.number()),
  })
  .transform(
    (view): RemoteView => ({
      deployStatus: view['deploy-status'],
      managementState: view['management-state'],
      ownerEpoch: view['owner-epoch'],
      valuesVersion: view['values-version'],
    }),
  )
export const viewsSchema = z.object({
  subcloud_views: z.array(
    z.object({
      region: z.string(),
      view: viewSchema.optional(),
      refusal: z.object({ status: z.number(), message: z.string() }).optional(),
    }),
  ),
})

export const associationSchema = z
  .object({
    id: z.number(),
    'peer-group-id': z.number(),
    'system-peer-id': z.number(),
    'association-type': z.enum(['primary', 'non-primary']),
    'sync-status': z.enum(SYNC_STATES),
  })
  .transform(
    (association): RemoteAssociation => ({
      id: association.id,
      groupId: association['peer-group-id'],
      peerId: association['system-peer-id'],
      type: association['association-type'],
      syncStatus: association['sync-status'],
    }),
  )
export const associationsSchema = z.object({ peer_group_associations: z.array(associationSchema) })

export const systemPeerSchema = z.object({ id: z.number() })
export const systemsSchema = z.object({ isystems: z.array(z.object({ uuid: z.string() })).min(1) })
export const auditAnswerSchema = z.object({ message: z.string().nullish() })

/** @throws PeerUnreachable when the other site speaks of something else: nobody knows what it did */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.join('.') ?? ''
  throw new PeerUnreachable(`the answer of the peer site cannot be read: ${path === '' ? 'its form' : path}`)
}
