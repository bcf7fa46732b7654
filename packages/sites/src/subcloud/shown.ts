/** A subcloud as the API shows it, in the mixed spelling that clients expect. */
import type { Row, Sql } from '@godwit/store'
import { type Identity, isPeer } from '../auth/policies.ts'
import { redacted } from './redacted.ts'
import { ENDPOINT_TYPES, type Subcloud } from './rows.ts'

interface Endpoint {
  readonly endpoint_type: string
  readonly sync_status: string
}

/** With secrets for the other site only, which cannot take a subcloud in without them. */
export async function shownSubclouds(
  sql: Sql,
  subclouds: readonly Subcloud[],
  caller: Identity,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const endpoints = await endpointsOf(sql, subclouds)
  return subclouds.map(subcloud => shownSubcloud(subcloud, endpoints.get(subcloud.id) ?? [], isPeer(caller)))
}

export async function shownOne(sql: Sql, subcloud: Subcloud, caller: Identity) {
  const [shown = {}] = await shownSubclouds(sql, [subcloud], caller)
  return shown
}

async function endpointsOf(sql: Sql, subclouds: readonly Subcloud[]): Promise<ReadonlyMap<number, Endpoint[]>> {
  const [only] = subclouds
  const rows =
    only && subclouds.length === 1
      ? await sql.all('select * from subcloud_status where subcloud_id = ?', [only.id])
      : await sql.all('select * from subcloud_status')
  const bySubcloud = new Map<number, Endpoint[]>()
  for (const row of rows) {
    const id = Number(row['subcloud_id'])
    const endpoints = bySubcloud.get(id) ?? []
    bySubcloud.set(id, [...endpoints, endpointOf(row)])
  }
  return bySubcloud
}

const endpointOf = (row: Row): Endpoint => ({
  endpoint_type: String(row['endpoint_type']),
  sync_status: String(row['sync_status']),
})

function shownSubcloud(subcloud: Subcloud, endpoints: readonly Endpoint[], withSecrets: boolean) {
  const shown = withSecrets ? (value: unknown) => value : redacted
  const ordered = ENDPOINT_TYPES.flatMap(type => endpoints.filter(({ endpoint_type: known }) => known === type))
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
    sync_status: aggregated(ordered),
    endpoint_sync_status: ordered,
    'owner-epoch': subcloud.ownerEpoch,
    'values-version': subcloud.values,
  }
}

function aggregated(endpoints: readonly Endpoint[]): string {
  const states = new Set(endpoints.map(({ sync_status: state }) => state))
  if (states.has('out-of-sync')) return 'out-of-sync'
  return states.size === 1 && states.has('in-sync') ? 'in-sync' : 'unknown'
}
