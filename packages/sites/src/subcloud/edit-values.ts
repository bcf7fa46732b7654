/** What an edit of bootstrap and install values makes of a subcloud's row. Pure. */
import type { Row } from '@godwit/store'
import { Refusal } from '../http/refusal.ts'
import { isReplaceable } from '../model/states.ts'
import { compareVersions, mergeVersions, nextVersion, type ValuesVersion } from '../model/values-version.ts'
import type { SiteNetwork } from '../site.ts'
import { installValuesOf } from './add.ts'
import type { SubcloudChange } from './form-fields.ts'
import { gatewayProblem, read } from './network.ts'
import { ADDRESS, keptPayload, yamlMapping } from './payload.ts'
import { type Json, rehomeDataColumn, type Subcloud } from './rows.ts'

export interface ValuesEdit {
  readonly fields: SubcloudChange
  readonly files: Readonly<Record<string, string>>
  readonly network: SiteNetwork
  readonly isFromPeer: boolean
}

const GATEWAY = 'systemcontroller_gateway_address'

/** @throws Refusal 400, 422 */
export function valuesColumns(subcloud: Subcloud, edit: ValuesEdit): Row {
  const payload = newPayload(subcloud, edit)
  if (!payload) return {}
  const gateway = read(payload, GATEWAY)
  const isMoved = gateway !== subcloud.systemControllerGateway
  const problem = isMoved ? gatewayProblem(gateway, edit.network) : undefined
  if (problem !== undefined) throw new Refusal(400, problem)
  return { rehome_data: rehomeDataColumn(payload), ...(isMoved && { systemcontroller_gateway_ip: gateway }) }
}

/** New values take the place of all old ones but the address; undefined: nothing of them is edited. */
function newPayload(subcloud: Subcloud, { fields, files, isFromPeer }: ValuesEdit): Json | undefined {
  const { bootstrap_values: file } = files
  const address = fields.bootstrap_address
  if (file === undefined && address === undefined) return undefined
  const before = subcloud.savedPayload
  if (file === undefined) {
    if (!before)
      throw new Refusal(422, 'The subcloud has no bootstrap values yet: give them with the bootstrap address')
    return { ...before, [ADDRESS]: address }
  }
  const values = yamlMapping('bootstrap_values', file)
  if (values['name'] !== undefined && values['name'] !== (fields.name ?? subcloud.name))
    throw new Refusal(400, 'The name in bootstrap_values is not the name of the subcloud')
  const known = address ?? addressIn(values) ?? addressIn(before)
  const kept = keptPayload(values, known, isFromPeer)
  return { ...kept, name: fields.name ?? subcloud.name, [GATEWAY]: kept[GATEWAY] ?? subcloud.systemControllerGateway }
}

const addressIn = (values: Json | undefined): string | undefined => {
  const address = values?.[ADDRESS]
  return typeof address === 'string' ? address : undefined
}

export function installColumns({ fields, files, isFromPeer }: ValuesEdit): Row {
  const { install_values: file } = files
  return file === undefined ? {} : { data_install: JSON.stringify(installValuesOf(file, fields, isFromPeer)) }
}

/**
 * The other site's edit: it takes the place of ours only when it was made in sight of all of ours (H14), and only in a
 * copy, never in a subcloud that this site looks after.
 * @param given undefined: another implementation, which counts no edits; this one counts for it
 * @throws Refusal 400, 409
 */
export function versionFromPeer(subcloud: Subcloud, given: ValuesVersion | undefined, peerUuid: string): ValuesVersion {
  const { name, deployStatus, values } = subcloud
  if (!isReplaceable(deployStatus))
    throw new Refusal(400, `Subcloud ${name} is ${deployStatus} here: it is no copy that a peer site may write over`)
  if (given === undefined) return nextVersion(values, peerUuid)
  const order = compareVersions(given, values)
  if (order === 'older') throw new Refusal(409, `Subcloud ${name} was edited on this site since: audit it first`)
  if (order === 'conflict')
    throw new Refusal(409, `Subcloud ${name} was edited on both sites: edit it again on the one that leads`)
  return mergeVersions(given, values)
}
