/** Making pods that are missing: fresh only where nothing was saved, never where that is not known. */
import { agentPodName, type Pod, podAnnotations, setAnnotations, vmNameOf } from '../api/index.ts'
import { buildAgentPod, type Placement } from '../pod/build-pod.ts'
import { isRestoreOwed } from './hibernations.ts'
import type { PlanDraft } from './plan-draft.ts'

const ASK_AGAIN_MS = 1000

/** `hold`: neither is safe now. */
export type BootKind = 'fresh' | 'restore' | 'hold'
export interface Boot {
  readonly kind: BootKind
  readonly vmName: string
}

/**
 * Whether a missing pod boots from the saved state.
 * @param isOwed the VM was saved and has to come back, whatever else is known
 */
export function bootOf(
  draft: PlanDraft,
  podName: string,
  { isOwed, isProbed }: { readonly isOwed: boolean; readonly isProbed: boolean },
): Boot {
  const { facts } = draft
  const debt = draft.record.debts?.find(each => each.podName === podName)
  const vmName = debt?.vmName ?? vmNameOf(facts.set.metadata.namespace ?? '', podName)
  const isLossAccepted = facts.set.metadata.annotations?.[setAnnotations.acceptLoss] === 'true'
  // The agent would boot from what is about to be deleted: the debt is paid first.
  if (debt?.isProven) return { kind: 'hold', vmName }
  const mustRestore = isOwed || debt !== undefined || isRestoreOwed(facts.hibernations, podName, facts.set.metadata.uid)
  if (!mustRestore && !isProbed) return { kind: 'fresh', vmName }
  const tag = draft.tag(vmName)
  if (tag.kind === 'present') return { kind: 'restore', vmName }
  if (tag.kind === 'absent' && isLossAccepted) {
    // Asked once, for this loss: the next one is asked about again.
    draft.annotations[setAnnotations.acceptLoss] = null
    draft.setDebt(vmName, undefined)
  }
  if (tag.kind === 'absent' && (!mustRestore || isLossAccepted)) return { kind: 'fresh', vmName }
  if (tag.kind === 'unasked') return { kind: 'hold', vmName }
  draft.lookAgainIn(ASK_AGAIN_MS)
  if (tag.kind === 'absent') draft.lost = `snapshot of ${vmName}: it was saved, and the registry has it no more`
  else draft.message = `the registry does not answer: ${tag.message}`
  return { kind: 'hold', vmName }
}

/** The main agent's pod is missing and nothing moves it. */
export function planMain(draft: PlanDraft, { isOwed }: { readonly isOwed: boolean }): void {
  const { set } = draft.facts
  const name = agentPodName(set.metadata.name, 0)
  const host = set.spec.nodeName || undefined
  const boot = bootOf(draft, name, { isOwed, isProbed: host !== undefined })
  if (boot.kind === 'hold') return
  const isRestore = boot.kind === 'restore'
  const hint = set.metadata.annotations?.[setAnnotations.hibernatedOnNode]
  const placement: Placement = {
    isRestore,
    host,
    vmName: boot.vmName,
    ...(isRestore && !host && { preferredHost: hint }),
  }
  create(draft, buildAgentPod(set, 0, placement))
}

/** The name is taken as long as a pod of it terminates: the next look finds it free. */
export function create(draft: PlanDraft, pod: Pod): void {
  if (draft.podNamed(pod.metadata.name)) return
  draft.effects.push({ kind: 'createPod', pod })
}

export const isParkedAt = (pod: Pod, generation: number) =>
  pod.metadata.annotations?.[podAnnotations.deadLetter] === String(generation)
