import { deleteRow, type Sql, wakeWork } from '@godwit/store'
import { Refusal } from '../http/refusal.ts'
import { QUEUES } from '../site.ts'
import { ASSOCIATION_TABLE, type Association, associationById } from './rows.ts'

/** @throws Refusal 400 for what is no id, 404 with a text that peers look for */
export async function named(sql: Sql, ref: string): Promise<Association> {
  if (!/^\d{1,9}$/.test(ref)) throw new Refusal(400, 'Peer Group Association ID must be an integer')
  const association = await associationById(sql, Number(ref))
  if (!association) throw new Refusal(404, 'Peer Group Association not found')
  return association
}

/** Of a non-primary association: nothing of the other site is touched. */
export async function removeLocally(sql: Sql, association: Association): Promise<void> {
  await deleteRow(sql, ASSOCIATION_TABLE, association)
  await wakeWork(sql, QUEUES.peer, String(association.peerId))
}
