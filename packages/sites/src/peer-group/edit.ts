/**
 * `PATCH /subcloud-peer-groups/{ref}`. Name, state and width are the same on both sites: they are written there first,
 * and here only when one site at least has taken them.
 */
import type { Row, Sql } from '@godwit/store'
import { selectRows } from '@godwit/store'
import type { z } from 'zod'
import { associationsWhere, markEdited } from '../association/rows.ts'
import { isPeer } from '../auth/policies.ts'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Transact } from '../http/route.ts'
import { PeerRefused, type PeerSite } from '../peer/peer-site.ts'
import { runningBatch } from '../rehome/new-batch.ts'
import type { Site } from '../site.ts'
import { GROUP_KEYS, groupChangeSchema, shownGroup } from './fields.ts'
import { namedGroup, refuseDuplicateName } from './named-group.ts'
import { type PeerGroup, renameTombstones, updateGroup } from './rows.ts'

type Given = z.infer<typeof groupChangeSchema>

interface Edit {
  readonly group: PeerGroup
  readonly columns: Row
  /** Rows of the peers that have to hear of it. */
  readonly peers: readonly Row[]
}

type Push = Pick<PeerGroup, 'name' | 'state' | 'maxRehoming'>

export async function editGroup(ports: ApiPorts, asked: Asked, transact: Transact): Promise<unknown> {
  const edit = await transact(sql => plannedEdit(ports.site, sql, asked))
  if (Object.keys(edit.columns).length === 0) return shownGroup(edit.group)
  const wanted = pushOf(edit)
  const failed = await pushed(ports, edit, wanted)
  try {
    return await transact(async sql => shownGroup(await written(ports.site, sql, asked, failed)))
  } catch (error) {
    // What was not written here does not stay there: a name that differs splits the two copies.
    await pushed(ports, { ...edit, group: { ...edit.group, name: wanted.name } }, edit.group).catch(() => undefined)
    throw error
  }
}

async function plannedEdit(site: Site, sql: Sql, { ref, body, caller }: Asked): Promise<Edit> {
  const group = await namedGroup(sql, ref)
  const given = bodyOf(body)
  const isLocal = !isPeer(caller)
  if (isLocal && group.priority > 0)
    throw new Refusal(400, 'Cannot update a subcloud peer group on a non-primary site: update it on the primary one')
  if (!GROUP_KEYS.some(key => key in given)) throw new Refusal(400, 'nothing to update')
  const columns = changedColumns(group, checkedFields(groupChangeSchema, given))
  await refuseHazards(site, sql, { group, columns, isLocal })
  const isPushed = isLocal && ['peer_group_name', 'group_state', 'max_subcloud_rehoming'].some(name => name in columns)
  return { group, columns, peers: isPushed ? await primaryPeers(sql, group) : [] }
}

/** Null forgets the migration, as the word `none` does. @throws Refusal 400 */
function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length === 0)
    throw new Refusal(400, 'Body required')
  const given = body as Readonly<Record<string, unknown>>
  return given['migration_status'] === null ? { ...given, migration_status: 'none' } : given
}

function changedColumns(group: PeerGroup, given: Given): Row {
  const status = given.migration_status
  const columns: readonly (readonly [string, string | number | null | undefined, string | number | null])[] = [
    ['peer_group_name', given['peer-group-name'], group.name],
    ['group_priority', given['group-priority'], group.priority],
    ['group_state', given['group-state'], group.state],
    ['system_leader_id', given['system-leader-id'], group.leaderId],
    ['system_leader_name', given['system-leader-name'], group.leaderName],
    ['max_subcloud_rehoming', given['max-subcloud-rehoming'], group.maxRehoming],
    ['migration_status', status === 'none' ? null : status, group.migrationStatus ?? null],
  ]
  return Object.fromEntries(
    columns.flatMap(([name, wanted, present]) => (wanted === undefined || wanted === present ? [] : [[name, wanted]])),
  )
}

