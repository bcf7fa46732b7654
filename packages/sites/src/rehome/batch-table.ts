/** The shared rows of a batch: what happens once for a group while its members advance alone. A value. */
import { type Guard, holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import type { MigrationState } from '../model/states.ts'

export const BATCH_STAGES = ['Opening', 'Moving', 'Leading', 'Reporting'] as const
export type BatchStage = (typeof BATCH_STAGES)[number]

export interface BatchFacts {
  readonly siteId: string
  readonly leaderId: string
  readonly migrationStatus: MigrationState | undefined
  /** Members of the batch that have neither succeeded nor failed yet. */
  readonly unfinished: number
  readonly peer: 'none' | 'available' | 'unavailable'
  /** The other site has been told that the batch has ended, and has answered. */
  readonly isReported: boolean
}

export type BatchEffect =
  | { readonly kind: 'open' }
  /** Leader and `complete` in one row, so that nobody sees one without the other. */
  | { readonly kind: 'lead' }
  /** Asks the other site to audit; it asks for itself at its next heartbeat otherwise. */
  | { readonly kind: 'report' }

const SELF = 'this site'
const MINUTE_MS = 60_000
/** Nothing that one row of its own could hold up; each member has deadlines of its own. */
const NONE_MS = Number.POSITIVE_INFINITY

const isOpen: Guard<BatchFacts> = {
  what: 'the group is marked as migrating',
  check: ({ migrationStatus }) => (migrationStatus === 'migrating' ? holds : waits('the mark of the group', SELF)),
}

const haveEnded: Guard<BatchFacts> = {
  what: 'every member of the batch has succeeded or failed',
  check: ({ unfinished }) => (unfinished === 0 ? holds : waits('members to end', 'the subclouds')),
}

const leads: Guard<BatchFacts> = {
  what: 'this site leads the group, whatever became of the members',
  check: ({ leaderId, siteId, migrationStatus }) =>
    leaderId === siteId && migrationStatus !== 'migrating' ? holds : waits('the leader to be written', SELF),
}

const isKnown: Guard<BatchFacts> = {
  what: 'the other site knows that the batch has ended, or is unavailable and finds out by its own audit',
  check: ({ peer, isReported }) =>
    peer !== 'available' || isReported ? holds : waits('an answer to the report', 'the other site'),
}

export const batchTable: StageTable<BatchFacts, BatchEffect, BatchStage> = {
  party: 'site',
  scope: 'shared',
  stages: [
    {
      name: 'Opening',
      deadlineMs: NONE_MS,
      guards: [],
      steps: [
        {
          what: 'mark the group as migrating',
          missing: ({ migrationStatus }) => (migrationStatus === 'migrating' ? [] : [{ kind: 'open' }]),
        },
      ],
      proof: isOpen,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Moving',
      deadlineMs: NONE_MS,
      guards: [],
      steps: [],
      proof: haveEnded,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Leading',
      deadlineMs: NONE_MS,
      guards: [],
      steps: [
        {
          what: 'write this site as the leader of the group',
          permit: haveEnded,
          missing: facts => (leads.check(facts).kind === 'holds' ? [] : [{ kind: 'lead' }]),
        },
      ],
      proof: leads,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Reporting',
      deadlineMs: 10 * MINUTE_MS,
      guards: [],
      steps: [
        {
          what: 'ask the other site to audit the group',
          missing: facts => (isKnown.check(facts).kind === 'holds' ? [] : [{ kind: 'report' }]),
        },
      ],
      proof: isKnown,
      undo: [],
      undone: nothingToProve,
    },
  ],
}

export interface KnownEpochs {
  /** All that this site has read, of its own row and of the other site's. */
  readonly known: readonly number[]
  /** Of the group on this site; 0 on the primary one. */
  readonly priority: number
  /** The other site could not be asked: it may have counted on, unseen. */
  readonly isBlind: boolean
}

/** More attempts than a site makes while nobody can ask it. */
const BLIND_LEAP = 1_000

/** Higher than any that either side is known to have given; the two sites never give the same one (H11). */
export function nextOwnerEpoch({ known, priority, isBlind }: KnownEpochs): number {
  const next = Math.max(0, ...known) + (isBlind ? BLIND_LEAP : 1)
  const parity = priority === 0 ? 0 : 1
  return next % 2 === parity ? next : next + 1
}
