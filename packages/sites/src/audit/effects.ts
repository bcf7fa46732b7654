/** What an audit writes: each effect is columns of one member's row, written if nobody has changed the row since. */
import { deleteRow, type Row, type Sql, wakeWork } from '@godwit/store'
import { clearSubcloudAlarms } from '../alarms/store.ts'
import { GATEWAY } from '../association/replica.ts'
import type { RemoteSubcloud } from '../peer/peer-site.ts'
import { QUEUES } from '../site.ts'
import {
  type Json,
  rehomeDataColumn,
  SUBCLOUD_TABLE,
  type Subcloud,
  subcloudById,
  subcloudByName,
  updateSubcloud,
} from '../subcloud/rows.ts'
import type { AuditEffect } from './member.ts'

/** @throws Retryable when the member has changed since it was read: look at both sites again */
export async function applyEffects(
  sql: Sql,
  local: Subcloud,
  remote: RemoteSubcloud | undefined,
  effects: readonly AuditEffect[],
): Promise<void> {
  if (effects.some(({ kind }) => kind === 'delete')) return await deleteMember(sql, local)
  const columns: Row = Object.assign({}, ...effects.map(effect => columnsOf(effect, local, remote)))
  const name = remote && effects.some(({ kind }) => kind === 'take-values') ? await freeName(sql, local, remote) : {}
  const standsDown = effects.some(({ kind }) => kind === 'stand-down')
  await updateSubcloud(sql, local, { ...columns, ...name })
  if (standsDown) await quiet(sql, local, columns['deploy_status'] === 'rehome-pending')
}

function columnsOf(effect: AuditEffect, local: Subcloud, remote: RemoteSubcloud | undefined): Row {
  switch (effect.kind) {
    case 'stand-down':
      return {
        management_state: 'unmanaged',
        deploy_status: effect.to,
        // One that may still answer is asked whether it does; of the others nothing is known here any more.
        ...(effect.to !== 'rehome-pending' && { availability_status: 'offline' }),
      }
    case 'adopt-epoch':
      return { owner_epoch: effect.ownerEpoch }
    case 'take-values':
      return remote ? takenValues(local, remote) : {}
    case 'delete':
      return {}
  }
}

/** The gateway stays: each site has its own. Secrets that the other site does not show stay too. */
function takenValues(local: Subcloud, remote: RemoteSubcloud): Row {
  const payload = remote.rehomeData && {
    ...secretsOf(local.savedPayload),
    ...remote.rehomeData,
    [GATEWAY]: local.savedPayload?.[GATEWAY] ?? local.systemControllerGateway,
  }
  const install = remote.installValues && { ...secretsOf(local.installValues), ...remote.installValues }
  const known = remote.valuesVersion
  return {
    ...(payload && { rehome_data: rehomeDataColumn(payload) }),
    ...(install && { data_install: JSON.stringify(install) }),
    ...(known && { values_version: JSON.stringify(known) }),
    description: remote.description,
    location: remote.location,
    ...(remote.softwareVersion !== '' && { software_version: remote.softwareVersion }),
  }
}

const SECRETS = ['admin_password', 'bmc_password']
const secretsOf = (values: Json | undefined): Json =>
  Object.fromEntries(SECRETS.flatMap(key => (values?.[key] === undefined ? [] : [[key, values[key]]])))

/** Renamed there; a name that another subcloud has here is left to a person. */
async function freeName(sql: Sql, local: Subcloud, { name }: RemoteSubcloud): Promise<Row> {
  if (name === local.name || (await subcloudByName(sql, name))) return {}
  return { name }
}

/** Nobody here looks after it now: what was reported of it is not true any more. */
async function quiet(sql: Sql, { id, name }: Subcloud, mayAnswer: boolean): Promise<void> {
  await sql.run("update subcloud_status set sync_status = 'unknown' where subcloud_id = ?", [id])
  if (!mayAnswer) await clearSubcloudAlarms(sql, name)
  await wakeWork(sql, QUEUES.availability, String(id))
}

async function deleteMember(sql: Sql, local: Subcloud): Promise<void> {
  const current = await subcloudById(sql, local.id)
  if (!current) return
  await sql.run('delete from subcloud_status where subcloud_id = ?', [local.id])
  await deleteRow(sql, SUBCLOUD_TABLE, local)
  await clearSubcloudAlarms(sql, local.name)
  await wakeWork(sql, QUEUES.availability, String(local.id))
}
