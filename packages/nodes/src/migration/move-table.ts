/** Moving one VM to another node, as a value: what each stage demands, does and proves, and how it is taken back. */
import { fails, type Guard, holds, type StageTable, type Verdict, waits } from '@godwit/core'
import { type MoveStage, podAnnotations } from '../api/index.ts'
import {
  annotationOf,
  claimOf,
  isHibernated,
  isHibernateSet,
  isLive,
  isServing,
  isTerminating,
  lifecycleOf,
  requiredHosts,
  unschedulable,
  vmIdOf,
} from '../pod/pod-view.ts'
import {
  claimIdOf,
  hasClaim,
  isFreeFor,
  isOldPod,
  isSettledLive,
  type MoveEffect,
  type MoveFacts,
  newPod,
  receiptProblem,
} from './move-facts.ts'

const MINUTE_MS = 60_000

/** Codes of failures, and of waits that only a person can end. */
export const MOVE_CODES = {
  cancelled: 'Cancelled',
  quiesceFailed: 'QuiesceFailed',
  podReplaced: 'PodReplaced',
  imageMismatch: 'ImageMismatch',
  snapshotLost: 'SnapshotLost',
} as const

const AGENT = 'node agent'

/** Nothing was stopped yet: whatever is wrong only has to be waited for, and the VM runs on. */
const isPrepared: Guard<MoveFacts> = {
  what: 'the VM runs and is nobody else’s, the target can take it, and what lies in the registry is known',
  check: facts => {
    const { pod, record, tag, misfit } = facts
    if (facts.isHeldByHibernation) return waits('the CocoonHibernation to be done with the VM', 'user')
    if (!pod || isTerminating(pod) || !isOldPod(facts)) return waits('the pod of the VM', 'controller')
    if (!isFreeFor(pod, record)) return waits(`the claim ${claimOf(pod)} to be given up`, 'controller')
    if (misfit) return waits(misfit.message, 'cluster administrator')
    if (!isHibernateSet(pod) && !isSettledLive(pod)) return waits('the VM to run', AGENT)
    if (tag.kind === 'unknown') return waits(`the registry to answer: ${tag.message}`, 'registry')
    return tag.kind === 'unasked' ? waits('the registry to be asked', 'controller') : holds
  },
}

/** F1, F25: a snapshot from before may only go while the VM runs, and only as exactly the manifest that was seen. */
const dropLeftover = {
  what: 'drop a snapshot that is left from before',
  missing: (facts: MoveFacts): readonly MoveEffect[] => {
    const { tag, pod, record } = facts
    if (tag.kind !== 'present' || record.keptLeftover || !pod) return []
    if (isPrepared.check(facts).kind !== 'holds' || isHibernateSet(pod)) return []
    return [{ kind: 'dropLeftover', vmName: record.vmName, digest: tag.digest, witness: pod }]
  },
}

const noLeftover: Guard<MoveFacts> = {
  what: `${isPrepared.what}, and it is gone or on record`,
  check: facts =>
    dropLeftover.missing(facts).length > 0 ? waits('the old snapshot to go', 'controller') : isPrepared.check(facts),
}

function receipt(facts: MoveFacts): Verdict {
  const { pod, record, tag } = facts
  if (pod && !isOldPod(facts))
    return fails(MOVE_CODES.podReplaced, 'somebody else replaced the pod while the VM was to be saved')
  if (pod && lifecycleOf(pod) === 'failed' && hasClaim(pod, record))
    return fails(
      MOVE_CODES.quiesceFailed,
      annotationOf(pod, podAnnotations.lifecycleMessage) ?? 'the node agent could not save the VM',
    )
  if (pod && !hasClaim(pod, record)) return waits('the claim of this migration on the pod', 'controller')
  const problem = receiptProblem(facts)
  if (!pod && problem) return waits(`${problem}; the pod is gone and nothing newer is known`, 'user')
  if (problem) return waits(problem, AGENT)
  const image = pod && annotationOf(pod, podAnnotations.image)
  if (image && tag.kind === 'present' && tag.baseImage && tag.baseImage !== image)
    return fails(MOVE_CODES.imageMismatch, `the snapshot says image ${tag.baseImage}, the pod ${image}`)
  return holds
}

