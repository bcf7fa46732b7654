/** Subclouds as rows, and their members of JSON text. */
import { clearValue, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import type { MemberView } from '../audit/member.ts'
import type { AvailabilityState, DeployStatus, ManagementState } from '../model/states.ts'
import type { ValuesVersion } from '../model/values-version.ts'
import { integer, optionalInteger, optionalText, text } from '../state/column.ts'
import { rowTime } from '../state/row-time.ts'

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
  /** When it answered last while a rehome waited for it, in milliseconds of the database. */
  readonly answeredMs: number | undefined
  readonly createdAt: string
  readonly updatedAt: string | undefined
}

export const subcloudOf = (row: Row): Subcloud => new StoredSubcloud(row)

/**
 * Columns are read when they are asked for, and JSON is parsed once: most looks at a subcloud are at a few of its states.
 * It has no properties of its own: a spread of it is empty.
 */
class StoredSubcloud implements Subcloud {
  readonly #row: Row
  #savedPayload: Parsed<Json | undefined>
  #installValues: Parsed<Json | undefined>
  #values: Parsed<ValuesVersion>

  constructor(row: Row) {
    this.#row = row
  }

  get id() {
    return integer(this.#row, 'id')
  }
  get version() {
    return integer(this.#row, 'version')
  }
  get name() {
    return text(this.#row, 'name')
  }
  get region() {
    return text(this.#row, 'region_name')
  }
  get description() {
    return text(this.#row, 'description')
  }
  get location() {
    return text(this.#row, 'location')
  }
  get softwareVersion() {
    return text(this.#row, 'software_version')
  }
  get managementState() {
    return text(this.#row, 'management_state') as ManagementState
  }
  get availability() {
    return text(this.#row, 'availability_status') as AvailabilityState
  }
  get deployStatus() {
    return text(this.#row, 'deploy_status')
  }
  get errorDescription() {
    return text(this.#row, 'error_description')
  }
  get managementSubnet() {
    return text(this.#row, 'management_subnet')
  }
  get managementGateway() {
    return text(this.#row, 'management_gateway_ip')
  }
  get managementStart() {
    return text(this.#row, 'management_start_ip')
  }
  get managementEnd() {
    return text(this.#row, 'management_end_ip')
  }
  get systemControllerGateway() {
    return text(this.#row, 'systemcontroller_gateway_ip')
  }
  get oamIpFamily() {
    return text(this.#row, 'external_oam_subnet_ip_family')
  }
  get savedPayload() {
    this.#savedPayload ??= { value: savedPayloadOf(json(this.#row, 'rehome_data')) }
    return this.#savedPayload.value
  }
  get installValues() {
    this.#installValues ??= { value: json(this.#row, 'data_install') }
    return this.#installValues.value
  }
  get groupId() {
    return integer(this.#row, 'group_id')
  }
  get peerGroupId() {
    return optionalInteger(this.#row, 'peer_group_id')
  }
  get isRehomed() {
    return integer(this.#row, 'rehomed') === 1
  }
  get auditFailCount() {
    return integer(this.#row, 'audit_fail_count')
  }
  get answeredMs() {
    return optionalInteger(this.#row, 'answered_ms')
  }
  get ownerEpoch() {
    return integer(this.#row, 'owner_epoch')
  }
  get values() {
    this.#values ??= { value: (json(this.#row, 'values_version') ?? {}) as ValuesVersion }
    return this.#values.value
  }
  get createdAt() {
    return text(this.#row, 'created_at')
  }
  get updatedAt() {
    return optionalText(this.#row, 'updated_at')
  }
}

type Parsed<Value> = { readonly value: Value } | undefined

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

function json(row: Row, name: string): Json | undefined {
  const value = clearValue(row, name) ?? null
  return value === null ? undefined : (JSON.parse(String(value)) as Json)
}

function savedPayloadOf(rehomeData: Json | undefined): Json | undefined {
  const payload = rehomeData?.['saved_payload']
  return typeof payload === 'object' && payload !== null ? (payload as Json) : undefined
}
