/** Whether the other site can be reached, from one look after another. Pure: who looks, and when, is elsewhere. */
import type { PeerState } from '../model/states.ts'

/** Durable: a restart forgets no miss. */
export interface PeerHealth {
  readonly state: PeerState
  /** Looks that failed since the last one that did not. */
  readonly misses: number
}

export type Look = { readonly kind: 'answered' } | { readonly kind: 'missed'; readonly reason: string }

export interface HealthStep {
  readonly health: PeerHealth
  /** What changed with this look; the caller marks associations and raises or clears the alarm. */
  readonly turned: 'reachable' | 'unreachable' | undefined
}

/** `failureThreshold` misses in a row make a peer unavailable, one answer makes it available. */
export function nextHealth({ state, misses }: PeerHealth, look: Look, failureThreshold: number): HealthStep {
  if (look.kind === 'answered')
    return { health: { state: 'available', misses: 0 }, turned: state === 'available' ? undefined : 'reachable' }
  const now = misses + 1
  if (now < failureThreshold || state === 'unavailable') return { health: { state, misses: now }, turned: undefined }
  return { health: { state: 'unavailable', misses: now }, turned: 'unreachable' }
}
