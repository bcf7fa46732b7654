/** The reference's conditions, with its types and reasons; derived from the record. */
import type { ClusterCounts, MigrationCondition, Phase, SharedRecord, StageName } from '../api/index.ts'
import { stageIndex } from '../api/index.ts'
import { runbookHint } from '../runbook/runbook-pages.ts'
import { RESUMED } from './admission.ts'
import type { NamedStep } from './progress.ts'
import type { SharedStep } from './step-migration.ts'
import { hasBegun } from './waves.ts'

type Wanted = Omit<MigrationCondition, 'lastTransitionTime' | 'lastUpdateTime'>

interface StageCondition {
  readonly stage: StageName
  readonly type: string
  readonly success: string
  readonly done: string
}

const STAGE_CONDITIONS: readonly StageCondition[] = [
  {
    stage: 'Initializing',
    type: 'ResourceInitialized',
    success: 'ResourceInitialized',
    done: 'both hubs and all clusters are prepared',
  },
  {
    stage: 'Deploying',
    type: 'ResourceDeployed',
    success: 'ResourcesDeployed',
    done: 'the resources of all clusters are applied on the target hub',
  },
  {
    stage: 'Registering',
    type: 'ClusterRegistered',
    success: 'ClusterRegistered',
    done: 'all clusters are registered to the target hub',
  },
]

export interface ConditionInput {
  readonly phase: Phase
  readonly step: SharedStep
  readonly items: readonly NamedStep[]
  readonly counts: ClusterCounts
  readonly residue: readonly string[]
  readonly resultName: string
  readonly from: string
  readonly to: string
  readonly isPaused: boolean
  /** There is a condition about a pause already. */
  readonly wasPaused: boolean
}

/** @returns the conditions that the record implies now, in the order of the stages. */
export function deriveConditions(input: ConditionInput): Wanted[] {
  // The tasks, and with them the clusters, are going: what the conditions say of them stays as it is.
  if (input.step.record.stage === 'Retiring')
    return [wholeRolledBack(input), cleaned(input), paused(input)].filter(condition => condition !== undefined)
  const wanted = [
    started(input),
    validated(input),
    ...STAGE_CONDITIONS.map(of => stageCondition(input, of)),
    rolledBack(input),
    cleaned(input),
    paused(input),
  ]
  return wanted.filter(condition => condition !== undefined)
}

const yes = (type: string, reason: string, message: string): Wanted => ({ type, status: 'True', reason, message })
const no = (type: string, reason: string, message: string): Wanted => ({ type, status: 'False', reason, message })

function started({ step: { record, waitsFor } }: ConditionInput): Wanted {
  if (record.stage === 'Pending' && record.failure)
    return no('MigrationStarted', record.failure.code, record.failure.message)
  if (record.stage === 'Pending')
    return no('MigrationStarted', 'Waiting', `waiting for ${waitsFor?.what ?? 'its turn'}`)
  return yes('MigrationStarted', 'InstanceStarted', 'the migration has started')
}

function validated({ step: { record, waitsFor }, from, to }: ConditionInput): Wanted | undefined {
  const type = 'ResourceValidated'
  const { failure } = record
  if (failure?.stage === 'Validating') return no(type, failure.code, failure.message)
  if (record.stage === 'Pending') return undefined
  if (record.stage === 'Validating' || record.stage === 'Claiming')
    return no(type, 'Waiting', `waiting for ${waitsFor?.what ?? `hubs ${from} and ${to} to validate the clusters`}`)
  return yes(type, type, 'hubs and clusters are validated')
}

const failuresAt = (items: readonly NamedStep[], stage: StageName) =>
  items.flatMap(({ name, step }) => (step.source.failure?.stage === stage ? [{ name, ...step.source.failure }] : []))

/** The cluster has left the stage behind: forward, or because it failed there or before. */
function isPast({ step: { source } }: NamedStep, stage: StageName): boolean {
  if (source.failure) return stageIndex(source.failure.stage) <= stageIndex(stage)
  if (source.outcome) return true
  return source.cursor !== undefined && stageIndex(source.cursor.stage) > stageIndex(stage)
}

function hasReached(record: SharedRecord, items: readonly NamedStep[], stage: StageName): boolean {
  if (record.failure) return stageIndex(record.failure.stage) >= stageIndex(stage)
  if (record.stage === 'Pending' || record.stage === 'Validating' || record.stage === 'Claiming') return false
  if (stage === 'Initializing') return true
  return items.some(({ step: { source } }) => {
    const reached = source.failure?.stage ?? source.cursor?.stage
    return source.outcome === 'Completed' || (reached !== undefined && stageIndex(reached) >= stageIndex(stage))
  })
}

function stageCondition(
  { step, items }: ConditionInput,
  { stage, type, success, done }: StageCondition,
): Wanted | undefined {
  const { record } = step
  if (!hasReached(record, items, stage)) return undefined
  if (record.failure?.stage === stage) return no(type, reasonOf(record.failure.code), record.failure.message)
  const open = items.filter(item => !isPast(item, stage))
  const failures = failuresAt(items, stage)
  const earlier = items.filter(
    ({ step: { source } }) => source.failure && stageIndex(source.failure.stage) < stageIndex(stage),
  )
  if (items.length > 0 && earlier.length === items.length) return undefined
  if (items.length === 0 || open.length > 0) {
    const failed = failures.length > 0 ? `, ${failures.length} failed` : ''
    return no(
      type,
      'Waiting',
      `${items.length - open.length - failures.length - earlier.length} of ${items.length} clusters are through${failed}; ${waitText(step, open, stage)}`,
    )
  }
  if (failures.length === 0 && earlier.length > 0)
    return yes(
      type,
      success,
      `${items.length - earlier.length} of ${items.length} clusters are through, the others ended before`,
    )
  if (failures.length === 0) return yes(type, success, done)
  return no(type, reasonOf(failures[0]?.code), failureText(failures, items.length))
}

