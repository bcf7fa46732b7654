import type { KlusterletKnobs } from './state.ts'

/** Values of a real managed cluster. */
export const DEFAULT_KNOBS: KlusterletKnobs = Object.freeze({
  restartDelayMs: 5_000,
  rolloutDelayMs: 10_000,
  workApplyDelayMs: 500,
  timeoutCheckPeriodMs: 60_000,
  graceAfterStartMs: 10_000,
  crashLoopFirstMs: 10_000,
  crashLoopMaxMs: 300_000,
  retryMs: 5_000,
  evictionGraceMs: 3_600_000,
  multipleHubs: true,
  neverAppliesConfig: false,
  unreachableHubs: [],
  clockSkewMs: 0,
  leaseJitter: 0.1,
  failures: Object.freeze({ apply: 0, probe: 0, request: 0, kill: 0 }),
})

/** Everything in milliseconds: for demonstrations and tests on a real clock. */
export const FAST_KNOBS: KlusterletKnobs = Object.freeze({
  ...DEFAULT_KNOBS,
  restartDelayMs: 5,
  rolloutDelayMs: 10,
  workApplyDelayMs: 2,
  timeoutCheckPeriodMs: 500,
  graceAfterStartMs: 50,
  hubConnectionTimeoutMs: 5_000,
  crashLoopFirstMs: 50,
  crashLoopMaxMs: 500,
  retryMs: 50,
})
