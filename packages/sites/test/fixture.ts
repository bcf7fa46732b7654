/** Rows of a site as tests begin with them, and requests as forms. */
import { insertRow, type Row, selectRows } from '@godwit/store'
import { rangeColumns } from '../src/subcloud/management-range.ts'
import { type Api, PEER_UUID, SITE_UUID } from './api.ts'

const CREATED = '2026-01-01 00:00:00.000'

/** Secrets that no answer, error or log may show. */
export const CANARIES = {
  sysadmin: 'canary-sysadmin-1',
  bmc: 'canary-bmc-2',
  admin: 'canary-admin-3',
  registry: 'canary-registry-4',
  manager: 'canary-manager-5',
} as const

export const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Bootstrap values of the subcloud `s1`; further ones get networks of their own. */
export function valuesOf(number = 1, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: `s${number}`,
    system_mode: 'simplex',
    management_subnet: `10.1.${number}.0/24`,
    management_start_address: `10.1.${number}.2`,
    management_end_address: `10.1.${number}.50`,
    management_gateway_address: `10.1.${number}.1`,
    systemcontroller_gateway_address: '192.168.204.101',
    external_oam_subnet: `10.2.${number}.0/24`,
    external_oam_gateway_address: `10.2.${number}.1`,
    external_oam_floating_address: `10.2.${number}.5`,
    docker_registries: { defaults: { url: 'registry.example', username: 'docker', password: CANARIES.registry } },
    ...rest,
  }
}

export const payloadOf = (number = 1) => ({
  ...valuesOf(number, { admin_password: base64(CANARIES.admin) }),
  'bootstrap-address': `10.2.${number}.5`,
})

const insert = (api: Api, table: string, row: Row) => api.database.transaction(sql => insertRow(sql, table, row))

export const rowsOf = (api: Api, table: string, where: Row = {}) =>
  api.database.transaction(sql => selectRows(sql, table, where))

export const rowOf = async (api: Api, table: string, id = 1): Promise<Row> =>
  (await rowsOf(api, table, { id }))[0] ?? {}

/** Everything that is stored, but what is due when. */
export async function everything(api: Api): Promise<unknown> {
  const tables = ['system_peer', 'subcloud_peer_group', 'peer_group_association', 'subcloud', 'tombstone', 'batch']
  const all = []
  for (const table of [...tables, 'subcloud_group', 'batch_member', 'alarm']) all.push(await rowsOf(api, table))
  return all
}

export const givenPeer = (api: Api, rest: Row = {}) =>
  insert(api, 'system_peer', {
    peer_uuid: PEER_UUID,
    peer_name: 'site-b',
    manager_endpoint: 'http://192.0.2.9:5000/v3',
    manager_username: 'admin',
    manager_password: base64(CANARIES.manager),
    peer_controller_gateway_address: '192.0.2.1',
    administrative_state: 'enabled',
    heartbeat_interval: 60,
    heartbeat_failure_threshold: 3,
    heartbeat_failure_policy: 'alarm',
    heartbeat_maintenance_timeout: 600,
    availability_state: 'available',
    misses: 0,
    created_at: CREATED,
    ...rest,
  })

export const givenGroup = (api: Api, rest: Row = {}) =>
  insert(api, 'subcloud_peer_group', {
    peer_group_name: 'g',
    group_priority: 0,
    group_state: 'enabled',
    max_subcloud_rehoming: 10,
    system_leader_id: SITE_UUID,
    system_leader_name: 'site-a',
    migration_status: null,
    created_at: CREATED,
    ...rest,
  })

export const givenAssociation = (api: Api, rest: Row = {}) =>
  insert(api, 'peer_group_association', {
    peer_group_id: 1,
    system_peer_id: 1,
    peer_group_priority: 1,
    association_type: 'primary',
    sync_status: 'in-sync',
    sync_message: null,
    created_at: CREATED,
    ...rest,
  })

/** Complete, managed and online, with everything that a rehome needs. */
export const givenSubcloud = (api: Api, number = 1, rest: Row = {}) => {
  const row = { ...subcloudRow(number), ...rest }
  const range = rangeColumns(String(row['management_start_ip']), String(row['management_end_ip']))
  return insert(api, 'subcloud', { ...row, ...range })
}

export const subcloudRow = (number: number): Row => ({
  name: `s${number}`,
  region_name: String(number).padStart(32, '0'),
  description: '',
  location: '',
  software_version: '24.09',
  management_state: 'managed',
  availability_status: 'online',
  deploy_status: 'complete',
  error_description: 'No errors present',
  management_subnet: `10.1.${number}.0/24`,
  management_gateway_ip: `10.1.${number}.1`,
  management_start_ip: `10.1.${number}.2`,
  management_end_ip: `10.1.${number}.50`,
  systemcontroller_gateway_ip: '192.168.204.101',
  external_oam_subnet_ip_family: 'IPv4',
  rehome_data: JSON.stringify({ saved_payload: payloadOf(number) }),
  data_install: null,
  group_id: 1,
  peer_group_id: null,
  rehomed: 0,
  owner_epoch: 1,
  values_version: JSON.stringify({ [SITE_UUID]: 1 }),
  audit_fail_count: 0,
  answered_ms: null,
  created_at: CREATED,
})

/** A copy that the other site handed over. */
export const SECONDARY: Row = {
  management_state: 'unmanaged',
  availability_status: 'offline',
  deploy_status: 'secondary',
}
export const HEALTHY: Row = { management_state: 'managed', availability_status: 'online', deploy_status: 'complete' }

/** A group with one association and one member. */
export async function givenMember(
  api: Api,
  { peer = {}, group = {}, association = {}, subcloud = {} }: Partial<Record<string, Row>> = {},
): Promise<void> {
  await givenPeer(api, peer)
  await givenGroup(api, group)
  await givenAssociation(api, association)
  await givenSubcloud(api, 1, { peer_group_id: 1, ...subcloud })
}

/** This site as the non-primary one. */
export const NON_PRIMARY = {
  group: { group_priority: 1, system_leader_id: PEER_UUID, system_leader_name: 'site-b' },
  association: { association_type: 'non-primary', peer_group_priority: null },
} as const

export interface Parts {
  readonly fields?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, unknown>>
}

/** Files that are no text are written as JSON, which is YAML. */
export function form({ fields = {}, files = {} }: Parts): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  for (const [name, content] of Object.entries(files))
    data.append(name, new File([typeof content === 'string' ? content : JSON.stringify(content)], `${name}.yml`))
  return data
}

export type Shown = Record<string, unknown>

export async function answered(response: Promise<Response>): Promise<{ status: number; text: string; body: Shown }> {
  const { status, text } = await response.then(async got => ({ status: got.status, text: await got.text() }))
  return { status, text, body: parsed(text) }
}

function parsed(text: string): Shown {
  try {
    return (JSON.parse(text) ?? {}) as Shown
  } catch {
    return {}
  }
}
