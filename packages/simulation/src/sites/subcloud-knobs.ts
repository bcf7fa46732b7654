import type { PlaybookStep } from './playbook-steps.ts'

/** What goes wrong at a step of a playbook. The step is done before it fails, when it says so. */
export interface StepFault {
  readonly step: PlaybookStep
  /** `hang`: it never ends by itself. */
  readonly kind: 'fail' | 'fail-after' | 'hang' | 'slow'
  /** Of `slow`. */
  readonly delayMs?: number
  /** Strikes so often; default once. */
  readonly count?: number
}

export interface SubcloudKnobs {
  /** Of each step of a playbook. */
  readonly stepMs: number
  readonly faults: readonly StepFault[]
  /** From a change of home until its services answer; null: never. */
  readonly onlineAfterMs: number | null
  readonly isPoweredOn: boolean
  /** UUIDs of sites that cannot reach it. */
  readonly unreachableFrom: readonly string[]
  readonly hasManagementAlarm: boolean
}

export const DEFAULT_SUBCLOUD_KNOBS: SubcloudKnobs = Object.freeze({
  stepMs: 10,
  faults: [],
  onlineAfterMs: 0,
  isPoweredOn: true,
  unreachableFrom: [],
  hasManagementAlarm: false,
})
