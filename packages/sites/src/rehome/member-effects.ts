/** What a member of a batch does to others: the other site, and the executor. Each can be repeated. */
import { Terminal } from '@godwit/core'
import type { Remote } from '../audit/member.ts'
import type { RehomeAttempt } from '../executor/executor.ts'
import { PeerRefused } from '../peer/peer-site.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import type { AuditRequests } from './audit-requests.ts'
import type { RehomePorts } from './ports.ts'
import { type GroupScene, lookAtPeer, type MemberScene, remoteOf } from './scene.ts'
import { bootstrapData } from './values.ts'

/** @throws Terminal when the values or the password are not there any more */
export function attemptOf({ batch, member }: MemberScene, subcloud: Subcloud): RehomeAttempt {
  const data = bootstrapData(subcloud.savedPayload)
  if (data.kind === 'incomplete')
    throw new Terminal('ValuesMissing', `subcloud ${member.name} has no ${data.missing.join(', ')}`)
  if (batch.sysadminPassword === undefined)
    throw new Terminal('PasswordMissing', `the batch has no password for ${member.name}: migrate again`)
  return {
    runId: member.runId,
    name: member.name,
    region: subcloud.region,
    softwareVersion: subcloud.softwareVersion,
    values: data.values,
    bootstrapAddress: data.bootstrapAddress,
    sysadminPassword: batch.sysadminPassword,
  }
}

/**
 * Whatever is managed there is handed over, with the epoch that it is handed over to. The answer is what the other site
 * says of the subcloud after it; a refusal is followed by a look at what stands against it.
 */
export async function releaseAtPeer(
  ports: RehomePorts,
  { peer, member }: MemberScene,
  { region }: Subcloud,
  ownerEpoch: number,
): Promise<Remote> {
  const { peerSite, site } = ports
  if (!peer) return { kind: 'unread' }
  try {
    return remoteOf(await peerSite(peer).standDown(region, ownerEpoch))
  } catch (error) {
    if (!(error instanceof PeerRefused)) throw error
    const refused = { subcloud: member.name, status: error.status, reason: error.message }
    site.logger.info(refused, 'the other site does not stand down')
    return await lookAtPeer(ports, peer, region)
  }
}

/** One look of the other site covers every member: those who ask at the same time share it. An objection is an answer. */
export async function askForAudit(ports: RehomePorts, audits: AuditRequests, scene: GroupScene): Promise<void> {
  const { group, peer } = scene
  if (!group || !peer) return
  const { site, peerSite } = ports
  await audits.request(String(group.id), async () => {
    try {
      const objection = await peerSite(peer).requestAudit({ ...group, siteUuid: site.identity.uuid })
      if (objection) site.logger.info({ group: group.name, objection }, 'the other site does not audit')
    } catch (error) {
      if (!(error instanceof PeerRefused)) throw error
      site.logger.info({ group: group.name, reason: error.message }, 'the other site does not audit')
    }
  })
}
