/** Managing, unmanaging and handing over: what becomes of a subcloud's row, or why not. Pure. */
import type { Row } from '@godwit/store'
import { Refusal } from '../http/refusal.ts'
import { isInTransition, isReplaceable } from '../model/states.ts'
import type { SubcloudChange } from './form-fields.ts'
import type { Subcloud } from './rows.ts'

type Change = Pick<SubcloudChange, 'management-state' | 'migrate' | 'force' | 'owner_epoch'>

const HANDED_OVER: Row = { management_state: 'unmanaged', deploy_status: 'rehome-pending' }

/** @throws Refusal 400 for what is never allowed, 422 for what the subcloud is not fit for now */
export function managementColumns(subcloud: Subcloud, change: Change, isFromPeer: boolean): Row {
  const wanted = change['management-state']
  if (change.force !== undefined && wanted !== 'managed')
    throw new Refusal(400, 'Invalid force: it is allowed with management-state managed only')
  if (change.migrate === true) return isFromPeer ? standDown(subcloud, change) : handOver(subcloud, change)
  if (wanted === 'managed') return managed(subcloud, change.force === true)
  return wanted === 'unmanaged' ? unmanaged(subcloud) : {}
}

/**
 * The other site has set out to take the subcloud in, with the epoch that it names. Asked for again it changes nothing;
 * one that is a copy here, or has failed, stays so (H7); one that this site takes in is not given away (H11). The epoch
 * is not taken over: the audit does so when the other site manages the subcloud.
 */
function standDown(subcloud: Subcloud, { owner_epoch: epoch }: Change): Row {
  const { name, deployStatus, managementState, ownerEpoch } = subcloud
  if (isInTransition(deployStatus))
    throw new Refusal(400, `Subcloud ${name} is ${deployStatus} here: it is not handed over now`)
  const isQuiet = deployStatus === 'rehome-pending' || isReplaceable(deployStatus)
  if (isQuiet && managementState === 'unmanaged') return {}
  if (epoch !== undefined && epoch <= ownerEpoch)
    throw new Refusal(400, `Subcloud ${name} belongs to this site with epoch ${ownerEpoch}, and not to epoch ${epoch}`)
  return isQuiet ? { management_state: 'unmanaged' } : HANDED_OVER
}

function handOver({ deployStatus, managementState, peerGroupId }: Subcloud, change: Change): Row {
  if (peerGroupId !== undefined) throw new Refusal(400, 'A subcloud in a peer group is handed over by a migration only')
  if (deployStatus !== 'complete') throw new Refusal(400, 'Only a subcloud that is complete can be migrated')
  if (managementState !== 'unmanaged' && change['management-state'] !== 'unmanaged')
    throw new Refusal(400, 'The subcloud has to be unmanaged to be migrated')
  return HANDED_OVER
}

function managed({ name, managementState, deployStatus, availability }: Subcloud, isForced: boolean): Row {
  if (managementState === 'managed') throw new Refusal(422, `Subcloud ${name} is already managed`)
  const isPending = deployStatus === 'rehome-pending'
  if (deployStatus !== 'complete' && !isPending)
    throw new Refusal(422, `Subcloud ${name} is ${deployStatus}: it can be managed when it is complete`)
  if (availability !== 'online' && !isForced && !isPending) throw new Refusal(422, `Subcloud ${name} is not online`)
  return { management_state: 'managed', deploy_status: 'complete' }
}

function unmanaged({ name, managementState }: Subcloud): Row {
  if (managementState === 'unmanaged') throw new Refusal(422, `Subcloud ${name} is already unmanaged`)
  return { management_state: 'unmanaged' }
}
