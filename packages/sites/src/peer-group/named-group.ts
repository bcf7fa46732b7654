import type { Sql } from '@godwit/store'
import { Refusal } from '../http/refusal.ts'
import { findGroup, groupByName, type PeerGroup } from './rows.ts'

/** By id or name. The text is one that peers look for. @throws Refusal 404 */
export async function namedGroup(sql: Sql, ref: string): Promise<PeerGroup> {
  const group = await findGroup(sql, ref)
  if (!group) throw new Refusal(404, 'Subcloud Peer Group not found')
  return group
}

/** @throws Refusal 409 */
export async function refuseDuplicateName(sql: Sql, name: string): Promise<void> {
  if (await groupByName(sql, name)) throw new Refusal(409, 'A subcloud peer group with this name already exists')
}
