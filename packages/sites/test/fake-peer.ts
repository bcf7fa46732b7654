/** The other site as the workers of one see it, without its own workers: it does what it is asked, or is away. */
import type { DeployStatus, ManagementState } from '../src/model/states.ts'
import { PeerRefused, type PeerSite, PeerUnreachable, type RemoteSubcloud } from '../src/peer/peer-site.ts'

export interface FakeMember {
  name: string
  deployStatus: DeployStatus
  managementState: ManagementState
  ownerEpoch: number
}

export class FakePeer {
  readonly members = new Map<string, FakeMember>()
  /** Calls that wrote or asked for something, in order. */
  readonly calls: string[] = []
  isUp = true
  /** Waited for before each answer to a look. */
  onView: () => Promise<void> = async () => undefined
  /** Called at each audit that is asked for. */
  onAudit: () => Promise<void> = async () => undefined

  /** As workers get it; called for each of their calls. */
  site(): PeerSite {
    const peer: Partial<PeerSite> = {
      view: async region => {
        await this.onView()
        return this.#shown(region)
      },
      standDown: async (region, ownerEpoch) => this.#release(region, ownerEpoch),
      requestAudit: async ({ name, migrationStatus }) => {
        this.#answer()
        this.calls.push(`audit ${name} ${migrationStatus ?? 'none'}`)
        await this.onAudit()
        return undefined
      },
    }
    return peer as PeerSite
  }

  #release(region: string, epoch: number): RemoteSubcloud {
    this.#answer()
    this.calls.push(`release ${region}`)
    const member = this.members.get(region)
    if (!member) throw new PeerRefused(404, 'Subcloud not found')
    if (['pre-rehome', 'rehoming'].includes(member.deployStatus) || epoch <= member.ownerEpoch)
      throw new PeerRefused(400, `the subcloud is ${member.deployStatus}, epoch ${member.ownerEpoch}`)
    // The epoch is adopted when the subcloud is managed by whoever asked, not before.
    Object.assign(member, { deployStatus: 'rehome-pending', managementState: 'unmanaged' })
    return this.#shown(region) as RemoteSubcloud
  }

  #shown(region: string): RemoteSubcloud | undefined {
    this.#answer()
    const member = this.members.get(region)
    return member && ({ ...member, region, valuesVersion: {} } as RemoteSubcloud)
  }

  #answer(): void {
    if (!this.isUp) throw new PeerUnreachable('no answer')
  }
}
