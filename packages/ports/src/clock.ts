/**
 * Time as a port: everything that waits takes a `Clock`, so a test can run hours in a moment and a fault schedule
 * can be replayed from its seed. This folder is the only place that may touch the machine's own timers.
 */

/** Cancels a timer; cancelling twice, or after it fired, does nothing. */
export type Cancel = () => void

export interface Clock {
  /** Wall time in milliseconds since the epoch. Compare only with values of the same clock. */
  now(): number
  /** Calls `run` once, `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel
}

/** Resolves after `delayMs`; resolves early, never rejects, when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const finish = () => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(delayMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}

/** RFC 3339 with whole seconds, as Kubernetes writes `metav1.Time`. */
export function rfc3339(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with exactly six decimals, as Kubernetes demands for `metav1.MicroTime` (leases, events). */
export function rfc3339Micro(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z')
}
