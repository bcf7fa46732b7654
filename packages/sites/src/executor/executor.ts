/** Who makes a subcloud change its home. A run belongs to its id: asked for again, it is joined and not repeated. */
import type { RunOutcome } from '../ansible/playbook-runner.ts'

/** One attempt at one subcloud. Holds secrets: never logged, never stored. */
export interface RehomeAttempt {
  /** Letters, digits and dashes. */
  readonly runId: string
  readonly name: string
  readonly region: string
  readonly softwareVersion: string
  readonly bootstrapAddress: string
  /** The stored bootstrap values. */
  readonly values: Readonly<Record<string, unknown>>
  readonly sysadminPassword: string
}

export interface RunSignals {
  /** Ends the run. */
  readonly cancel: AbortSignal
  /** Goes away and lets the run go on. */
  readonly leave: AbortSignal
}

export interface Executor {
  /** Where its runs live: they can be joined there only. */
  readonly host: string
  /** A run that takes longer is ended by its own host. */
  readonly totalLimitMs: number
  /**
   * Makes everything that a run reads, so that a failure is known before the subcloud is touched. Leaves nothing behind,
   * and can be repeated: the run makes it anew.
   * @throws Terminal when it will not work unless somebody changes something
   */
  prepare(attempt: RehomeAttempt): Promise<void>
  /**
   * Starts the run, or joins it, and waits for its end; how it ended is remembered until it is discarded.
   * @returns undefined when it was left
   */
  run(attempt: RehomeAttempt, signals: RunSignals): Promise<RunOutcome | undefined>
  /** Ends a run that goes on, and forgets it. Can be repeated. */
  discard(runId: string): Promise<void>
}
