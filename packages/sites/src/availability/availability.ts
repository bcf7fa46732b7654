/** What a look at a subcloud makes of its availability. Pure. */
import { type AvailabilityState, type DeployStatus, isAudited } from '../model/states.ts'
import type { Presence } from './probe.ts'

/** A single look that fails is no outage. */
export const OFFLINE_AFTER_MISSES = 2

export interface Availability {
  readonly availability: AvailabilityState
  /** Looks that failed since the last one that did not. */
  readonly auditFailCount: number
}

export function nextAvailability(before: Availability, presence: Presence): Availability {
  if (presence === 'online') return { availability: 'online', auditFailCount: 0 }
  const auditFailCount = Math.min(before.auditFailCount + 1, OFFLINE_AFTER_MISSES)
  return { availability: auditFailCount < OFFLINE_AFTER_MISSES ? before.availability : 'offline', auditFailCount }
}

/** Of a subcloud that nobody here asks: nothing is known of it, so nothing good is said. */
export const unseen: Availability = { availability: 'offline', auditFailCount: 0 }

/** An outage that somebody here should do something about: not of a subcloud that is being handed over. */
export const isAlarming = (deployStatus: DeployStatus, { availability, auditFailCount }: Availability) =>
  availability === 'offline' && auditFailCount >= OFFLINE_AFTER_MISSES && isAudited(deployStatus, availability)