const reasonOf = (code: string | undefined) => (code === 'Timeout' ? 'Timeout' : 'Error')

function waitText({ waitsFor }: SharedStep, open: readonly NamedStep[], stage: StageName): string {
  const first =
    open.find(({ step: { source, waitsFor: what } }) => source.cursor?.stage === stage && what) ??
    open.find(({ step }) => step.waitsFor?.isHeld)
  return `waiting for ${first?.step.waitsFor?.what ?? waitsFor?.what ?? 'the hubs'}`
}

function failureText(
  failures: readonly { readonly name: string; readonly code: string; readonly message: string }[],
  total: number,
): string {
  const shown = failures.slice(0, 5).map(({ name, code, message }) => `${name}: ${code}: ${message}`)
  const more = failures.length > shown.length ? `; and ${failures.length - shown.length} more` : ''
  return `${failures.length} of ${total} clusters failed: ${shown.join('; ')}${more}`
}

function wholeRolledBack(input: ConditionInput): Wanted | undefined {
  const { record, isFinished, debt } = input.step
  const type = 'ResourceRolledBack'
  if (!record.failure || record.failure.stage === 'Validating') return undefined
  if (!isFinished) return no(type, 'Waiting', `rolling back ${record.failure.stage}`)
  return debt === undefined
    ? yes(type, type, 'the migration is rolled back')
    : no(type, 'Error', `${debt}; ${runbookHint(input.resultName)}`)
}

function rolledBack(input: ConditionInput): Wanted | undefined {
  const type = 'ResourceRolledBack'
  if (input.step.record.failure) return wholeRolledBack(input)
  // In Validating nothing was changed: there is nothing to take back.
  const undone = input.items.filter(({ step: { source } }) => source.failure && source.failure.stage !== 'Validating')
  if (undone.length === 0) return undefined
  const stuck = undone.filter(({ step: { source } }) => source.outcome === 'Stuck')
  const open = undone.filter(({ step: { source } }) => source.outcome === undefined)
  if (open.length > 0) return no(type, 'Waiting', `${open.length} of ${undone.length} clusters are being rolled back`)
  if (stuck.length === 0) return yes(type, type, `${undone.length} clusters are rolled back`)
  const text = stuck
    .slice(0, 5)
    .map(({ name, step: { source } }) => `${name}: ${source.residue?.join(', ') ?? 'unknown'}`)
  const what = `${stuck.length} of ${undone.length} clusters could not be rolled back: ${text.join('; ')}`
  const isLate = stuck.every(({ step: { source } }) => source.residue?.every(text => text.startsWith('Timeout:')))
  return no(type, isLate ? 'Timeout' : 'Error', `${what}; ${runbookHint(input.resultName)}`)
}

function cleaned({ step, counts, phase, residue, resultName }: ConditionInput): Wanted | undefined {
  const type = 'ResourceCleaned'
  const isOver = phase === 'Completed' || phase === 'Failed'
  if (phase !== 'Cleaning' && !(isOver && counts.completed > 0)) return undefined
  if (!isOver) return no(type, 'Waiting', `waiting for ${step.waitsFor?.what ?? 'the hubs to be cleaned'}`)
  if (residue.length === 0) return yes(type, type, `nothing temporary is left; outcomes are in ConfigMap ${resultName}`)
  return no(type, 'Error', `[Warning - Cleanup Issues] left behind: ${residue.slice(0, 10).join('; ')}`)
}

/** Ours. A cluster stands at a safe place between two stages, where it works on one hub and nothing is in flight. */
function paused({ isPaused, wasPaused, step, items }: ConditionInput): Wanted | undefined {
  const type = 'Paused'
  if (!isPaused) return wasPaused ? no(type, 'Resumed', 'the migration goes on') : undefined
  const open = items.filter(({ step: { source } }) => source.outcome === undefined)
  const standing = open.filter(({ step: { source, waitsFor } }) => waitsFor?.isHeld || !hasBegun(source)).length
  const moving = open.length - standing
  const isRowStanding = step.record.stage === 'Moving' || step.waitsFor?.what === RESUMED
  if (moving === 0 && isRowStanding)
    return yes(type, type, `nothing new begins; ${standing} clusters stand at a safe place`)
  return yes(
    type,
    'Pausing',
    `nothing new begins; ${standing} clusters stand at a safe place, ${moving} are on their way to one`,
  )
}

/** Keeps times: `lastTransitionTime` moves with the status, `lastUpdateTime` with anything. */
export function mergeConditions(
  before: readonly MigrationCondition[],
  wanted: readonly Wanted[],
  now: string,
): MigrationCondition[] {
  const kept = before.filter(({ type }) => !wanted.some(condition => condition.type === type))
  const merged = wanted.map(condition => {
    const known = before.find(({ type }) => type === condition.type)
    if (!known) return { ...condition, lastTransitionTime: now, lastUpdateTime: now }
    const isSame =
      known.status === condition.status && known.reason === condition.reason && known.message === condition.message
    if (isSame) return known
    return {
      ...condition,
      lastTransitionTime: known.status === condition.status ? known.lastTransitionTime : now,
      lastUpdateTime: now,
    }
  })
  const order = [
    'MigrationStarted',
    'ResourceValidated',
    'ResourceInitialized',
    'ResourceDeployed',
    'ClusterRegistered',
    'ResourceRolledBack',
    'ResourceCleaned',
    'Paused',
  ]
  return [...kept, ...merged].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))
}
