import type { KubeObject } from '../api/object.ts'
import type { ObjectKey, StoreEvent } from './types.ts'

/** One kept state. */
export interface RecoveredState {
  readonly key: ObjectKey
  readonly version: number
  readonly json: string
  /** `json` parsed and deeply frozen, for who has it at hand. */
  readonly object?: KubeObject
}

/** What a log holds when it is opened. */
export interface Recovered {
  /** The newest version ever made durable, deletions included. */
  readonly version: number
  readonly states: Iterable<RecoveredState>
}

/** Where writes become durable. The engine decides, orders and publishes; a log only keeps. */
export interface DurableLog {
  /** Called once, before anything else. */
  recover(): Recovered
  /** Waits for the moment to commit: the writes decided until then share one batch. */
  gather(): Promise<void>
  /** Makes all of `events` durable, or none of them and rejects. Never called again before it is settled. */
  append(events: readonly StoreEvent[]): Promise<void>
  close(): void
}

/** Keeps nothing: every write is durable enough at once. Begins with `recovered`, or empty. */
export function noLog(recovered: Recovered = { version: 0, states: [] }): DurableLog {
  return {
    recover: () => recovered,
    gather: () => Promise.resolve(),
    append: () => Promise.resolve(),
    close: () => undefined,
  }
}
