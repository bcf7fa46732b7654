import type { Clock } from '@godwit/ports'

/** A clock that was set back makes nothing younger. */
export function isYounger(clock: Clock, sinceMs: number, mostMs: number): boolean {
  const ageMs = clock.now() - sinceMs
  return ageMs >= 0 && ageMs < mostMs
}
