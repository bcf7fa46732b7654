/**
 * The other site as workers of this one talk to it: its API v1.0, with the credential that it gave us. Another
 * implementation of that API leaves out the members that are ours; they read as undefined.
 */

import type { DeployStatus, ManagementState, MigrationState, SyncState } from '../model/states.ts'
import type { ValuesVersion } from '../model/values-version.ts'

export interface RemoteGroup {
  readonly id: number
  readonly name: string
  readonly priority: number
  readonly state: string
  readonly maxRehoming: number
  readonly leaderId: string
  readonly leaderName: string
  readonly migrationStatus: MigrationState | undefined
}

export interface RemoteSubcloud {
  readonly id: number
  readonly name: string
  readonly region: string
  readonly deployStatus: DeployStatus
  readonly managementState: ManagementState
  readonly availability: string
  readonly peerGroupId: number | undefined
  readonly description: string
  readonly location: string
  readonly softwareVersion: string
  /** As the API shows it: the saved payload. */
  readonly rehomeData: Readonly<Record<string, unknown>> | undefined
  readonly installValues: Readonly<Record<string, unknown>> | undefined
  readonly ownerEpoch: number | undefined
  readonly valuesVersion: ValuesVersion | undefined
}

/** What is asked for again and again while it moves: a subcloud without its values. */
export type RemoteView = Pick<RemoteSubcloud, 'deployStatus' | 'managementState' | 'ownerEpoch' | 'valuesVersion'>

export interface RemoteTombstone {
  readonly region: string
  readonly name: string
  readonly ownerEpoch: number
}

export interface RemoteAssociation {
  readonly id: number
  readonly groupId: number
  readonly peerId: number
  readonly type: 'primary' | 'non-primary'
  readonly syncStatus: SyncState
}

/** `subcloud` is asked for by region name, which is the same on both sites; groups go by name. */
export interface PeerSite {
  /** Of the system that answers: compared with the uuid that the peer was added with. */
  systemUuid(): Promise<string>
  /** Id of the entry that the peer has for the system `uuid`; undefined when it does not know it. */
  peerIdOf(uuid: string): Promise<number | undefined>
  groups(): Promise<readonly RemoteGroup[]>
  group(name: string): Promise<RemoteGroup | undefined>
  createGroup(group: Omit<RemoteGroup, 'id' | 'migrationStatus'>): Promise<RemoteGroup>
  /** @param name the present one */
  updateGroup(
    name: string,
    changes: Partial<Omit<RemoteGroup, 'id'>> & { readonly forgetMigration?: true },
  ): Promise<void>
  /** Gone already is fine. @throws PeerRefused when it is associated still */
  deleteGroup(name: string): Promise<void>
  members(group: string): Promise<readonly RemoteSubcloud[]>
  /** Empty from another implementation, which keeps none. */
  tombstones(group: string): Promise<readonly RemoteTombstone[]>
  subcloud(region: string): Promise<RemoteSubcloud | undefined>
  /** As `subcloud`. Those that are asked for at the same time go in one request, when the peer knows such ones. */
  view(region: string): Promise<RemoteView | undefined>
  /** Asks it to give the subcloud away, to whoever has this epoch. Can be repeated. @returns what it has after that */
  standDown(region: string, ownerEpoch: number): Promise<RemoteView>
  /** A copy that nobody there contacts. Fields and files as in the multipart request. */
  addSecondary(form: SubcloudForm): Promise<RemoteSubcloud>
  updateSubcloud(region: string, form: SubcloudForm): Promise<RemoteSubcloud>
  /** Gone already is fine. */
  deleteSubcloud(name: string): Promise<void>
  associations(): Promise<readonly RemoteAssociation[]>
  createAssociation(association: { readonly groupId: number; readonly peerId: number }): Promise<RemoteAssociation>
  setSyncStatus(associationId: number, status: SyncState): Promise<void>
  /** Gone already is fine. */
  deleteAssociation(associationId: number): Promise<void>
  /** Asks the peer to look at this group now. @returns its objection, if it has one */
  requestAudit(group: RemoteGroup & { readonly siteUuid: string }): Promise<string | undefined>
}

export interface SubcloudForm {
  readonly fields: Readonly<Record<string, string>>
  /** Contents by part name: `bootstrap_values`, `install_values`. */
  readonly files: Readonly<Record<string, string>>
}

/** The peer answered, and said no. The text is its own. */
export class PeerRefused extends Error {
  override readonly name = 'PeerRefused'
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

/** No answer, or one that nobody can read: whether the peer did it is unknown. */
export class PeerUnreachable extends Error {
  override readonly name = 'PeerUnreachable'
}
