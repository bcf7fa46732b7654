/** Names of phases and stages, as Global Hub users know them. */

export const PHASES = [
  'Pending',
  'Validating',
  'Initializing',
  'Deploying',
  'Registering',
  'Rollbacking',
  'Cleaning',
  'Completed',
  'Failed',
] as const
export type Phase = (typeof PHASES)[number]

/** The stages an item goes through, in order. */
export const STAGES = ['Validating', 'Initializing', 'Deploying', 'Registering', 'Cleaning'] as const
export type StageName = (typeof STAGES)[number]

export const stageIndex = (stage: StageName) => STAGES.indexOf(stage)

export const isTerminal = (phase: Phase | undefined) => phase === 'Completed' || phase === 'Failed'

const MINUTE = 60_000
/** How long each stage, and a rollback, may take, in milliseconds. */
export type Deadlines = Readonly<Record<StageName | 'Rollbacking', number>>

/** Defaults; `spec.supportedConfigs.stageTimeout` overrides each of them but the last, which it can only lengthen. */
export const STAGE_DEADLINE_MS: Deadlines = {
  Validating: 5 * MINUTE,
  Initializing: 5 * MINUTE,
  Deploying: 5 * MINUTE,
  Registering: 12 * MINUTE,
  Cleaning: 5 * MINUTE,
  // A klusterlet that already switched notices only after its hub connection timeout, 600 s by default (H-23).
  Rollbacking: 15 * MINUTE,
}
