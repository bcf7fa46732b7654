/**
 * The sync status of an association, from what happens to it. A status says what is true of the two copies: an edit of
 * priorities does not make them equal, and a failed sync is not undone by a peer that comes back (H9).
 */
import type { SyncState } from '../model/states.ts'

export type SyncEvent =
  | 'sync-started'
  | 'sync-succeeded'
  | 'sync-failed'
  /** Somebody edited a member or the group on this side. */
  | 'edited'
  /** The audit has carried the other side's edits home, or found the copies equal. */
  | 'reconciled'
  | 'peer-lost'
  | 'peer-back'
  /** The service that synced is gone: whether it wrote, nobody knows. */
  | 'interrupted'

/** Rows: the status before. A cell that is left out leaves the status as it is. */
const TABLE: Readonly<Record<SyncState, Partial<Record<SyncEvent, SyncState>>>> = {
  'in-sync': { 'sync-started': 'syncing', 'sync-failed': 'failed', edited: 'out-of-sync', 'peer-lost': 'unknown' },
  unknown: {
    'sync-started': 'syncing',
    'sync-failed': 'failed',
    edited: 'failed',
    'peer-back': 'in-sync',
    reconciled: 'in-sync',
  },
  'out-of-sync': { 'sync-started': 'syncing', 'sync-failed': 'failed', reconciled: 'in-sync', 'peer-lost': 'failed' },
  syncing: {
    'sync-succeeded': 'in-sync',
    'sync-failed': 'failed',
    edited: 'out-of-sync',
    'peer-lost': 'failed',
    interrupted: 'failed',
  },
  failed: { 'sync-started': 'syncing', 'sync-succeeded': 'in-sync', reconciled: 'in-sync', 'peer-back': 'out-of-sync' },
}

export const nextSyncState = (status: SyncState, event: SyncEvent): SyncState => TABLE[status][event] ?? status

/** While the peer cannot be reached a clean copy is `unknown`, a dirty one `failed`: never anything else. */
export const isPossibleWithoutPeer = (status: SyncState) => status === 'unknown' || status === 'failed'
