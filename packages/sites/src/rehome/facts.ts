import type { RunOutcome } from '../ansible/playbook-runner.ts'
import type { Remote } from '../audit/member.ts'
import type { DeployStatus, ManagementState } from '../model/states.ts'

/** One look at one subcloud that is being taken in, from this site. */
export interface RehomeFacts {
  readonly name: string
  readonly deployStatus: DeployStatus
  readonly managementState: ManagementState
  /** Of this attempt; the row carries it once the attempt is claimed. */
  readonly wantedEpoch: number
  readonly ownerEpoch: number
  /** Members of the stored bootstrap values that are missing; empty when the playbook can be given all it needs. */
  readonly missingValues: readonly string[]
  /** By the monitor, not by one call: `none` when the group has no association. */
  readonly peer: 'none' | 'available' | 'unavailable'
  /** Of the other site, asked now, or as shortly before as whoever decides takes for now. */
  readonly remote: Remote
  /** Of the batch, and taken in the transaction of this look. Asked for only by a member that waits for one. */
  readonly isSlotFree: boolean
  readonly isPrepared: boolean
  /** False for a subcloud that is taken in alone: its operator manages it. */
  readonly wantsManaged: boolean
  readonly run: RunOutcome | { readonly kind: 'none' } | { readonly kind: 'under-way' }
  /** The subcloud answered with this site's credentials after the run had ended. */
  readonly answersHere: boolean
  /** The other site knows how this attempt ended. */
  readonly isFailureReported: boolean
}
