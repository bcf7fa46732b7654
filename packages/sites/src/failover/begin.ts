/** Which groups a lost site leaves, and their batches: rows of one transaction. */
import type { Sql } from '@godwit/store'
import { associationsWhere } from '../association/rows.ts'
import { newUuid } from '../model/new-id.ts'
import { mayMigrate } from '../model/states.ts'
import { groupById, type PeerGroup, updateGroup } from '../peer-group/rows.ts'
import { beginBatch, runningBatch } from '../rehome/new-batch.ts'
import { bootstrapData } from '../rehome/values.ts'
import type { Site } from '../site.ts'
import { membersOf, type Subcloud } from '../subcloud/rows.ts'

export interface LostGroup {
  readonly group: PeerGroup
  readonly subclouds: readonly Subcloud[]
}

/** Led by the peer, and not being migrated by this site. A member without its values is left for a person. */
export async function lostGroups(sql: Sql, peerId: number, peerUuid: string): Promise<readonly LostGroup[]> {
  const lost: LostGroup[] = []
  for (const { groupId } of await associationsWhere(sql, { system_peer_id: peerId })) {
    const group = await groupById(sql, groupId)
    if (!group || group.leaderId !== peerUuid || (await runningBatch(sql, group.id))) continue
    const members = await membersOf(sql, group.id)
    const subclouds = members.filter(
      ({ deployStatus, savedPayload }) => mayMigrate(deployStatus) && bootstrapData(savedPayload).kind === 'complete',
    )
    lost.push({ group, subclouds })
  }
  return lost
}

export interface Beginning {
  readonly requestedBy: string
  readonly sysadminPassword: string
}

/** @returns the operations @throws Retryable when one of the groups changes at the same time: none is begun then */
export async function beginBatches(
  { random }: Site,
  sql: Sql,
  lost: readonly LostGroup[],
  { requestedBy, sysadminPassword }: Beginning,
): Promise<readonly string[]> {
  const operations: string[] = []
  for (const { group, subclouds } of lost) {
    if (subclouds.length === 0) continue
    const operationId = newUuid(random)
    await beginBatch(sql, { operationId, group, subclouds, requestedBy, sysadminPassword })
    await updateGroup(sql, group, {})
    operations.push(operationId)
  }
  return operations
}