const hasReceipt: Guard<MoveFacts> = {
  what: 'the agent says of this generation that the VM is saved and gone, and a new, whole snapshot is in the registry',
  check: receipt,
}

const mayQuiesce: Guard<MoveFacts> = {
  what: 'it is the recorded pod and nobody else claims it',
  check: facts => {
    const { pod, record } = facts
    if (!pod || !isOldPod(facts) || isTerminating(pod)) return waits('the recorded pod', 'controller')
    return isFreeFor(pod, record) ? holds : waits(`the claim ${claimOf(pod)} to be given up`, 'controller')
  },
}

/** F4: what is being saved is saved first; and a saved VM wakes only where its snapshot is known to be. */
const mayWake: Guard<MoveFacts> = {
  what: 'the agent is not in the middle of saving, and the VM still runs or its snapshot is in the registry',
  check: ({ pod, tag }) => {
    if (pod && lifecycleOf(pod) === 'hibernating') return waits('the node agent to finish saving', AGENT)
    if (pod && (isLive(pod) || lifecycleOf(pod) === 'ready')) return holds
    return tag.kind === 'present' ? holds : waits('the snapshot that the VM wakes from', 'registry')
  },
}

const isAwake: Guard<MoveFacts> = {
  what: 'the VM serves on the source again and its claim is given up',
  check: facts => {
    const { pod, record } = facts
    if (!pod || !isOldPod(facts)) return holds
    if (!isServing(pod, 0)) return waits('the VM to wake where it was', AGENT)
    return hasClaim(pod, record) ? waits('the claim to be given up', 'controller') : holds
  },
}

const targetFits: Guard<MoveFacts> = {
  what: 'the target can still take the VM',
  check: ({ misfit, pod, record }) =>
    misfit && pod?.metadata.uid === record.oldPodUid ? waits(misfit.message, 'cluster administrator') : holds,
}

/** INV-3: the same evidence as the receipt, read again right before. */
const mayRelease: Guard<MoveFacts> = {
  what: 'the receipt still stands: same pod, hibernated, same snapshot, whole',
  check: facts => {
    const { pod, record, tag } = facts
    if (!pod || !isHibernated(pod, record.generation)) return waits('the pod to stay hibernated', AGENT)
    return isRecordedSnapshot(tag, record.digest) ? holds : waits('the recorded snapshot', 'registry')
  },
}

const isRecordedSnapshot = (tag: MoveFacts['tag'], digest: string | undefined) =>
  tag.kind === 'present' && tag.digest === digest && tag.isComplete !== false

const isReleased: Guard<MoveFacts> = {
  what: 'the old pod is gone',
  check: facts => (isOldPod(facts) ? waits('the old pod to go', AGENT) : holds),
}

const isMisplaced = (facts: MoveFacts) => {
  const pod = newPod(facts)
  const { target } = facts.record
  if (!pod || isLive(pod)) return false
  const hosts = requiredHosts(pod)
  const isElsewhere = target !== undefined && pod.spec.nodeName !== undefined && pod.spec.nodeName !== target
  return isElsewhere || (pod.spec.nodeName === undefined && hosts?.join() !== target)
}

/** G3, F2: never a fresh boot while this record is open. */
const mayRestore: Guard<MoveFacts> = {
  what: 'the recorded snapshot is in the registry, whole, and of the image that the spec names',
  check: ({ tag, record, image }) => {
    if (tag.kind === 'unknown') return waits(`the registry to answer: ${tag.message}`, 'registry')
    if (!isRecordedSnapshot(tag, record.digest))
      return waits(`snapshot ${record.digest} of ${record.vmName}: it is not in the registry`, 'user')
    if (tag.kind === 'present' && tag.baseImage && tag.baseImage !== image)
      return waits(`image ${tag.baseImage} in the spec again: the saved VM was made from it, not from ${image}`, 'user')
    return holds
  },
}

const isRestored: Guard<MoveFacts> = {
  what: 'the new pod is on the target, its VM is another one, and it serves this generation',
  check: facts => {
    const { record } = facts
    const pod = newPod(facts)
    if (!pod) return waits('the pod on the target', 'controller')
    const problem = unschedulable(pod)
    if (problem) return waits(`a node that takes the pod: ${problem}`, 'cluster administrator')
    if (record.target !== undefined && pod.spec.nodeName !== record.target)
      return waits(`the pod on node ${record.target}`, 'scheduler')
    if (!isServing(pod, record.generation) || vmIdOf(pod) === record.oldVmId)
      return waits(`the VM to serve on node ${pod.spec.nodeName ?? 'of the scheduler’s choice'}`, AGENT)
    return holds
  },
}

