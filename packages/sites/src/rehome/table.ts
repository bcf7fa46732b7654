/** How one subcloud is taken in by this site. A value: `decide` walks it, and the docs are made of it. */
import { fails, type Guard, holds, nothingToProve, type StageTable, type Step, waits } from '@godwit/core'
import { isInTransition, isReplaceable, mayMigrate } from '../model/states.ts'
import type { RehomeFacts as Facts } from './facts.ts'

export const REHOME_STAGES = [
  'Claiming',
  'Releasing',
  'Preparing',
  'Queueing',
  'Running',
  'Adopting',
  'Managing',
] as const
export type RehomeStage = (typeof REHOME_STAGES)[number]

export type RehomeEffect =
  /** Writes the attempt's epoch and `pre-rehome` in one row. */
  | { readonly kind: 'claim'; readonly ownerEpoch: number }
  /** Asks the other site to stand down for this epoch, whatever it has. */
  | { readonly kind: 'release'; readonly ownerEpoch: number }
  | { readonly kind: 'prepare' }
  /** Starts the playbook, or joins the run of this attempt. */
  | { readonly kind: 'run' }
  | { readonly kind: 'manage' }
  | { readonly kind: 'mark'; readonly deployStatus: 'rehome-prep-failed' | 'rehome-failed' }
  | { readonly kind: 'report-failure' }

const SELF = 'this site'
const PEER = 'the other site'
const MINUTE_MS = 60_000

/** Of the slots that a batch has: whoever gets ready, or only waits to come online, holds none. */
export const HOLDS_SLOT: readonly RehomeStage[] = ['Running']

const hasValues: Guard<Facts> = {
  what: 'the bootstrap values are complete',
  check: ({ name, missingValues }) =>
    missingValues.length === 0
      ? holds
      : fails(
          'ValuesMissing',
          `subcloud ${name} has no ${missingValues.join(', ')}: give its bootstrap values and address`,
        ),
}

const isMovable: Guard<Facts> = {
  what: 'the subcloud is secondary, or a former attempt failed',
  check: ({ name, deployStatus }) =>
    mayMigrate(deployStatus) || deployStatus === 'pre-rehome'
      ? holds
      : fails('NotMovable', `subcloud ${name} is ${deployStatus}`),
}

const isClaimed: Guard<Facts> = {
  what: "this site has written down that it takes the subcloud in, with the attempt's epoch",
  check: ({ ownerEpoch, wantedEpoch }) =>
    ownerEpoch >= wantedEpoch ? holds : waits('the claim of the subcloud', SELF),
}

/** An error of one call permits nothing; a peer is passed over only when its monitor has given it up. */
export const isReleased: Guard<Facts> = {
  what: 'the other site has proven that it does not manage the subcloud, or is unavailable',
  check: ({ name, peer, remote, wantedEpoch }) => {
    if (peer !== 'available') return holds
    switch (remote.kind) {
      case 'absent':
      case 'deleted':
        return holds
      case 'unread':
        return waits(`an answer about ${name}`, PEER)
      case 'member':
        if (remote.view.ownerEpoch > wantedEpoch)
          return fails(
            'TakenByPeer',
            `the other site has set out to take ${name} in since (epoch ${remote.view.ownerEpoch})`,
          )
        return remote.view.managementState === 'unmanaged' && isQuiet(remote.view)
          ? holds
          : waits(`${name} to be unmanaged there`, PEER)
    }
  },
}

/** Nobody there works on it: handed over, or a copy. */
const isQuiet = ({ deployStatus }: { readonly deployStatus: string }) =>
  deployStatus === 'rehome-pending' || isReplaceable(deployStatus)

/** Of the guards of a stage: a stage whose own steps release the subcloud is not held up before them. */
const isNotTaken: Guard<Facts> = {
  what: 'the other site has not set out to take the subcloud in since',
  check: facts => {
    const verdict = isReleased.check(facts)
    return verdict.kind === 'fails' ? verdict : holds
  },
}

const release = (isWanted: (facts: Facts) => boolean): Step<Facts, RehomeEffect> => ({
  what: 'ask the other site to stand down',
  missing: facts =>
    isWanted(facts) && isReleased.check(facts).kind === 'waits'
      ? [{ kind: 'release', ownerEpoch: facts.wantedEpoch }]
      : [],
})

/** What a member that may not go on for want of a slot waits for. */
export const A_SLOT = 'a slot of the batch'

const hasSlot: Guard<Facts> = {
  what: 'one of the slots of the batch is taken for it',
  check: ({ isSlotFree }) => (isSlotFree ? holds : waits(A_SLOT, 'members that run')),
}

const PREPARE = 'make credentials, authority, inventory and overrides'

const isPrepared: Guard<Facts> = {
  what: 'credentials, certificate authority, inventory and overrides are made',
  check: facts => (facts.isPrepared ? holds : waits('the inputs of the playbook', SELF)),
}

const hasRun: Guard<Facts> = {
  what: 'the playbook has ended well',
  check: ({ run }) => {
    if (run.kind === 'succeeded') return holds
    if (run.kind === 'failed') return fails('PlaybookFailed', run.task ? `${run.task}: ${run.text}` : run.text)
    if (run.kind === 'interrupted') return fails('PlaybookInterrupted', run.reason)
    return waits('the playbook to end', 'ansible-playbook')
  },
}

