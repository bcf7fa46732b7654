import { type Sql, selectRows } from '@godwit/store'
import { Refusal } from '../http/refusal.ts'
import { integer } from '../state/column.ts'

/** The group that a subcloud is orchestrated in, by id or name. @throws Refusal 400 */
export async function orchestrationGroup(sql: Sql, ref: string): Promise<number> {
  const [row] = await selectRows(sql, 'subcloud_group', /^\d{1,9}$/.test(ref) ? { id: Number(ref) } : { name: ref })
  if (!row) throw new Refusal(400, 'Invalid group_id: there is no such subcloud group')
  return integer(row, 'id')
}
