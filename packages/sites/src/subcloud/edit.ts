/** `PATCH /subclouds/{ref}`: one row, its marks on associations and what was woken, in one transaction. */
import { sleep } from '@godwit/ports'
import { type Row, type Sql, selectRows, wakeWork } from '@godwit/store'
import { clearSubcloudAlarms } from '../alarms/store.ts'
import { type Association, associationsWhere, markEdited } from '../association/rows.ts'
import { groupsSharedWith } from '../association/shared-groups.ts'
import { syncMessage } from '../association/sync-message.ts'
import { isPeer, permits, UNNAMED_PEER } from '../auth/policies.ts'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Transact } from '../http/route.ts'
import { isInTransition, isReplaceable, type PeerState } from '../model/states.ts'
import { nextVersion, type ValuesVersion } from '../model/values-version.ts'
import { buryMember, findGroup, groupById, type PeerGroup, unburyMember } from '../peer-group/rows.ts'
import { AUDIT_MS, QUEUES, type Site } from '../site.ts'
import { CORRECTABLE, type EditFacts, type GroupChange, type GroupView, type Marks, mayEdit } from './edit-rules.ts'
import { installColumns, type ValuesEdit, valuesColumns, versionFromPeer } from './edit-values.ts'
import { orchestrationGroup } from './find-group.ts'
import { type SubcloudChange, subcloudChangeSchema } from './form-fields.ts'
import { managementColumns } from './management.ts'
import { namedSubcloud } from './named-subcloud.ts'
import { rehomeDataColumn, type Subcloud, subcloudByName, updateSubcloud } from './rows.ts'
import { shownOne } from './shown.ts'

interface Change {
  readonly fields: SubcloudChange
  readonly files: Readonly<Record<string, string>>
  /** Of the request, without what only goes with another one. */
  readonly keys: readonly string[]
}

interface Groups {
  /** The one that the subcloud is in. */
  readonly before: PeerGroup | undefined
  readonly joined: PeerGroup | undefined
  readonly isLeaving: boolean
}

const NETWORK_KEYS =
  /^(management|admin)_(subnet|gateway_ip|start_ip|end_ip|gateway_address|start_address|end_address)$/
const FILES: readonly string[] = ['bootstrap_values', 'install_values']
/** They go with another key, and are no edit of their own. */
const COMPANIONS: readonly string[] = [
  'peer_group',
  'sysadmin_password',
  'bmc_password',
  'owner_epoch',
  'values_version',
]
/** What the copies have in common. */
const REPLICATED: readonly string[] = [...CORRECTABLE, 'install_values', 'description', 'location', 'name']
/** A person waits for the edit; a peer that is slow is looked at by the next audit. */
const LOOK_TIMEOUT_MS = 5_000
const MANAGEMENT_KEYS: readonly string[] = ['management-state', 'migrate', 'force']

export async function editSubcloud(ports: ApiPorts, asked: Asked, transact: Transact): Promise<unknown> {
  const change = changeOf(asked)
  const isManagementOnly =
    change.keys.includes('management-state') && change.keys.every(key => MANAGEMENT_KEYS.includes(key))
  if (!isManagementOnly && !permits('change', asked.caller))
    throw new Refusal(403, 'Not allowed for the roles of this token')
  const seen = await peerVersion(ports, asked, change, transact)
  return await transact(sql => written(ports.site, sql, asked, change, seen))
}

/** @throws Refusal 400 */
function changeOf({ form, body }: Asked): Change {
  const given = Object.keys(form.fields).length > 0 || Object.keys(form.files).length > 0 ? form.fields : textsOf(body)
  const network = Object.keys(given).find(key => NETWORK_KEYS.test(key))
  if (network !== undefined)
    throw new Refusal(400, `${network}: networks of subclouds are not reconfigured by this service`)
  const files = Object.fromEntries(Object.entries(form.files).filter(([name]) => FILES.includes(name)))
  const fields = Object.keys(given).length === 0 ? {} : checkedFields(subcloudChangeSchema, withUnderscore(given))
  const all = [...Object.keys(fields), ...Object.keys(files)]
  if (all.every(key => key.endsWith('_password'))) throw new Refusal(400, 'nothing to update')
  return { fields, files, keys: all.filter(key => !COMPANIONS.includes(key)) }
}

const withUnderscore = ({ 'bootstrap-address': address, ...rest }: Readonly<Record<string, string>>) =>
  address === undefined ? rest : { bootstrap_address: address, ...rest }

/** A JSON body will do as well. */
function textsOf(body: unknown): Readonly<Record<string, string>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refusal(400, 'Body required')
  return Object.fromEntries(
    Object.entries(body).flatMap(([key, value]) => (value === null ? [] : [[key, textOf(value)]])),
  )
}

const textOf = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/**
 * An edit in sight of the other site's settles a conflict with it (H14). A peer that does not answer has nothing to say:
 * the copies are then compared by the next audit.
 */
