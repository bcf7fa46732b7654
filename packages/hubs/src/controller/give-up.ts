/** Why a cluster, or a migration, is taken back without anything having gone wrong with it. */
export interface GiveUp {
  readonly code: string
  readonly message: string
}

/** Somebody gave it up. */
export const CANCELLED = 'Cancelled'
/** The migration stopped before the cluster's turn came. */
export const NOT_STARTED = 'NotStarted'
