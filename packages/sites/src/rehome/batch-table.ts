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
const DAY_MS = 24 * 60 * MINUTE_MS

const isOpen: Guard<BatchFacts> = {
  what: 'the group is marked as migrating',
  check: ({ migrationStatus }) => (migrationStatus === 'migrating' ? holds : waits('the mark of the group', SELF)),
}

const haveEnded: Guard<BatchFacts> = {
  what: 'every member of the batch has succeeded or failed',
  check: ({ unfinished }) => (unfinished === 0 ? holds : waits(`${unfinished} members to end`, 'the subclouds')),
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
      deadlineMs: MINUTE_MS,
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
      deadlineMs: DAY_MS,
      guards: [],
      steps: [],
      proof: haveEnded,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Leading',
      deadlineMs: MINUTE_MS,
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

/** Higher than any that either side is known to have given (H11). */
export const nextOwnerEpoch = (known: readonly number[]) => Math.max(0, ...known) + 1