async function peerVersion(
  { site, peerSite }: ApiPorts,
  { ref, caller }: Asked,
  { keys }: Change,
  transact: Transact,
): Promise<ValuesVersion> {
  if (isPeer(caller) || !keys.some(key => REPLICATED.includes(key))) return {}
  const { subcloud, peers } = await transact(async sql => {
    const named = await namedSubcloud(sql, ref, caller)
    return { subcloud: named, peers: named.peerGroupId === undefined ? [] : await peersOf(sql, named.peerGroupId) }
  })
  const peer = peers.find(row => row['availability_state'] === 'available')
  if (!peer) return {}
  const over = new AbortController()
  try {
    const late = sleep(site.clock, LOOK_TIMEOUT_MS, over.signal).then(() =>
      Promise.reject(new Error('no answer in time')),
    )
    const remote = await Promise.race([peerSite(peer).subcloud(subcloud.region), late])
    return remote?.valuesVersion ?? {}
  } catch (error) {
    const fields = { subcloud: subcloud.name, error: String(error) }
    site.logger.info(fields, 'an edit is made without a look at the copy on the peer site')
    return {}
  } finally {
    over.abort()
  }
}

async function peersOf(sql: Sql, groupId: number): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { peerId } of await associationsWhere(sql, { peer_group_id: groupId }))
    rows.push(...(await selectRows(sql, 'system_peer', { id: peerId })))
  return rows
}

async function written(
  site: Site,
  sql: Sql,
  asked: Asked,
  change: Change,
  seen: ValuesVersion,
): Promise<Readonly<Record<string, unknown>>> {
  const subcloud = await namedSubcloud(sql, asked.ref, asked.caller)
  const groups = await groupsOf(sql, subcloud, change)
  await refuseHazards(sql, subcloud, change, asked)
  const marks = await permitted(site, sql, { subcloud, groups, change, asked })
  const columns = {
    ...(await ownColumns(sql, subcloud, change, isPeer(asked.caller))),
    ...valueColumns(site, subcloud, change, asked, seen),
    ...managementColumns(subcloud, change.fields, isPeer(asked.caller)),
    ...(groups.isLeaving && { peer_group_id: null }),
    ...(groups.joined && { peer_group_id: groups.joined.id }),
  }
  const changed = Object.keys(columns).length === 0 ? subcloud : await updateSubcloud(sql, subcloud, columns)
  await followMembership(sql, changed, groups, isPeer(asked.caller))
  // A person waits for what the next look says; to the other site it is soon enough when it is looked at anyway.
  await followState(sql, subcloud, changed, isPeer(asked.caller) ? AUDIT_MS : 0)
  const marked = await markGroups(sql, groups, marks)
  return {
    ...(await shownOne(sql, changed, asked.caller)),
    ...(marked.length > 0 && { info_message: syncMessage(marked) }),
  }
}

/** A subcloud on its way is left alone, and another site takes only what it shares with this one (H11, H19). */
async function refuseHazards(sql: Sql, subcloud: Subcloud, { fields }: Change, { caller }: Asked): Promise<void> {
  const { name, deployStatus, peerGroupId } = subcloud
  if (!isPeer(caller) && isInTransition(deployStatus))
    throw new Refusal(400, `Subcloud ${name} is ${deployStatus}: it can be changed when that has ended`)
  if (!isPeer(caller) || fields.migrate !== true) return
  if (peerGroupId === undefined || !(await groupsSharedWith(sql, caller)).has(peerGroupId))
    throw new Refusal(400, `Subcloud ${name} is in no peer group that is associated with the peer site`)
}

async function groupsOf(sql: Sql, { peerGroupId }: Subcloud, { fields }: Change): Promise<Groups> {
  const before = peerGroupId === undefined ? undefined : await groupById(sql, peerGroupId)
  const wanted = fields.peer_group
  const isLeaving = wanted?.toLowerCase() === 'none'
  return { before, isLeaving, joined: wanted === undefined || isLeaving ? undefined : await findGroup(sql, wanted) }
}

/** @throws Refusal 400 with the text of the rule */
async function permitted(
  site: Site,
  sql: Sql,
  { subcloud, groups, change, asked }: { subcloud: Subcloud; groups: Groups; change: Change; asked: Asked },
): Promise<Marks> {
  const facts: EditFacts = {
    caller: isPeer(asked.caller) ? 'peer' : 'operator',
    deployStatus: subcloud.deployStatus,
    managementState: subcloud.managementState,
    availability: subcloud.availability,
    hasRehomeData: subcloud.savedPayload !== undefined,
    group: groups.before && (await viewOf(site, sql, groups.before)),
    groupChange: await groupChangeOf(site, sql, change, groups),
    keys: change.keys,
  }
  const verdict = mayEdit(facts)
  if (verdict.kind === 'refused') throw new Refusal(400, verdict.text)
  return verdict.marks
}

