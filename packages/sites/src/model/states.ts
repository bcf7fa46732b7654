/** Words of the API: what clients compare with, so spelled as the reference spells them. */

export const MANAGEMENT_STATES = ['managed', 'unmanaged'] as const
export type ManagementState = (typeof MANAGEMENT_STATES)[number]

export const AVAILABILITY_STATES = ['online', 'offline'] as const
export type AvailabilityState = (typeof AVAILABILITY_STATES)[number]

/** Of a subcloud that is, or may be, on its way between two sites. */
export const REHOME_STATES = [
  'secondary',
  'secondary-failed',
  'pre-rehome',
  'rehome-prep-failed',
  'rehoming',
  'rehome-failed',
  'rehome-pending',
] as const
export type RehomeState = (typeof REHOME_STATES)[number]

/** States of the rest of a subcloud's life; this service keeps and shows them, and acts on `complete` only. */
export type DeployStatus = RehomeState | 'complete' | (string & {})

export const SYNC_STATES = ['syncing', 'in-sync', 'out-of-sync', 'failed', 'unknown'] as const
export type SyncState = (typeof SYNC_STATES)[number]

export const MIGRATION_STATES = ['migrating', 'complete'] as const
export type MigrationState = (typeof MIGRATION_STATES)[number]

export const PEER_STATES = ['created', 'available', 'unavailable'] as const
export type PeerState = (typeof PEER_STATES)[number]

const MAY_MIGRATE: readonly string[] = ['secondary', 'rehome-failed', 'rehome-prep-failed']
const IN_TRANSITION: readonly string[] = ['pre-rehome', 'rehoming']
const NOT_AUDITED: readonly string[] = REHOME_STATES.filter(state => state !== 'rehome-pending')

/** A migrate picks members in these states; others are passed over. */
export const mayMigrate = (status: DeployStatus) => MAY_MIGRATE.includes(status)

/** While one member is in such a state, nobody edits the group or starts another batch. */
export const isInTransition = (status: DeployStatus) => IN_TRANSITION.includes(status)

/** The copy on the other site may be written over, or taken away, in these states only. */
export const isReplaceable = (status: DeployStatus) => mayMigrate(status) || status === 'secondary-failed'

/** The subcloud is asked whether it is online; one that was rehomed away is asked only while it still answers. */
export const isAudited = (status: DeployStatus, availability: AvailabilityState) =>
  status === 'rehome-pending' ? availability === 'online' : !NOT_AUDITED.includes(status)
