/**
 * A subcloud whose playbook ended well and that came online only after its batch had given it up: it trusts this site, so
 * this site manages it, as long as nobody has set out to take it in since (H4). That it is about to do so is written
 * before it looks at the other site, which therefore either is seen to have claimed it, or sees this and waits (H11).
 */
import { type Sql, wakeWork } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { NO_ERROR, type Subcloud, updateSubcloud } from '../subcloud/rows.ts'
import type { BatchMember } from './batch-rows.ts'
import { releaseAtPeer } from './member-effects.ts'
import type { RehomePorts } from './ports.ts'
import { factsOf, lookAtPeer, type MemberScene, peerHealth, readMember } from './scene.ts'
import { isReleased } from './table.ts'

const FAILED = 'rehome-failed'
/** Nobody on the other site starts anything while it is so here. */
const INTENT = 'rehoming'

/**
 * Also one that a process, which died, was about to manage.
 * @param member the last one that it was
 */
export const isLate = ({ deployStatus, ownerEpoch }: Subcloud, member: BatchMember | undefined): boolean =>
  (deployStatus === FAILED || deployStatus === INTENT) &&
  member?.endedMs !== undefined &&
  member.run?.kind === 'succeeded' &&
  member.wantedEpoch === ownerEpoch

/** @returns columns of one that is late, and does not answer any more: it is not about to be managed */
export const givenUp = ({ deployStatus }: Subcloud) => (deployStatus === INTENT ? { deploy_status: FAILED } : {})

/**
 * To be called when the subcloud has answered with the credentials of this site. Asked again at its next answer.
 * @throws when the other site did not answer, or the row was written by somebody else meanwhile
 */
export async function adoptLate(ports: RehomePorts, subcloudId: number): Promise<void> {
  const { database, logger } = ports.site
  const begun = await database.transaction(sql => begin(sql, subcloudId))
  if (!begun) return
  const { scene, subcloud } = begun
  let isOurs = false
  try {
    isOurs = await isReleasedThere(ports, scene, subcloud)
  } finally {
    // Of the version that was written before the look: whoever wrote since knows better.
    await database.transaction(async sql => {
      await updateSubcloud(sql, subcloud, isOurs ? managedColumns(scene) : { deploy_status: FAILED })
      if (isOurs) await wakeWork(sql, QUEUES.availability, String(subcloudId))
    })
  }
  if (isOurs)
    logger.info({ subcloud: subcloud.name, epoch: subcloud.ownerEpoch }, 'recovered: a subcloud came online late')
}

async function begin(sql: Sql, subcloudId: number) {
  const [row] = await sql.all('select id from batch_member where subcloud_id = ? order by id desc limit 1', [
    subcloudId,
  ])
  const scene = row && (await readMember(sql, Number(row['id'])))
  if (!scene?.subcloud || !isLate(scene.subcloud, scene.member)) return undefined
  return { scene, subcloud: await updateSubcloud(sql, scene.subcloud, { deploy_status: INTENT }) }
}

const managedColumns = ({ group }: MemberScene) => ({
  deploy_status: 'complete',
  management_state: group ? 'managed' : 'unmanaged',
  rehomed: 1,
  error_description: NO_ERROR,
})

async function isReleasedThere(ports: RehomePorts, scene: MemberScene, subcloud: Subcloud): Promise<boolean> {
  const { peer } = scene
  const isAsked = peer && peerHealth(scene) === 'available'
  const seen = isAsked ? await lookAtPeer(ports, peer, subcloud.region) : ({ kind: 'unread' } as const)
  const verdict = isReleased.check(factsOf(scene, subcloud, seen))
  if (verdict.kind !== 'waits') return verdict.kind === 'holds'
  const answer = await releaseAtPeer(ports, scene, subcloud, subcloud.ownerEpoch)
  return isReleased.check(factsOf(scene, subcloud, answer)).kind === 'holds'
}