async function groupChangeOf(site: Site, sql: Sql, { fields }: Change, groups: Groups): Promise<GroupChange> {
  if (fields.peer_group === undefined) return { kind: 'keep' }
  if (groups.isLeaving) return { kind: 'leave' }
  return groups.joined ? { kind: 'join', group: await viewOf(site, sql, groups.joined) } : { kind: 'unknown' }
}

async function viewOf({ identity }: Site, sql: Sql, { id, name, priority, leaderId }: PeerGroup): Promise<GroupView> {
  const peers = (await peersOf(sql, id)).map(row => String(row['availability_state']) as PeerState)
  return { name, priority, isLedHere: leaderId === identity.uuid, peers }
}

async function ownColumns(sql: Sql, subcloud: Subcloud, { fields }: Change, isFromPeer: boolean): Promise<Row> {
  const { description, location, release, group_id: group, name, owner_epoch: epoch } = fields
  if (release !== undefined && !isFromPeer)
    throw new Refusal(400, 'The release of a subcloud changes by its upgrade only')
  const isCopy = isReplaceable(subcloud.deployStatus) && subcloud.managementState === 'unmanaged'
  // One that is to stand down has not been taken in yet: the audit takes the epoch over when it has, and makes it a copy.
  const isGiven = isFromPeer && isCopy && fields.migrate !== true
  const takesEpoch = isGiven && epoch !== undefined && epoch > subcloud.ownerEpoch
  return {
    ...(description !== undefined && { description }),
    ...(location !== undefined && { location }),
    ...(release !== undefined && { software_version: release }),
    ...(group !== undefined && { group_id: await orchestrationGroup(sql, group) }),
    ...(takesEpoch && { owner_epoch: epoch }),
    ...(name !== undefined && (await renamed(sql, subcloud, name))),
  }
}

/** @throws Refusal 400 */
async function renamed(sql: Sql, subcloud: Subcloud, name: string): Promise<Row> {
  if (subcloud.managementState !== 'unmanaged' || subcloud.deployStatus !== 'complete')
    throw new Refusal(400, 'A subcloud can be renamed when it is unmanaged and complete only')
  if (name === subcloud.name) throw new Refusal(400, 'The subcloud has this name already')
  if (await subcloudByName(sql, name)) throw new Refusal(400, 'A subcloud with this name already exists')
  await clearSubcloudAlarms(sql, subcloud.name)
  const payload = subcloud.savedPayload && { ...subcloud.savedPayload, name }
  return { name, ...(payload && { rehome_data: rehomeDataColumn(payload) }) }
}

function valueColumns(site: Site, subcloud: Subcloud, change: Change, { caller }: Asked, seen: ValuesVersion): Row {
  if (!change.keys.some(key => REPLICATED.includes(key))) return {}
  const { fields, files } = change
  const edit: ValuesEdit = { fields, files, network: site.network, isFromPeer: isPeer(caller) }
  const version = isPeer(caller)
    ? versionFromPeer(subcloud, fields.values_version, caller.peerUuid ?? UNNAMED_PEER)
    : nextVersion(subcloud.values, site.identity.uuid, seen)
  return {
    ...valuesColumns(subcloud, edit),
    ...installColumns(edit),
    values_version: JSON.stringify(version),
  }
}

/** A member that goes is remembered here, unless the other site takes it away (H6). */
async function followMembership(sql: Sql, subcloud: Subcloud, groups: Groups, isFromPeer: boolean): Promise<void> {
  const { before, joined, isLeaving } = groups
  const { region, name } = subcloud
  // Whoever only tried to take it in does not speak for the site that has it.
  const ownerEpoch = subcloud.deployStatus === 'complete' ? subcloud.ownerEpoch : 0
  if (before && (isLeaving || (joined && joined.id !== before.id)) && !isFromPeer)
    await buryMember(sql, { groupName: before.name, region, name, ownerEpoch })
  if (joined) await unburyMember(sql, joined.name, region)
}

async function followState(sql: Sql, before: Subcloud, after: Subcloud, auditMs: number): Promise<void> {
  if (before.managementState === after.managementState && before.deployStatus === after.deployStatus) return
  if (before.managementState === 'managed' && after.managementState === 'unmanaged')
    await sql.run(`update subcloud_status set sync_status = 'unknown' where subcloud_id = ?`, [after.id])
  await wakeWork(sql, QUEUES.availability, String(after.id), auditMs)
}

async function markGroups(sql: Sql, { before, joined }: Groups, marks: Marks): Promise<readonly Association[]> {
  if (marks === 'none') return []
  const type = marks === 'on both sites' ? 'primary' : 'non-primary'
  const marked: Association[] = []
  for (const id of new Set([before?.id, joined?.id]))
    if (id !== undefined) marked.push(...(await markEdited(sql, { peer_group_id: id }, type)))
  return type === 'primary' ? marked : []
}
