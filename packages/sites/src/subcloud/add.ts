/**
 * `POST /subclouds`. Three kinds: a copy that the other site hands over, an installed subcloud that is taken in, and one
 * that somebody else is to deploy. What is asked of the subcloud itself is asked between two transactions.
 */
import { insertRow, type Row, type Sql, wakeWork } from '@godwit/store'
import { isPeer } from '../auth/policies.ts'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Transact } from '../http/route.ts'
import { decodedPassword } from '../http/secret-field.ts'
import { newHexId, newUuid } from '../model/new-id.ts'
import { beginBatch } from '../rehome/new-batch.ts'
import { QUEUES, type Site } from '../site.ts'
import { rowTime } from '../state/row-time.ts'
import { addressOf } from './address.ts'
import { orchestrationGroup } from './find-group.ts'
import { isSupportedRelease, type NewSubcloudFields, newSubcloudSchema, subcloudNameField } from './form-fields.ts'
import { nearestRange, rangeColumns } from './management-range.ts'
import { networkProblem, read } from './network.ts'
import { ADDRESS, checkComplete, checkInstallable, keptPayload, yamlMapping } from './payload.ts'
import {
  ENDPOINT_TYPES,
  type Json,
  NO_ERROR,
  rehomeDataColumn,
  SUBCLOUD_TABLE,
  type Subcloud,
  subcloudByName,
  subcloudByRegion,
  subcloudOf,
} from './rows.ts'
import { shownOne } from './shown.ts'

type Kind = 'secondary' | 'migrate' | 'deploy'

interface Wanted {
  readonly kind: Kind
  readonly name: string
  readonly fields: NewSubcloudFields
  readonly values: Json
  readonly installValues: Json | undefined
  readonly bootstrapAddress: string
  /** Of nobody when it is a copy. */
  readonly sysadminPassword: string | undefined
  readonly release: string
  readonly isFromPeer: boolean
}

const NO_DEPLOYMENT = 'This service deploys no software: install the subcloud, then add it with migrate'
const CONTROLLER_REGIONS: readonly string[] = ['RegionOne', 'SystemController']
const FIRST_STATUS = { secondary: 'secondary', migrate: 'pre-rehome', deploy: 'not-deployed' } as const

export async function addSubcloud(ports: ApiPorts, asked: Asked, transact: Transact): Promise<unknown> {
  const wanted = wantedOf(ports.site, asked)
  await transact(sql => refuseTaken(sql, wanted))
  const region = await regionOf(ports, wanted)
  return await transact(async sql => {
    const subcloud = await inserted(ports.site, sql, wanted, region)
    const operation = await taken(ports, sql, asked, wanted, subcloud)
    return { ...(await shownOne(sql, subcloud, asked.caller)), ...operation }
  })
}

/** What the request alone shows. @throws Refusal 400; 403 for a copy that is not from the other site */
function wantedOf(site: Site, { form, caller }: Asked): Wanted {
  const isFromPeer = isPeer(caller)
  if (Object.keys(form.fields).length + Object.keys(form.files).length === 0) throw new Refusal(400, 'Body required')
  const fields = Object.keys(form.fields).length === 0 ? {} : checkedFields(newSubcloudSchema, form.fields)
  const kind = kindOf(fields, form.files)
  if (kind === 'secondary' && !isFromPeer) throw new Refusal(403, 'Copies of subclouds are added by peer sites only')
  const { bootstrap_values: file, install_values: install } = form.files
  if (file === undefined) throw new Refusal(400, 'Missing bootstrap_values')
  const values = yamlMapping('bootstrap_values', file)
  if (kind === 'migrate' && fields.name !== undefined && fields.name !== values['name'])
    throw new Refusal(400, 'The name in bootstrap_values is not the name of the subcloud')
  const sysadminPassword = passwordOf(kind, fields)
  checkComplete(values)
  const release = fields.release ?? site.softwareVersion
  if (!isSupportedRelease(release, site.softwareVersion))
    throw new Refusal(400, `Release ${release} is not supported by this site`)
  return {
    kind,
    name: nameOf(values),
    fields,
    values,
    installValues: install === undefined ? undefined : installValuesOf(install, fields, isFromPeer),
    bootstrapAddress: bootstrapAddressOf(fields, values),
    sysadminPassword,
    release,
    isFromPeer,
  }
}

function kindOf({ migrate, secondary, enroll, on_site: onSite }: NewSubcloudFields, files: object): Kind {
  const hasConfig = 'deploy_config' in files || 'cloud_init_config' in files
  if (migrate && (enroll || hasConfig)) throw new Refusal(400, 'migrate is not allowed with enroll or deploy_config')
  if (secondary && (migrate || hasConfig))
    throw new Refusal(400, 'secondary is not allowed with migrate or deploy_config')
  if (enroll || onSite || hasConfig) throw new Refusal(400, NO_DEPLOYMENT)
  if (secondary) return 'secondary'
  return migrate ? 'migrate' : 'deploy'
}

function passwordOf(kind: Kind, { sysadmin_password: given }: NewSubcloudFields): string | undefined {
  if (given !== undefined) return decodedPassword('sysadmin_password', given)
  if (kind === 'secondary') return undefined
  throw new Refusal(400, 'Missing sysadmin_password')
}

function nameOf(values: Json): string {
  const name = subcloudNameField.safeParse(values['name'])
  if (!name.success || CONTROLLER_REGIONS.includes(name.data)) throw new Refusal(400, 'Invalid name')
  return name.data
}

