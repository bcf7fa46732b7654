/** The migration as a whole, one look: from record and facts to the next record and the effects it permits. Pure. */
import { type Cursor, decide } from '@godwit/core'
import { rfc3339 } from '@godwit/ports'
import type { SharedRecord, StageName } from '../api/index.ts'
import { PAUSED } from './admission.ts'
import { CANCELLED } from './give-up.ts'
import type { MigrationFacts } from './migration-facts.ts'
import { CREDENTIAL_IN_USE, controllerSharedTable, type SharedEffect, type SharedStage } from './shared-table.ts'

export interface SharedStep {
  readonly record: SharedRecord
  readonly effects: readonly SharedEffect[]
  readonly waitsFor?: { readonly what: string; readonly who: string }
  /** The migration is over: nothing is left to do for anybody. */
  readonly isFinished: boolean
  /** Clean-up that did not work; the user has what was asked for all the same (law 9). */
  readonly debt?: string
}

export interface SharedContext {
  readonly nowMs: number
  /** Deadline of a row in milliseconds, after the user's override. */
  readonly deadlineMs: (stage: SharedStage | 'Rollbacking') => number
}

const MAX_ROUNDS = 16

/** The phase that a failed shared row belongs to, for conditions and the result. */
const STAGE_OF: Readonly<Record<SharedStage, StageName>> = {
  Pending: 'Validating',
  Validating: 'Validating',
  Claiming: 'Validating',
  Initializing: 'Initializing',
  Moving: 'Registering',
  Revoking: 'Cleaning',
  Retiring: 'Cleaning',
}

function deadlineText({ nowMs, deadlineMs }: SharedContext, stage: SharedStage | 'Rollbacking') {
  const limit = deadlineMs(stage)
  return Number.isFinite(limit) ? { deadline: rfc3339(nowMs + limit) } : {}
}

function recordAt(stage: SharedStage, context: SharedContext): SharedRecord {
  return { stage, direction: 'Forward', entered: false, since: rfc3339(context.nowMs), ...deadlineText(context, stage) }
}

export const firstRecord = (context: SharedContext) => recordAt('Pending', context)

export function stepMigration(facts: MigrationFacts, from: SharedRecord, context: SharedContext): SharedStep {
  let record = from
  let debt: string | undefined
  const done = (step: Omit<SharedStep, 'debt'>): SharedStep => ({ ...step, ...(debt !== undefined && { debt }) })
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { deadline, failure, ...at } = record
    const kept = { ...(failure && { failure }), ...(record.attempt !== undefined && { attempt: record.attempt }) }
    const cursor = {
      stage: at.stage as SharedStage,
      direction: at.direction,
      entered: at.entered,
      ...(deadline !== undefined && { deadlineMs: Date.parse(deadline) }),
    }
    const decision = cancellation(facts, record) ?? decideUnlessHeld(facts, cursor, context.nowMs)
    switch (decision.kind) {
      case 'act':
        return done({
          record: { ...record, entered: true },
          effects: decision.effects,
          isFinished: false,
          waitsFor: { what: `the controller to ${decision.step}`, who: 'controller' },
        })
      case 'wait':
        return done({
          record,
          effects: [],
          isFinished: false,
          waitsFor: { what: decision.waitsFor, who: decision.who },
        })
      case 'advance':
        record =
          record.direction === 'Undo'
            ? { ...record, stage: decision.to }
            : { ...recordAt(decision.to, context), ...kept }
        break
      case 'finish':
        if (decision.outcome === 'done') return done({ record, effects: [], isFinished: true })
        // Taken back: what is left are the tasks, and those go in the same way as after a success.
        record = { ...recordAt('Retiring', context), ...kept }
        break
      case 'compensate':
      case 'ask': {
        const isClosing = decision.stage === 'Revoking' || decision.stage === 'Retiring' || decision.kind === 'ask'
        if (isClosing) debt = `${decision.code}: ${decision.message}`
        // The tasks hold the journal of what somebody still has to finish: they stay.
        if (decision.kind === 'ask' || decision.stage === 'Retiring' || decision.code === CREDENTIAL_IN_USE)
          return done({ record, effects: [], isFinished: true })
        record = isClosing ? { ...recordAt('Retiring', context), ...kept } : undoFrom(record, decision, context)
      }
    }
  }
  throw new Error(
    `migration ${facts.migration.metadata.name} did not settle in ${MAX_ROUNDS} rounds: the stage table has a cycle`,
  )
}

/** What a pause holds back: everything up to the moving of clusters, which are held one by one. */
const HELD: readonly string[] = ['Validating', 'Claiming', 'Initializing', 'Moving']

/** A row that has begun comes to its end; the next one does not begin. */
function decideUnlessHeld(facts: MigrationFacts, cursor: Cursor<SharedStage>, nowMs: number) {
  const decision = decide(controllerSharedTable, cursor, facts, nowMs)
  const isNext = cursor.direction === 'Forward' && decision.kind === 'advance' && HELD.includes(decision.to)
  return isNext && facts.migration.spec?.paused
    ? ({ kind: 'wait', stage: cursor.stage, waitsFor: PAUSED.what, who: PAUSED.who } as const)
    : decision
}

const CANCELLABLE: readonly string[] = ['Pending', 'Validating', 'Claiming', 'Initializing']

/** Once clusters move each goes back by itself, and the rest of the table takes away what was shared. */
function cancellation({ isCancelled, migration }: MigrationFacts, { stage, direction }: SharedRecord) {
  if (!isCancelled || direction === 'Undo' || !CANCELLABLE.includes(stage)) return undefined
  const how = migration.metadata.deletionTimestamp === undefined ? 'cancelled' : 'deleted'
  const message = `the migration was ${how} before any cluster had begun to move`
  return { kind: 'compensate', stage: stage as SharedStage, code: CANCELLED, message } as const
}

function undoFrom(
  record: SharedRecord,
  { stage, code, message }: { readonly stage: SharedStage; readonly code: string; readonly message: string },
  context: SharedContext,
): SharedRecord {
  return {
    stage: record.stage,
    direction: 'Undo',
    entered: true,
    since: rfc3339(context.nowMs),
    ...deadlineText(context, 'Rollbacking'),
    ...(record.attempt !== undefined && { attempt: record.attempt }),
    failure: { stage: STAGE_OF[stage], code, message },
  }
}
