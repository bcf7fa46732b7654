import type { Sql } from '@godwit/store'
import { z } from 'zod'
import { SUBCLOUD_TABLE } from '../subcloud/rows.ts'
import type { PeerGroup } from './rows.ts'

const COUNTERS = [
  'total_subclouds',
  'complete',
  'waiting_for_migrate',
  'rehoming',
  'rehome_failed',
  'managed',
  'unmanaged',
] as const
type Counter = (typeof COUNTERS)[number]

export const groupStatusSchema = z.object({
  peer_group_id: z.int(),
  peer_group_name: z.string(),
  ...(Object.fromEntries(COUNTERS.map(name => [name, z.int()])) as Record<Counter, z.ZodInt>),
})

/** States that are not here, as `pre-rehome`, count among the managed or unmanaged ones only. */
const COUNTED_AS: Readonly<Record<string, Counter>> = {
  complete: 'complete',
  secondary: 'waiting_for_migrate',
  rehoming: 'rehoming',
  'rehome-failed': 'rehome_failed',
  'rehome-prep-failed': 'rehome_failed',
}

/** Counted by the database: whoever waits for a group asks again and again. */
export async function groupStatus(sql: Sql, group: PeerGroup): Promise<z.infer<typeof groupStatusSchema>> {
  const rows = await sql.all(
    `select deploy_status, management_state, count(*) as n from ${SUBCLOUD_TABLE} where peer_group_id = ?
     group by deploy_status, management_state`,
    [group.id],
  )
  const counts = Object.fromEntries(COUNTERS.map(name => [name, 0])) as Record<Counter, number>
  for (const { deploy_status: deployStatus, management_state: managementState, n } of rows) {
    const counters: readonly unknown[] = ['total_subclouds', COUNTED_AS[String(deployStatus)], managementState]
    for (const name of COUNTERS) if (counters.includes(name)) counts[name] += Number(n)
  }
  return { peer_group_id: group.id, peer_group_name: group.name, ...counts }
}
