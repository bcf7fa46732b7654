/** Subclouds as rows, and their members of JSON text. */
import { type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import type { MemberView } from '../audit/member.ts'
import type { AvailabilityState, DeployStatus, ManagementState } from '../model/states.ts'
import type { ValuesVersion } from '../model/values-version.ts'
import { integer, optionalInteger, optionalText, text } from '../state/column.ts'
import { rowTime, seen } from '../state/row-time.ts'

export const SUBCLOUD_TABLE = 'subcloud'
export const NO_ERROR = 'No errors present'

/** Parsed JSON of a column. */
export type Json = Readonly<Record<string, unknown>>

export interface Subcloud extends MemberView {
  readonly id: number
  readonly version: number
  readonly name: string
  /** The same on both sites, and never changed. */
  readonly region: string
  readonly description: string
  readonly location: string
  readonly softwareVersion: string
  readonly managementState: ManagementState
  readonly availability: AvailabilityState
  readonly deployStatus: DeployStatus
  readonly errorDescription: string
  readonly managementSubnet: string
  readonly managementGateway: string
  readonly managementStart: string
  readonly managementEnd: string
  readonly systemControllerGateway: string
  readonly oamIpFamily: string
  /** Bootstrap values with `bootstrap-address`, secrets included; undefined: it cannot be rehomed. */
  readonly savedPayload: Json | undefined
  /** Secrets included. */
  readonly installValues: Json | undefined
  readonly groupId: number
  readonly peerGroupId: number | undefined
  readonly isRehomed: boolean
  readonly auditFailCount: number
  /** When it answered an audit last, in milliseconds of the database. */
  readonly answeredMs: number | undefined
  readonly createdAt: string
  readonly updatedAt: string | undefined
}

/** Values are parsed when they are asked for: most looks at a subcloud are at its states. */
export const subcloudOf = (row: Row): Subcloud => {
  const savedPayload = once(() => savedPayloadOf(json(row, 'rehome_data')))
  const installValues = once(() => json(row, 'data_install'))
  const values = once(() => (json(row, 'values_version') ?? {}) as ValuesVersion)
  return {
    ...seen(row),
    name: text(row, 'name'),
    region: text(row, 'region_name'),
    description: text(row, 'description'),
    location: text(row, 'location'),
    softwareVersion: text(row, 'software_version'),
    managementState: text(row, 'management_state') as ManagementState,
    availability: text(row, 'availability_status') as AvailabilityState,
    deployStatus: text(row, 'deploy_status'),
    errorDescription: text(row, 'error_description'),
    managementSubnet: text(row, 'management_subnet'),
    managementGateway: text(row, 'management_gateway_ip'),
    managementStart: text(row, 'management_start_ip'),
    managementEnd: text(row, 'management_end_ip'),
    systemControllerGateway: text(row, 'systemcontroller_gateway_ip'),
    oamIpFamily: text(row, 'external_oam_subnet_ip_family'),
    get savedPayload() {
      return savedPayload()
    },
    get installValues() {
      return installValues()
    },
    groupId: integer(row, 'group_id'),
    peerGroupId: optionalInteger(row, 'peer_group_id'),
    isRehomed: integer(row, 'rehomed') === 1,
    auditFailCount: integer(row, 'audit_fail_count'),
    answeredMs: optionalInteger(row, 'answered_ms'),
    ownerEpoch: integer(row, 'owner_epoch'),
    get values() {
      return values()
    },
    createdAt: text(row, 'created_at'),
    updatedAt: optionalText(row, 'updated_at'),
  }
}

/** The column `rehome_data` that holds this payload. */
export const rehomeDataColumn = (savedPayload: Json): string => JSON.stringify({ saved_payload: savedPayload })

export const subcloudsWhere = async (sql: Sql, where: Row = {}): Promise<readonly Subcloud[]> =>
  (await selectRows(sql, SUBCLOUD_TABLE, where)).map(subcloudOf)

export const membersOf = (sql: Sql, peerGroupId: number) => subcloudsWhere(sql, { peer_group_id: peerGroupId })

export const subcloudById = async (sql: Sql, id: number) => (await subcloudsWhere(sql, { id }))[0]

export const subcloudByRegion = async (sql: Sql, region: string) =>
  (await subcloudsWhere(sql, { region_name: region }))[0]

export const subcloudByName = async (sql: Sql, name: string) => (await subcloudsWhere(sql, { name }))[0]

/** @throws Retryable when the subcloud has changed since it was read */
export const updateSubcloud = async (
  sql: Sql,
  subcloud: Pick<Subcloud, 'id' | 'version'>,
  columns: Row,
): Promise<Subcloud> =>
  subcloudOf(await updateRow(sql, SUBCLOUD_TABLE, subcloud, { ...columns, updated_at: await rowTime(sql) }))

/** What a subcloud is asked for in sync; what each of them is, `subcloud_status` holds. */
export const ENDPOINT_TYPES = [
  'platform',
  'identity',
  'dc-cert',
  'firmware',
  'kubernetes',
  'kube-rootca',
  'software',
] as const

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function json(row: Row, name: string): Json | undefined {
  const value = optionalText(row, name)
  return value === undefined ? undefined : (JSON.parse(value) as Json)
}

function savedPayloadOf(rehomeData: Json | undefined): Json | undefined {
  const payload = rehomeData?.['saved_payload']
  return typeof payload === 'object' && payload !== null ? (payload as Json) : undefined
}
