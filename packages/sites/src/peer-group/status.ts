import { z } from 'zod'
import type { Subcloud } from '../subcloud/rows.ts'
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

export function groupStatus(group: PeerGroup, members: readonly Subcloud[]): z.infer<typeof groupStatusSchema> {
  const count = (wanted: Counter) =>
    members.filter(
      ({ deployStatus, managementState }) => COUNTED_AS[deployStatus] === wanted || managementState === wanted,
    ).length
  const counts = Object.fromEntries(COUNTERS.map(name => [name, count(name)])) as Record<Counter, number>
  return { peer_group_id: group.id, peer_group_name: group.name, ...counts, total_subclouds: members.length }
}
