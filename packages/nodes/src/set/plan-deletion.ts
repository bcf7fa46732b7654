/** Taking a set away: names first, then pods, then snapshots; what cannot be deleted keeps the finalizer. */
import { setAnnotations, vmNameOf } from '../api/index.ts'
import { snapshotTags } from '../registry/registry.ts'
import { membersOf, podNamesOf, vmNamesOf } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'

/** Every name under which this set may have left a snapshot: pods, status, records, what was stashed, the spec (F9). */
export function vmNamesToClean(draft: PlanDraft): string[] {
  const { set, pods } = draft.facts
  const { status } = set
  const stashed = set.metadata.annotations?.[setAnnotations.deleteVmNames]?.split(',') ?? []
  const known = [
    ...stashed,
    ...vmNamesOf(pods),
    ...(status?.agents ?? []).map(agent => agent.vmName),
    ...(status?.toolboxes ?? []).map(toolbox => toolbox.vmName),
    ...(status?.migrations ?? []).map(record => record.vmName),
    ...(status?.debts ?? []).map(debt => debt.vmName),
    ...(status?.suspension?.vms ?? []).map(vm => vm.vmName),
    ...podNamesOf(set).map(name => vmNameOf(set.metadata.namespace ?? '', name)),
  ]
  return [...new Set(known.flatMap(name => name || []))].sort()
}

/** Whether the agent pushed the tag on purpose when the pod went: then it stays. */
function isLatestKept(draft: PlanDraft, vmName: string): boolean {
  const { set } = draft.facts
  const { name, namespace = '' } = set.metadata
  const main = set.status?.agents?.find(({ slot }) => slot === 0)?.vmName ?? vmNameOf(namespace, `${name}-0`)
  if (set.spec.snapshotPolicy === 'always') return true
  return set.spec.snapshotPolicy === 'main-only' && vmName === main
}

export function planDeletion(draft: PlanDraft): void {
  const { pods, set } = draft.facts
  const names = vmNamesToClean(draft)
  const stash = names.join(',')
  if (set.metadata.annotations?.[setAnnotations.deleteVmNames] !== stash)
    draft.annotations[setAnnotations.deleteVmNames] = stash
  draft.phase = set.status?.phase
  if (pods.length > 0) {
    for (const pod of membersOf(pods).all) draft.effects.push({ kind: 'deletePod', pod, isKeepingSnapshot: false })
    return
  }
  const isForced = set.metadata.annotations?.[setAnnotations.forceDelete] === 'true'
  for (const vmName of names) {
    draft.effects.push({ kind: 'deleteTag', vmName, tag: snapshotTags.hibernate, isNeeded: !isForced })
    if (!isLatestKept(draft, vmName))
      draft.effects.push({ kind: 'deleteTag', vmName, tag: snapshotTags.latest, isNeeded: false })
  }
  draft.effects.push({ kind: 'removeFinalizer' })
}
