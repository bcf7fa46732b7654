/** `/subcloud-peer-groups` over the store. */
import { deleteRow, insertRow, type Sql, selectRows, wakeWork } from '@godwit/store'
import { z } from 'zod'
import { associationsWhere, updateAssociation } from '../association/rows.ts'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call, Route } from '../http/route.ts'
import { QUEUES, type Site } from '../site.ts'
import { rowTime } from '../state/row-time.ts'
import { membersOf, updateSubcloud } from '../subcloud/rows.ts'
import { listed } from '../subcloud/shown.ts'
import { shownSubcloudSchema } from '../subcloud/shown-schema.ts'
import { editGroup } from './edit.ts'
import {
  AUDIT_KEYS,
  auditSchema,
  groupChangeSchema,
  migrateSchema,
  newGroupSchema,
  shownGroup,
  shownGroupSchema,
} from './fields.ts'
import { migrateGroup, refuseSecondBatch } from './migrate.ts'
import { namedGroup, refuseDuplicateName } from './named-group.ts'
import { allGroups, forgetTombstones, GROUP_TABLE, groupByName, groupOf, tombstonesOf } from './rows.ts'
import { groupStatus, groupStatusSchema } from './status.ts'

const COLLECTION = 'subcloud-peer-groups'
const subcloudsSchema = z.object({ subclouds: z.array(shownSubcloudSchema) })
const stoneSchema = z.object({ 'region-name': z.string(), name: z.string(), 'owner-epoch': z.int() })

export const peerGroupRoutes = (ports: ApiPorts): readonly Route[] => [
  ...readRoutes,
  {
    method: 'POST',
    path: [COLLECTION],
    policy: 'change',
    summary: 'Adds a subcloud peer group, led by this site unless told otherwise',
    request: newGroupSchema,
    answer: shownGroupSchema,
    handle: call => addGroup(ports.site, call),
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Changes a subcloud peer group, on its peer sites first',
    request: groupChangeSchema,
    answer: shownGroupSchema,
    serve: (asked, transact) => editGroup(ports, asked, transact),
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref', 'migrate'],
    policy: 'change',
    summary: 'Takes the subclouds of the group in; answers at once, the operation tells how it goes on',
    request: migrateSchema,
    answer: subcloudsSchema.extend({ operation_id: z.string() }),
    serve: (asked, transact) => migrateGroup(ports, asked, transact),
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref', 'audit'],
    policy: 'change',
    summary: 'Asks this site to look at its copy of the group',
    request: auditSchema,
    answer: z.object({ message: z.string().nullable() }),
    handle: requestAudit,
  },
  {
    method: 'DELETE',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Deletes a group that has no association; its subclouds stay',
    answer: z.null(),
    handle: removeGroup,
  },
]

const readRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists the subcloud peer groups',
    answer: z.object({ subcloud_peer_groups: z.array(shownGroupSchema) }),
    handle: async ({ sql }) => ({ subcloud_peer_groups: (await allGroups(sql)).map(shownGroup) }),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows one group, by id or name',
    answer: shownGroupSchema,
    handle: async ({ sql, ref }) => shownGroup(await namedGroup(sql, ref)),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'subclouds'],
    policy: 'read',
    summary: 'Lists the subclouds of the group',
    answer: subcloudsSchema,
    serve: (asked, transact) =>
      listed(asked, transact, async sql => membersOf(sql, (await namedGroup(sql, asked.ref)).id)),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'status'],
    policy: 'read',
    summary: 'Counts the subclouds of the group by what they are doing',
    answer: groupStatusSchema,
    handle: async ({ sql, ref }) => groupStatus(sql, await namedGroup(sql, ref)),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'tombstones'],
    policy: 'read',
    summary: 'Lists the members that were deleted or removed on this site',
    answer: z.object({ tombstones: z.array(stoneSchema) }),
    handle: async ({ sql, ref }) => {
      const stones = await tombstonesOf(sql, (await namedGroup(sql, ref)).name)
      return {
        tombstones: stones.map(stone => ({
          'region-name': stone.region,
          name: stone.name,
          'owner-epoch': stone.ownerEpoch,
        })),
      }
    },
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', '*'],
    policy: 'read',
    summary: 'Refused: a group has subclouds, a status and tombstones',
    handle: async () => {
      throw new Refusal(400, 'Invalid request: there are subclouds, status and tombstones')
    },
  },
]

async function addGroup({ identity }: Site, { sql, body }: Call) {
  const given = checkedFields(newGroupSchema, body)
  await refuseDuplicateName(sql, given['peer-group-name'])
  const row = await insertRow(sql, GROUP_TABLE, {
    peer_group_name: given['peer-group-name'],
    group_priority: given['group-priority'],
    group_state: given['group-state'],
    max_subcloud_rehoming: given['max-subcloud-rehoming'],
    system_leader_id: given['system-leader-id'] ?? identity.uuid,
    system_leader_name: given['system-leader-name'] ?? identity.name,
    migration_status: null,
    created_at: await rowTime(sql),
    updated_at: null,
  })
  return shownGroup(groupOf(row))
}

/** The work is woken and not done here: the answer says that this site knows what to look at. */
async function requestAudit({ sql, body, ref }: Call): Promise<unknown> {
  await namedGroup(sql, ref)
  const given = auditBody(body)
  const [peer] = await selectRows(sql, 'system_peer', { peer_uuid: String(given['peer_uuid']).toLowerCase() })
  if (!peer) return { message: `Peer system ${String(given['peer_uuid'])} is not monitored` }
  const group = await groupByName(sql, String(given['peer_group_name']))
  const associations = group
    ? await associationsWhere(sql, { peer_group_id: group.id, system_peer_id: Number(peer['id']) })
    : []
  if (associations.length === 0)
    return { message: `Subcloud peer group ${String(given['peer_group_name'])} is not known for this peer system` }
  for (const association of associations) {
    await updateAssociation(sql, association, { audited_ms: null })
    await wakeWork(sql, QUEUES.association, String(association.id))
  }
  return { message: null }
}

function auditBody(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refusal(400, 'Body required')
  const missing = AUDIT_KEYS.find(key => !(key in body))
  if (missing !== undefined) throw new Refusal(400, `Missing ${missing}`)
  return body as Readonly<Record<string, unknown>>
}

async function removeGroup({ sql, ref }: Call) {
  const group = await namedGroup(sql, ref)
  if ((await associationsWhere(sql, { peer_group_id: group.id })).length > 0)
    throw new Refusal(400, 'Cannot delete a peer group which is associated with a system peer.')
  await refuseSecondBatch(sql, group)
  await forgetMembers(sql, group.id)
  await forgetTombstones(sql, group.name)
  await deleteRow(sql, GROUP_TABLE, group)
  return null
}

async function forgetMembers(sql: Sql, groupId: number): Promise<void> {
  for (const member of await membersOf(sql, groupId)) await updateSubcloud(sql, member, { peer_group_id: null })
}