function bootstrapAddressOf(fields: NewSubcloudFields, values: Json): string {
  const address = fields[ADDRESS] ?? values[ADDRESS]
  if (address === undefined) throw new Refusal(400, `Missing ${ADDRESS}`)
  if (typeof address !== 'string' || !addressOf(address)) throw new Refusal(400, `Invalid ${ADDRESS}`)
  return address
}

/** Those of another site are for its own hardware managers, and are kept as they are. */
export function installValuesOf(
  content: string,
  { bmc_password: given }: Pick<NewSubcloudFields, 'bmc_password'>,
  isFromPeer: boolean,
): Json {
  const values = yamlMapping('install_values', content)
  if (given !== undefined) decodedPassword('bmc_password', given)
  const complete = given === undefined ? values : { ...values, bmc_password: given }
  if (!isFromPeer) checkInstallable(complete)
  return complete
}

async function refuseTaken(sql: Sql, { name }: Wanted): Promise<void> {
  if (await subcloudByName(sql, name)) throw new Refusal(409, 'A subcloud with this name already exists')
}

/** @throws Refusal 400 when the subcloud does not say its region */
async function regionOf({ site, regionReader }: ApiPorts, wanted: Wanted): Promise<string> {
  const { kind, fields, bootstrapAddress, sysadminPassword } = wanted
  if (kind === 'deploy') return newHexId(site.random)
  if (kind === 'secondary') {
    if (fields.region_name === undefined) throw new Refusal(400, 'Missing region_name')
    return fields.region_name
  }
  try {
    return await regionReader.regionOf({ bootstrapAddress, sysadminPassword: sysadminPassword ?? '' })
  } catch (error) {
    site.logger.warn({ subcloud: wanted.name, error: String(error) }, 'the region of a subcloud could not be read')
    throw new Refusal(400, `The region of the subcloud could not be read at ${bootstrapAddress}`)
  }
}

async function inserted(site: Site, sql: Sql, wanted: Wanted, region: string): Promise<Subcloud> {
  await refuseTaken(sql, wanted)
  if (await subcloudByRegion(sql, region))
    throw new Refusal(wanted.kind === 'secondary' ? 409 : 400, 'A subcloud of this region already exists')
  const problem = networkProblem(wanted.values, site.network, await nearestRange(sql, wanted.values))
  if (problem !== undefined) throw new Refusal(400, problem)
  const groupId = wanted.fields.group_id === undefined ? 1 : await orchestrationGroup(sql, wanted.fields.group_id)
  const row = await insertRow(sql, SUBCLOUD_TABLE, {
    ...columnsOf(site, wanted, region),
    group_id: groupId,
    created_at: await rowTime(sql),
  })
  const subcloud = subcloudOf(row)
  for (const type of ENDPOINT_TYPES)
    await sql.run('insert into subcloud_status (subcloud_id, endpoint_type, sync_status) values (?, ?, ?)', [
      subcloud.id,
      type,
      'unknown',
    ])
  await wakeWork(sql, QUEUES.availability, String(subcloud.id))
  return subcloud
}

function columnsOf(site: Site, wanted: Wanted, region: string): Row {
  const { kind, values, fields, isFromPeer, installValues } = wanted
  const [start, end] = [read(values, 'management_start_address'), read(values, 'management_end_address')]
  const payload = keptPayload(values, wanted.bootstrapAddress, isFromPeer)
  return {
    name: wanted.name,
    region_name: region,
    description: described(fields.description ?? values['description'], 'description'),
    location: described(fields.location ?? values['location'], 'location'),
    software_version: wanted.release,
    management_state: 'unmanaged',
    availability_status: 'offline',
    deploy_status: FIRST_STATUS[kind],
    error_description: kind === 'deploy' ? NO_DEPLOYMENT : NO_ERROR,
    management_subnet: read(values, 'management_subnet'),
    management_gateway_ip: read(values, 'management_gateway_address') || read(values, 'admin_gateway_address'),
    management_start_ip: start,
    management_end_ip: end,
    ...rangeColumns(start, end),
    systemcontroller_gateway_ip: read(values, 'systemcontroller_gateway_address'),
    external_oam_subnet_ip_family:
      addressOf(read(values, 'external_oam_gateway_address'))?.family === 6 ? 'IPv6' : 'IPv4',
    rehome_data: rehomeDataColumn(payload),
    data_install: installValues === undefined ? null : JSON.stringify(installValues),
    peer_group_id: null,
    rehomed: 0,
    owner_epoch: isFromPeer ? (fields.owner_epoch ?? 0) : 0,
    values_version: JSON.stringify(isFromPeer ? (fields.values_version ?? {}) : { [site.identity.uuid]: 1 }),
    audit_fail_count: 0,
    answered_ms: null,
    updated_at: null,
  }
}

const described = (value: unknown, what: string): string =>
  typeof value === 'string' && value !== '' ? value.slice(0, 255) : `No ${what} provided`

/** One that is taken in alone is a batch of its own. */
async function taken({ site }: ApiPorts, sql: Sql, { caller }: Asked, wanted: Wanted, subcloud: Subcloud) {
  if (wanted.kind !== 'migrate' || wanted.sysadminPassword === undefined) return {}
  const batch = await beginBatch(sql, {
    operationId: newUuid(site.random),
    group: undefined,
    subclouds: [subcloud],
    requestedBy: caller.user,
    sysadminPassword: wanted.sysadminPassword,
  })
  return { operation_id: batch.operationId }
}
