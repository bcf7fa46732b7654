/** `/subcloud-groups`: how many subclouds an orchestration works on at once. Not the groups that move between sites. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { z } from 'zod'
import { checkedFields, integerField, nameField } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Route } from '../http/route.ts'
import { rowTime, seen } from '../state/row-time.ts'

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

const shown = (row: Row): Row => ({
  ...Object.fromEntries(['id', ...Object.keys(fields)].map(name => [name, row[name] ?? null])),
  'created-at': row['created_at'] ?? null,
  'updated-at': row['updated_at'] ?? null,
})

export const subcloudGroupRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: ['subcloud-groups'],
    policy: 'read',
    handle: async ({ sql }) => ({ subcloud_groups: (await selectRows(sql, TABLE)).map(shown) }),
  },
  {
    method: 'GET',
    path: ['subcloud-groups', ':ref'],
    policy: 'read',
    handle: async ({ sql, ref }) => shown(await groupNamed(sql, ref)),
  },
  {
    method: 'POST',
    path: ['subcloud-groups'],
    policy: 'change',
    handle: async ({ sql, body }) => {
      const group = checkedFields(newGroupSchema, body)
      await refuseDuplicate(sql, group.name)
      return shown(await insertRow(sql, TABLE, { ...group, created_at: await rowTime(sql), updated_at: null }))
    },
  },
  {
    method: 'PATCH',
    path: ['subcloud-groups', ':ref'],
    policy: 'change',
    handle: async ({ sql, ref, body }) => {
      const group = await groupNamed(sql, ref)
      const given = checkedFields(groupChangeSchema, body)
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Row
      if (Object.keys(changes).length === 0) throw new Refusal(400, 'nothing to update')
      if (given.name !== undefined && given.name !== group['name']) {
        if (group['id'] === DEFAULT_ID) throw new Refusal(400, 'The default subcloud group cannot be renamed')
        await refuseDuplicate(sql, given.name)
      }
      return shown(await updateRow(sql, TABLE, seen(group), { ...changes, updated_at: await rowTime(sql) }))
    },
  },
  {
    method: 'DELETE',
    path: ['subcloud-groups', ':ref'],
    policy: 'change',
    handle: async ({ sql, ref }) => {
      const group = await groupNamed(sql, ref)
      if (group['id'] === DEFAULT_ID) throw new Refusal(400, 'The default subcloud group cannot be deleted')
      await deleteRow(sql, TABLE, seen(group))
      return null
    },
  },
]

async function groupNamed(sql: Sql, ref: string): Promise<Row> {
  const [row] = await selectRows(sql, TABLE, /^\d+$/.test(ref) ? { id: Number(ref) } : { name: ref })
  if (!row) throw new Refusal(404, 'Subcloud Group not found')
  return row
}

async function refuseDuplicate(sql: Sql, name: string): Promise<void> {
  const others = await selectRows(sql, TABLE, { name })
  if (others.length > 0) throw new Refusal(400, 'A subcloud group with this name already exists')
}
