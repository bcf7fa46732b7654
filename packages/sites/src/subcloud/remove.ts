/** `DELETE /subclouds/{ref}`. */
import { deleteRow, wakeWork } from '@godwit/store'
import { clearSubcloudAlarms } from '../alarms/store.ts'
import { isPeer } from '../auth/policies.ts'
import { Refusal } from '../http/refusal.ts'
import type { Call } from '../http/route.ts'
import { isReplaceable } from '../model/states.ts'
import { QUEUES } from '../site.ts'
import { namedSubcloud } from './named-subcloud.ts'
import { SUBCLOUD_TABLE, type Subcloud } from './rows.ts'

/** Somebody works on it, or waits for somebody who does. */
const BUSY: readonly string[] = [
  'pre-rehome',
  'rehoming',
  'rehome-pending',
  'pre-deploy',
  'creating',
  'pre-install',
  'installing',
  'pre-bootstrap',
  'bootstrapping',
  'pre-config',
  'configuring',
  'deploying',
  'aborting-install',
  'aborting-bootstrap',
  'aborting-config',
  'enrolling',
  'pre-restore',
  'restoring',
  'onsite-restoring',
  'pre-enroll',
  'pre-init-enroll',
  'initiating-enroll',
  'sw-deploy-in-progress',
  'reconfiguring-network',
]

export async function removeSubcloud({ sql, ref, caller }: Call): Promise<null> {
  const subcloud = await namedSubcloud(sql, ref, caller)
  refuse(subcloud, isPeer(caller))
  await clearSubcloudAlarms(sql, subcloud.name)
  await sql.run('delete from subcloud_status where subcloud_id = ?', [subcloud.id])
  await deleteRow(sql, SUBCLOUD_TABLE, subcloud)
  await wakeWork(sql, QUEUES.availability, String(subcloud.id))
  return null
}

function refuse({ name, managementState, deployStatus, peerGroupId, availability }: Subcloud, isFromPeer: boolean) {
  if (managementState === 'managed' && !isFromPeer) throw new Refusal(400, `Subcloud ${name} is managed`)
  if (BUSY.includes(deployStatus)) throw new Refusal(400, `Subcloud ${name} is ${deployStatus}`)
  if (peerGroupId !== undefined && !isFromPeer) throw new Refusal(400, `Subcloud ${name} is in a subcloud peer group`)
  // The other site takes its copies away, and nothing else (H6).
  if (isFromPeer && !isReplaceable(deployStatus)) throw new Refusal(422, `Subcloud ${name} is ${deployStatus}`)
  if (managementState !== 'unmanaged') throw new Refusal(422, `Subcloud ${name} is managed`)
  if (availability !== 'offline') throw new Refusal(422, `Subcloud ${name} is online`)
}
