/** `/subcloud-groups`: how many subclouds an orchestration works on at once. Not the groups that move between sites. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { z } from 'zod'
import { checkedFields, integerField, nameField } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call, Route } from '../http/route.ts'
import { integer } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'
import { subcloudsWhere } from '../subcloud/rows.ts'
import { listed } from '../subcloud/shown.ts'
import { shownSubcloudSchema } from '../subcloud/shown-schema.ts'

const TABLE = 'subcloud_group'
/** The row that every site begins with. */
const DEFAULT_ID = 1

const fields = {
  name: nameField,
  description: z.string().min(1).max(255),
  update_apply_type: z.enum(['parallel', 'serial']),
  max_parallel_subclouds: integerField(1, 5000),
}
const newGroupSchema = z.object({
  ...fields,
  description: fields.description.default('No description provided'),
  update_apply_type: fields.update_apply_type.default('parallel'),
  max_parallel_subclouds: fields.max_parallel_subclouds.default(2),
})
const groupChangeSchema = z.object(fields).partial()

const shownSchema = z.object({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  update_apply_type: z.string(),
  max_parallel_subclouds: z.int(),
  'created-at': z.string(),
  'updated-at': z.string().nullable(),
})

const shown = (row: Row): Row =>
  Object.fromEntries(Object.keys(shownSchema.shape).map(name => [name, row[name.replaceAll('-', '_')] ?? null]))

const COLLECTION = 'subcloud-groups'

export const subcloudGroupRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists the groups in which subclouds are orchestrated',
    answer: z.object({ subcloud_groups: z.array(shownSchema) }),
    handle: async ({ sql }) => ({ subcloud_groups: (await selectRows(sql, TABLE)).map(shown) }),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows one group, by id or name',
    answer: shownSchema,
    handle: async ({ sql, ref }) => shown(await groupNamed(sql, ref)),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'subclouds'],
    policy: 'read',
    summary: 'Lists the subclouds of the group',
    answer: z.object({ subclouds: z.array(shownSubcloudSchema) }),
    serve: (asked, transact) => listed(asked, transact, async sql => membersOf(sql, await groupNamed(sql, asked.ref))),
  },
  {
    method: 'POST',
    path: [COLLECTION],
    policy: 'change',
    summary: 'Adds a group',
    request: newGroupSchema,
    answer: shownSchema,
    handle: async ({ sql, body }) => {
      const group = checkedFields(newGroupSchema, body)
      await refuseDuplicate(sql, group.name)
      return shown(await insertRow(sql, TABLE, { ...group, created_at: await rowTime(sql), updated_at: null }))
    },
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Changes a group',
    request: groupChangeSchema,
    answer: shownSchema,
    handle: changeGroup,
  },
  {
    method: 'DELETE',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Deletes a group that has no subclouds',
    answer: z.null(),
    handle: removeGroup,
  },
]

async function changeGroup({ sql, ref, body }: Call) {
  const group = await groupNamed(sql, ref)
  const given = checkedFields(groupChangeSchema, body)
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Row
  if (Object.keys(changes).length === 0) throw new Refusal(400, 'nothing to update')
  if (given.name !== undefined && given.name !== group['name']) {
    if (group['id'] === DEFAULT_ID) throw new Refusal(400, 'The default subcloud group cannot be renamed')
    await refuseDuplicate(sql, given.name)
  }
  return shown(await updateRow(sql, TABLE, seen(group), { ...changes, updated_at: await rowTime(sql) }))
}

async function removeGroup({ sql, ref }: Call) {
  const group = await groupNamed(sql, ref)
  if (group['id'] === DEFAULT_ID) throw new Refusal(400, 'The default subcloud group cannot be deleted')
  if ((await membersOf(sql, group)).length > 0) throw new Refusal(400, 'The subcloud group is not empty')
  await deleteRow(sql, TABLE, seen(group))
  return null
}

const membersOf = (sql: Sql, group: Row) => subcloudsWhere(sql, { group_id: integer(group, 'id') })

async function groupNamed(sql: Sql, ref: string): Promise<Row> {
  const [row] = await selectRows(sql, TABLE, /^\d+$/.test(ref) ? { id: Number(ref) } : { name: ref })
  if (!row) throw new Refusal(404, 'Subcloud Group not found')
  return row
}

async function refuseDuplicate(sql: Sql, name: string): Promise<void> {
  const others = await selectRows(sql, TABLE, { name })
  if (others.length > 0) throw new Refusal(400, 'A subcloud group with this name already exists')
}