const answers: Guard<Facts> = {
  what: 'the subcloud has answered with the credentials of this site since the playbook ended',
  check: ({ answersHere, wantsManaged, name }) =>
    answersHere || !wantsManaged ? holds : waits(`${name} to come online`, 'the subcloud'),
}

const isManaged: Guard<Facts> = {
  what: 'the subcloud is complete and managed here; complete only, when it was taken in alone',
  check: ({ deployStatus, managementState, wantsManaged }) =>
    deployStatus === 'complete' && (managementState === 'managed' || !wantsManaged)
      ? holds
      : waits('the subcloud to be managed', SELF),
}

const isFailureKnown: Guard<Facts> = {
  what: 'the other site knows that the attempt failed, or is unavailable',
  check: ({ peer, isFailureReported }) =>
    peer !== 'available' || isFailureReported ? holds : waits('the failure to be known there', PEER),
}

/** Only what this attempt has begun: a subcloud that was handed over, or is complete, is nobody's failure. */
const mark = (of: (facts: Facts) => 'rehome-prep-failed' | 'rehome-failed'): Step<Facts, RehomeEffect> => ({
  what: 'mark the subcloud rehome-failed, or rehome-prep-failed when no playbook ran, so that it can be tried again',
  missing: facts => (isInTransition(facts.deployStatus) ? [{ kind: 'mark', deployStatus: of(facts) }] : []),
})
const unprepared = mark(() => 'rehome-prep-failed')

const markUseless: Step<Facts, RehomeEffect> = {
  what: 'mark the subcloud rehome-prep-failed when values are missing',
  missing: ({ missingValues, deployStatus }) =>
    missingValues.length > 0 && deployStatus === 'secondary'
      ? [{ kind: 'mark', deployStatus: 'rehome-prep-failed' }]
      : [],
}

export const rehomeTable: StageTable<Facts, RehomeEffect, RehomeStage> = {
  party: 'site',
  scope: 'item',
  stages: [
    {
      name: 'Claiming',
      deadlineMs: MINUTE_MS,
      guards: [isMovable, hasValues],
      steps: [
        {
          what: 'write down that this site takes the subcloud in, with a higher epoch than anybody has seen',
          missing: ({ ownerEpoch, wantedEpoch }) =>
            ownerEpoch >= wantedEpoch ? [] : [{ kind: 'claim', ownerEpoch: wantedEpoch }],
        },
      ],
      proof: isClaimed,
      undo: [unprepared, markUseless],
      undone: nothingToProve,
    },
    {
      name: 'Releasing',
      deadlineMs: 5 * MINUTE_MS,
      guards: [],
      steps: [release(() => true)],
      proof: isReleased,
      undo: [
        unprepared,
        {
          what: 'tell the other site that the attempt failed',
          missing: facts => (isFailureKnown.check(facts).kind === 'holds' ? [] : [{ kind: 'report-failure' }]),
        },
      ],
      undone: isFailureKnown,
    },
    {
      name: 'Preparing',
      deadlineMs: 10 * MINUTE_MS,
      guards: [],
      steps: [{ what: PREPARE, missing: () => [{ kind: 'prepare' }] }],
      proof: isPrepared,
      undo: [unprepared],
      undone: nothingToProve,
    },
    {
      name: 'Queueing',
      // As long as others take. Whether the other site has taken it in since is asked before the playbook runs.
      deadlineMs: Number.POSITIVE_INFINITY,
      guards: [],
      steps: [],
      proof: hasSlot,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Running',
      deadlineMs: 60 * MINUTE_MS,
      // Of the last moment: from here on the subcloud changes its home.
      guards: [isNotTaken],
      steps: [
        release(({ run }) => run.kind === 'none'),
        // Of one that came to its slot while this site had an older version.
        {
          what: PREPARE,
          permit: isReleased,
          missing: facts => (facts.run.kind === 'none' && !facts.isPrepared ? [{ kind: 'prepare' }] : []),
        },
        {
          what: 'run the rehome playbook, once',
          permit: isReleased,
          missing: ({ run }) => (run.kind === 'none' ? [{ kind: 'run' }] : []),
        },
      ],
      proof: hasRun,
      // It may have changed its home already: trying again is the way on, by this site or by the other.
      undo: [mark(({ run }) => (run.kind === 'none' ? 'rehome-prep-failed' : 'rehome-failed'))],
      undone: nothingToProve,
    },
    {
      name: 'Adopting',
      deadlineMs: 15 * MINUTE_MS,
      guards: [],
      steps: [],
      proof: answers,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Managing',
      deadlineMs: 5 * MINUTE_MS,
      // The other site may have come back since, with the subcloud in its books.
      guards: [isNotTaken],
      steps: [
        release(facts => isManaged.check(facts).kind !== 'holds'),
        {
          what: 'manage the subcloud',
          permit: answers,
          missing: facts => (isManaged.check(facts).kind === 'holds' ? [] : [{ kind: 'manage' }]),
        },
      ],
      proof: isManaged,
      undo: [],
      undone: nothingToProve,
    },
  ],
}
