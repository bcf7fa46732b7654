/** How long rows may take, after what the migration itself asks for. What is chosen is stored when a row begins. */
import { type Deadlines, type MigrationSpec, parseDuration, type StageName } from '../api/index.ts'
import { controllerSharedTable, type SharedStage } from './shared-table.ts'

type Spec = Pick<MigrationSpec, 'supportedConfigs'> | undefined

/** The stage whose deadline a shared row shares. */
const STAGE_OF_ROW: Partial<Readonly<Record<SharedStage, StageName>>> = {
  Validating: 'Validating',
  Initializing: 'Initializing',
  Revoking: 'Cleaning',
  Retiring: 'Cleaning',
}

const KEYS = {
  Validating: 'validating',
  Initializing: 'initializing',
  Deploying: 'deploying',
  Registering: 'registering',
  Cleaning: 'cleaning',
  Rollbacking: 'rollbacking',
} as const satisfies Record<StageName | 'Rollbacking', string>

function asked(spec: Spec, stage: StageName | 'Rollbacking'): number | undefined {
  const { stageTimeout = '', stageTimeouts } = spec?.supportedConfigs ?? {}
  return parseDuration(stageTimeouts?.[KEYS[stage]] ?? '') ?? parseDuration(stageTimeout)
}

/**
 * Milliseconds that one cluster may spend in a stage: what is asked for this stage, or for all, or the default. A
 * rollback is never given less than the default, which is what a klusterlet needs to notice (H-23).
 */
export function itemDeadlineMs(spec: Spec, defaults: Deadlines, stage: StageName | 'Rollbacking'): number {
  const ms = asked(spec, stage)
  if (stage === 'Rollbacking') return Math.max(defaults.Rollbacking, ms ?? 0)
  return ms ?? defaults[stage]
}

/** The same for a row of the migration as a whole; infinite where a row only waits for others. */
export function sharedDeadlineMs(spec: Spec, defaults: Deadlines, row: SharedStage | 'Rollbacking'): number {
  if (row === 'Rollbacking') return itemDeadlineMs(spec, defaults, row)
  const ownMs = controllerSharedTable.stages.find(({ name }) => name === row)?.deadlineMs ?? Number.POSITIVE_INFINITY
  const stage = STAGE_OF_ROW[row]
  return stage && Number.isFinite(ownMs) ? (asked(spec, stage) ?? ownMs) : ownMs
}