/** What would leave the group in a state that nobody gets it out of, or undo what the other site does not know yet. */
async function refuseHazards(
  site: Site,
  sql: Sql,
  { group, columns, isLocal }: { group: PeerGroup; columns: Row; isLocal: boolean },
): Promise<void> {
  const { peer_group_name: name, migration_status: status, system_leader_id: leaderId } = columns
  if (typeof name === 'string') await refuseDuplicateName(sql, name)
  if (isLocal && 'group_priority' in columns)
    throw new Refusal(400, 'The priority of a group on its primary site is 0 and stays so')
  if (status !== undefined && (await isStatusOfBatch(sql, group, status, isLocal)))
    throw new Refusal(409, `The migration status of the group ${group.name} follows its migration: it is not written`)
  const isTakenOver = group.leaderId === site.identity.uuid && group.migrationStatus !== undefined
  if (!isLocal && leaderId !== undefined && leaderId !== site.identity.uuid && isTakenOver)
    throw new Refusal(409, `This site has taken the group ${group.name} over: audit it first`)
}

/** Nobody but a batch says that one runs; what one has not reported yet is forgotten by the other site only. */
async function isStatusOfBatch(sql: Sql, group: PeerGroup, status: string | number | null, isLocal: boolean) {
  if (await runningBatch(sql, group.id)) return true
  return isLocal && status !== null
}

async function primaryPeers(sql: Sql, group: PeerGroup): Promise<Row[]> {
  const peers: Row[] = []
  for (const { peerId } of await associationsWhere(sql, { peer_group_id: group.id, association_type: 'primary' }))
    peers.push(...(await selectRows(sql, 'system_peer', { id: peerId })))
  return peers
}

const pushOf = ({ group, columns }: Edit): Push => ({
  name: String(columns['peer_group_name'] ?? group.name),
  state: String(columns['group_state'] ?? group.state),
  maxRehoming: Number(columns['max_subcloud_rehoming'] ?? group.maxRehoming),
})

/** @returns ids of the peers that did not take it @throws Refusal 403 when none did */
async function pushed({ peerSite, site }: ApiPorts, edit: Edit, wanted: Push): Promise<readonly number[]> {
  const { name, state, maxRehoming } = wanted
  const failed: number[] = []
  for (const peer of edit.peers)
    try {
      if (peer['availability_state'] !== 'available') throw new Error('the peer site is not available')
      await pushTo(peerSite(peer), edit.group.name, { name, state, maxRehoming })
    } catch (error) {
      const fields = { group: edit.group.name, peer: peer['peer_name'], error: String(error) }
      site.logger.warn(fields, 'a change of a group did not reach a peer')
      failed.push(Number(peer['id']))
    }
  if (edit.peers.length > 0 && failed.length === edit.peers.length)
    throw new Refusal(403, 'Unable to update the subcloud peer group on the peer sites: nothing is changed')
  return failed
}

/** A former attempt may have renamed it there, and ended before it did so here. */
async function pushTo(peer: PeerSite, present: string, wanted: Push): Promise<void> {
  try {
    await peer.updateGroup(present, wanted)
  } catch (error) {
    const isRenamed = error instanceof PeerRefused && error.status === 404 && wanted.name !== present
    if (!isRenamed) throw error
    await peer.updateGroup(wanted.name, wanted)
  }
}

async function written(site: Site, sql: Sql, asked: Asked, failed: readonly number[]): Promise<PeerGroup> {
  const { group, columns } = await plannedEdit(site, sql, asked)
  const changed = await updateGroup(sql, group, columns)
  if (changed.name !== group.name) await renameTombstones(sql, group.name, changed.name)
  for (const peerId of failed) await markEdited(sql, { peer_group_id: group.id, system_peer_id: peerId }, 'primary')
  if (!isPeer(asked.caller) && ['system_leader_id', 'system_leader_name'].some(name => name in columns))
    await markEdited(sql, { peer_group_id: group.id }, 'primary')
  return changed
}
