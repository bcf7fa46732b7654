/**
 * A subcloud whose playbook ended well and that came online only after its batch had given it up: it trusts this site, so
 * this site manages it, as long as nobody has set out to take it in since (H4).
 */
import { wakeWork } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { NO_ERROR, type Subcloud, updateSubcloud } from '../subcloud/rows.ts'
import type { BatchMember } from './batch-rows.ts'
import { releaseAtPeer } from './member-effects.ts'
import type { RehomePorts } from './ports.ts'
import { factsOf, lookAtPeer, type MemberScene, peerHealth, readMember } from './scene.ts'
import { isReleased } from './table.ts'

/** @param member the last one that it was */
export const isLate = ({ deployStatus, ownerEpoch }: Subcloud, member: BatchMember | undefined): boolean =>
  deployStatus === 'rehome-failed' &&
  member?.endedMs !== undefined &&
  member.run?.kind === 'succeeded' &&
  member.wantedEpoch === ownerEpoch

/** To be called when the subcloud has answered with the credentials of this site. Asked again at its next answer. */
export async function adoptLate(ports: RehomePorts, subcloudId: number): Promise<void> {
  const { database, logger } = ports.site
  const scene = await database.transaction(async sql => {
    const [row] = await sql.all('select id from batch_member where subcloud_id = ? order by id desc limit 1', [
      subcloudId,
    ])
    return row && (await readMember(sql, Number(row['id'])))
  })
  const subcloud = scene?.subcloud
  if (!scene || !subcloud || !isLate(subcloud, scene.member)) return
  const verdict = await releaseVerdict(ports, scene, subcloud)
  if (verdict === 'waits') await releaseAtPeer(ports, scene, subcloud, subcloud.ownerEpoch)
  if (verdict !== 'holds') return
  await database.transaction(async sql => {
    await updateSubcloud(sql, subcloud, {
      deploy_status: 'complete',
      management_state: scene.group ? 'managed' : 'unmanaged',
      rehomed: 1,
      error_description: NO_ERROR,
    })
    await wakeWork(sql, QUEUES.availability, String(subcloudId))
  })
  logger.info({ subcloud: subcloud.name, epoch: subcloud.ownerEpoch }, 'recovered: a subcloud came online late')
}

async function releaseVerdict({ peerSite }: RehomePorts, scene: MemberScene, subcloud: Subcloud) {
  const isAsked = scene.peer && peerHealth(scene) === 'available'
  const remote =
    scene.peer && isAsked ? await lookAtPeer(peerSite(scene.peer), subcloud.region) : ({ kind: 'unread' } as const)
  return isReleased.check(factsOf(scene, subcloud, remote)).kind
}
