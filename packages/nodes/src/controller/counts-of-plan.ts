/** What of a plan is counted. Pure. */
import { setAnnotations } from '../api/index.ts'
import type { MoveEvent } from '../migration/step-move.ts'
import { membersOf } from '../set/members.ts'
import type { SetFacts, SetPlan } from '../set/set-facts.ts'
import type { Count } from './operator-metrics.ts'

export function countsOfPlan({ set, pods }: Pick<SetFacts, 'set' | 'pods'>, plan: SetPlan): readonly Count[] {
  const { namespace = '', name } = set.metadata
  const ofSet = [namespace, name]
  const counts = plan.events.flatMap(event => countOf(event, ofSet, set.status?.phase ?? 'Pending') ?? [])
  const isReleasing = plan.status.phase === 'Suspended' && set.spec.hibernatePolicy === 'release'
  for (const { kind } of plan.effects)
    if (isReleasing && kind === 'deletePod') counts.push({ name: 'slot_release_pods_deleted_total', labels: [] })
  const hint = set.metadata.annotations?.[setAnnotations.hibernatedOnNode]
  if (hint !== undefined && plan.annotations[setAnnotations.hibernatedOnNode] === null) {
    const isThere = membersOf(pods).main?.spec.nodeName === hint
    counts.push({ name: 'slot_release_wake_total', labels: [isThere ? 'hint-node' : 'pool'] })
  }
  return counts
}

function countOf({ reason }: MoveEvent, ofSet: readonly string[], phase: string): Count | undefined {
  switch (reason) {
    case 'SubAgentRebuilding':
      return { name: 'subagent_rebuild_total', labels: ofSet }
    case 'SubAgentDeadLetter':
      return { name: 'subagent_dead_letter_total', labels: ofSet }
    case 'PodLifecycleFailed':
      return { name: 'lifecycle_state_failed_observed_total', labels: [phase] }
    case 'WakeNoCapacity':
      return { name: 'slot_release_wake_unschedulable_total', labels: [] }
    case 'MigrateNoCapacity':
      return { name: 'migrate_unschedulable_total', labels: [] }
    default:
      return undefined
  }
}
