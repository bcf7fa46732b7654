/** Snapshots that have served are deleted, never in anybody's way. INV-3: only when a newer state is proven. */
import type { Pod, SnapshotDebt } from '../api/index.ts'
import { isServing, vmNameOfPod } from '../pod/pod-view.ts'
import { isHeld } from './hibernations.ts'
import type { Members } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'

/** Retries are at most this far apart. */
const MAX_RETRY_MS = 60_000
const FIRST_RETRY_MS = 1000

export function planDebts(draft: PlanDraft, members: Members): void {
  for (const debt of draft.record.debts ?? []) planDebt(draft, members, debt)
}

function planDebt(draft: PlanDraft, { all }: Members, debt: SnapshotDebt): void {
  const { nowMs, hibernations } = draft.facts
  const pod = all.find(each => vmNameOfPod(each) === debt.vmName)
  if (draft.move(debt.podName) || isHeld(hibernations, debt.podName)) return
  if (!isPermitted(debt, pod)) return
  const dueInMs = debt.nextAttempt === undefined ? 0 : Date.parse(debt.nextAttempt) - nowMs
  if (dueInMs > 0) {
    draft.lookAgainIn(dueInMs)
    return
  }
  const tag = draft.tag(debt.vmName)
  if (tag.kind === 'unknown') postpone(draft, debt, { code: 'Unavailable', message: tag.message })
  else if (tag.kind === 'absent' || (tag.kind === 'present' && (debt.digest ?? tag.digest) !== tag.digest))
    draft.setDebt(debt.vmName, undefined)
  else if (tag.kind === 'present') {
    const witness = debt.digest === undefined ? pod : undefined
    draft.effects.push({ kind: 'payDebt', debt, digest: tag.digest, witness })
  }
}

/** Proven once, or proven now. A VM that is gone has nothing newer: what it left is restored instead. */
const isPermitted = (debt: SnapshotDebt, pod: Pod | undefined) =>
  debt.isProven || (pod !== undefined && isServing(pod, debt.generation))

export function postponed(
  debt: SnapshotDebt,
  failure: NonNullable<SnapshotDebt['failure']>,
  nowMs: number,
): SnapshotDebt {
  const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(debt.attempts, 10))
  return {
    ...debt,
    attempts: debt.attempts + 1,
    failure,
    nextAttempt: new Date(nowMs + delayMs).toISOString(),
  }
}

function postpone(draft: PlanDraft, debt: SnapshotDebt, failure: NonNullable<SnapshotDebt['failure']>): void {
  const next = postponed(debt, failure, draft.facts.nowMs)
  draft.setDebt(debt.vmName, next)
  draft.lookAgainIn(Date.parse(next.nextAttempt ?? '') - draft.facts.nowMs)
}
