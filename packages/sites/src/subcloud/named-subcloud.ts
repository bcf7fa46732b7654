import type { Sql } from '@godwit/store'
import { type Identity, isPeer } from '../auth/policies.ts'
import { Refusal } from '../http/refusal.ts'
import { type Subcloud, subcloudById, subcloudByName, subcloudByRegion } from './rows.ts'

/** By id or name; the other site names it by its region. The text is one that peers look for. @throws Refusal 404 */
export async function namedSubcloud(sql: Sql, ref: string, caller: Identity): Promise<Subcloud> {
  const byRegion = isPeer(caller) ? await subcloudByRegion(sql, ref) : undefined
  const found =
    byRegion ?? (/^\d{1,9}$/.test(ref) ? await subcloudById(sql, Number(ref)) : await subcloudByName(sql, ref))
  if (!found) throw new Refusal(404, 'Subcloud not found')
  return found
}