const isUnclaimed: Guard<MoveFacts> = {
  what: 'the claim is given up',
  check: facts => {
    const pod = newPod(facts)
    return pod && hasClaim(pod, facts.record) ? waits('the claim to be given up', 'controller') : holds
  },
}

const nothingToUndo: Guard<MoveFacts> = { what: 'nothing to take back', check: () => holds }

const giveUpClaim = (podOf: (facts: MoveFacts) => MoveFacts['pod'], permit: Guard<MoveFacts>) => ({
  what: 'give up the claim',
  permit,
  missing: (facts: MoveFacts): readonly MoveEffect[] => {
    const pod = podOf(facts)
    return pod && hasClaim(pod, facts.record) && !isHibernateSet(pod) ? [{ kind: 'releaseClaim', pod }] : []
  },
})

const servesAgain: Guard<MoveFacts> = {
  what: 'the VM serves',
  check: ({ pod }) => (pod && isServing(pod, 0) ? holds : waits('the VM to wake where it was', AGENT)),
}

export const moveTable: StageTable<MoveFacts, MoveEffect, MoveStage> = {
  party: 'controller',
  scope: 'item',
  stages: [
    {
      name: 'Prepare',
      deadlineMs: Number.POSITIVE_INFINITY,
      guards: [],
      steps: [dropLeftover],
      proof: noLeftover,
      undo: [],
      undone: nothingToUndo,
    },
    {
      name: 'Quiesce',
      deadlineMs: 3 * MINUTE_MS,
      guards: [],
      steps: [
        {
          what: 'claim the VM and ask its node agent to hibernate it',
          permit: mayQuiesce,
          missing: ({ pod, record }) =>
            pod && !(isHibernateSet(pod) && hasClaim(pod, record))
              ? [{ kind: 'quiesce', pod, claim: claimIdOf(record) }]
              : [],
        },
      ],
      proof: hasReceipt,
      undo: [
        {
          what: 'wake the VM where it is',
          permit: mayWake,
          missing: facts => {
            const { pod, record } = facts
            if (!pod || !isOldPod(facts) || !isHibernateSet(pod) || !hasClaim(pod, record)) return []
            return [{ kind: 'wake', pod, claim: claimIdOf(record) }]
          },
        },
        giveUpClaim(facts => facts.pod, servesAgain),
      ],
      undone: isAwake,
    },
    {
      name: 'Release',
      deadlineMs: MINUTE_MS,
      guards: [targetFits],
      steps: [
        {
          what: 'delete the old pod, keeping the snapshot on its node',
          permit: mayRelease,
          missing: facts =>
            facts.pod && isOldPod(facts) && !isTerminating(facts.pod)
              ? [{ kind: 'deletePod', pod: facts.pod, isKeepingSnapshot: true }]
              : [],
        },
      ],
      proof: isReleased,
      undo: [],
      undone: nothingToUndo,
    },
    {
      name: 'Restore',
      deadlineMs: 5 * MINUTE_MS,
      guards: [],
      steps: [
        {
          what: 'delete a pod that waits for a node that is not the target',
          missing: facts => {
            const pod = newPod(facts)
            return pod && isMisplaced(facts) ? [{ kind: 'deletePod', pod, isKeepingSnapshot: true }] : []
          },
        },
        {
          what: 'create the pod on the target, to be restored from the snapshot',
          permit: mayRestore,
          missing: ({ pod, record }) =>
            pod
              ? []
              : [
                  {
                    kind: 'createRestored',
                    slot: record.slot,
                    host: record.target,
                    vmName: record.vmName,
                    claim: claimIdOf(record),
                  },
                ],
        },
      ],
      proof: isRestored,
      undo: [],
      undone: nothingToUndo,
    },
    {
      name: 'Settle',
      deadlineMs: Number.POSITIVE_INFINITY,
      guards: [],
      steps: [giveUpClaim(newPod, nothingToUndo)],
      proof: isUnclaimed,
      undo: [],
      undone: nothingToUndo,
    },
  ],
}
