/** A subcloud as the API shows it, in the mixed spelling that clients expect. */
import { nextTurn } from '@godwit/ports'
import type { Sql } from '@godwit/store'
import { groupsSharedWith } from '../association/shared-groups.ts'
import type { Identity } from '../auth/policies.ts'
import type { Asked, Transact } from '../http/route.ts'
import { redactor } from './redacted.ts'
import { ENDPOINT_TYPES, type Subcloud } from './rows.ts'

/** Of one subcloud: what is in sync, and the whole of it. */
type Endpoints = ReturnType<typeof endpointsShown>

type Shown = Readonly<Record<string, unknown>>

/** So many are shown at a stretch: a list of thousands holds up nobody who moves them. */
const SHOWN_AT_ONCE = 50

/** With secrets for the other site only, of the subclouds that it may have to take in (H19). */
async function shownTo(
  sql: Sql,
  subclouds: readonly Subcloud[],
  caller: Identity,
): Promise<(subcloud: Subcloud) => Shown> {
  const endpoints = await endpointsOf(sql, subclouds)
  const shared = await groupsSharedWith(sql, caller)
  const clean = redactor()
  return subcloud => {
    const isShared = subcloud.peerGroupId !== undefined && shared.has(subcloud.peerGroupId)
    return shownSubcloud(subcloud, endpoints(subcloud.id), isShared ? whole : clean)
  }
}

const whole = (value: unknown) => value

/** The answer of a route that lists what `read` finds. */
export async function listed(
  { caller }: Asked,
  transact: Transact,
  read: (sql: Sql) => Promise<readonly Subcloud[]>,
): Promise<{ readonly subclouds: readonly Shown[] }> {
  const list = await transact(async sql => shownList(sql, await read(sql), caller))
  return { subclouds: await list() }
}

/** What is read in a transaction. @returns makes the list, when that has ended */
export async function shownList(
  sql: Sql,
  subclouds: readonly Subcloud[],
  caller: Identity,
): Promise<() => Promise<readonly Shown[]>> {
  const show = await shownTo(sql, subclouds, caller)
  return async () => {
    const list: Shown[] = []
    for (const subcloud of subclouds) {
      if (list.length % SHOWN_AT_ONCE === SHOWN_AT_ONCE - 1) await nextTurn()
      list.push(show(subcloud))
    }
    return list
  }
}

export async function shownOne(sql: Sql, subcloud: Subcloud, caller: Identity): Promise<Shown> {
  return (await shownTo(sql, [subcloud], caller))(subcloud)
}

/** One row a subcloud, and most of them are equal: a list has seven times as many endpoints as subclouds. */
async function endpointsOf(sql: Sql, subclouds: readonly Subcloud[]): Promise<(id: number) => Endpoints> {
  const columns =
    "select subcloud_id, string_agg(endpoint_type || '=' || sync_status, ',') as states from subcloud_status"
  const [only] = subclouds
  const rows =
    only && subclouds.length === 1
      ? await sql.all(`${columns} where subcloud_id = ? group by subcloud_id`, [only.id])
      : await sql.all(`${columns} group by subcloud_id`)
  const states = new Map(rows.map(row => [Number(row['subcloud_id']), String(row['states'])]))
  const known = new Map<string, Endpoints>()
  return id => {
    const text = states.get(id) ?? ''
    const shown = known.get(text) ?? endpointsShown(text)
    known.set(text, shown)
    return shown
  }
}

function endpointsShown(states: string) {
  const byType = new Map(states.split(',').map(state => state.split('=') as [string, string]))
  const shown = ENDPOINT_TYPES.filter(type => byType.has(type)).map(type => ({
    endpoint_type: type,
    sync_status: byType.get(type),
  }))
  return { sync_status: aggregated(new Set(shown.map(({ sync_status: status }) => status))), shown }
}

function shownSubcloud(subcloud: Subcloud, endpoints: Endpoints, shown: (value: unknown) => unknown) {
  return {
    id: subcloud.id,
    name: subcloud.name,
    description: subcloud.description,
    location: subcloud.location,
    'software-version': subcloud.softwareVersion,
    'management-state': subcloud.managementState,
    'availability-status': subcloud.availability,
    'deploy-status': subcloud.deployStatus,
    'backup-status': null,
    'backup-datetime': null,
    'error-description': subcloud.errorDescription,
    'region-name': subcloud.region,
    'management-subnet': subcloud.managementSubnet,
    'management-start-ip': subcloud.managementStart,
    'management-end-ip': subcloud.managementEnd,
    'management-gateway-ip': subcloud.managementGateway,
    'openstack-installed': false,
    'prestage-status': null,
    'prestage-versions': null,
    'systemcontroller-gateway-ip': subcloud.systemControllerGateway,
    data_install: subcloud.installValues === undefined ? null : JSON.stringify(shown(subcloud.installValues)),
    data_upgrade: null,
    'created-at': subcloud.createdAt,
    'updated-at': subcloud.updatedAt ?? null,
    group_id: subcloud.groupId,
    peer_group_id: subcloud.peerGroupId ?? null,
    rehome_data: subcloud.savedPayload === undefined ? null : { saved_payload: shown(subcloud.savedPayload) },
    sync_status: endpoints.sync_status,
    endpoint_sync_status: endpoints.shown,
    'owner-epoch': subcloud.ownerEpoch,
    'values-version': subcloud.values,
  }
}

function aggregated(states: ReadonlySet<string | undefined>): string {
  if (states.has('out-of-sync')) return 'out-of-sync'
  return states.size === 1 && states.has('in-sync') ? 'in-sync' : 'unknown'
}
