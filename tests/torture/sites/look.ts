/** What the databases of both sites say, and where the subclouds really are. */
import { selectRows } from '@godwit/store'
import type { SiteParty } from './site-party.ts'
import type { SiteId } from './world.ts'

export interface MemberLook {
  readonly name: string
  readonly region: string
  readonly deployStatus: string
  readonly isManaged: boolean
  readonly availability: string
  readonly epoch: number
  readonly payload: Readonly<Record<string, unknown>>
  readonly description: string
}

export interface SiteLook {
  readonly members: readonly MemberLook[]
  readonly group: { readonly leader: string; readonly status: string | undefined } | undefined
  readonly associations: readonly { readonly syncStatus: string; readonly message: string | undefined }[]
  readonly batches: readonly {
    readonly operationId: string
    readonly outcome: string | undefined
    readonly hasPassword: boolean
    readonly open: number
    readonly acting: number
  }[]
  readonly alarms: readonly string[]
  readonly peer: string | undefined
}

export interface Look {
  readonly a: SiteLook
  readonly b: SiteLook
  /** Of each subcloud, in the order of their numbers. */
  readonly homes: readonly SiteId[]
}

export const lookAt = ({ database }: SiteParty): Promise<SiteLook> =>
  database.transaction(async sql => {
    const subclouds = await selectRows(sql, 'subcloud')
    const [group] = await selectRows(sql, 'subcloud_peer_group')
    const associations = await selectRows(sql, 'peer_group_association')
    const batches = await sql.all(
      `select b.operation_id, b.outcome, b.sysadmin_password,
         (select count(*) from batch_member m where m.batch_id = b.id and m.ended_ms is null) as open,
         (select count(*) from batch_member m where m.batch_id = b.id and m.ended_ms is null
           and m.direction = 'Forward' and m.stage = 'Running') as acting
       from batch b order by b.id`,
    )
    const [peer] = await selectRows(sql, 'system_peer')
    return {
      members: subclouds.map(row => ({
        name: String(row['name']),
        region: String(row['region_name']),
        deployStatus: String(row['deploy_status']),
        isManaged: row['management_state'] === 'managed',
        availability: String(row['availability_status']),
        epoch: Number(row['owner_epoch']),
        payload: payloadOf(row['rehome_data']),
        description: String(row['description']),
      })),
      group: group && {
        leader: String(group['system_leader_name']),
        status: group['migration_status'] === null ? undefined : String(group['migration_status']),
      },
      associations: associations.map(row => ({
        syncStatus: String(row['sync_status']),
        message: row['sync_message'] === null ? undefined : String(row['sync_message']),
      })),
      batches: batches.map(row => ({
        operationId: String(row['operation_id']),
        outcome: row['outcome'] === null ? undefined : String(row['outcome']),
        hasPassword: row['sysadmin_password'] !== null,
        open: Number(row['open']),
        acting: Number(row['acting']),
      })),
      alarms: (await selectRows(sql, 'alarm')).map(({ alarm_id: id, entity }) => `${id} ${entity}`),
      peer: peer && String(peer['availability_state']),
    }
  })

function payloadOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'string') return {}
  // Each site has its own gateway.
  const { systemcontroller_gateway_address: _, ...payload } = (
    JSON.parse(json) as { readonly saved_payload: Record<string, unknown> }
  ).saved_payload
  return payload
}
