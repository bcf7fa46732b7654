/** `PATCH /subcloud-peer-groups/{ref}/migrate`: who is picked, and what stands in the way of whom. */
import type { Sql } from '@godwit/store'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Call, Transact } from '../http/route.ts'
import { decodedPassword } from '../http/secret-field.ts'
import { newUuid } from '../model/new-id.ts'
import { isInTransition, mayMigrate } from '../model/states.ts'
import { beginBatch, runningBatch } from '../rehome/new-batch.ts'
import { bootstrapData } from '../rehome/values.ts'
import { membersOf, type Subcloud } from '../subcloud/rows.ts'
import { shownList } from '../subcloud/shown.ts'
import { migrateSchema } from './fields.ts'
import { namedGroup } from './named-group.ts'
import { type PeerGroup, updateGroup } from './rows.ts'

export async function migrateGroup(ports: ApiPorts, asked: Asked, transact: Transact): Promise<unknown> {
  const { list, operationId } = await transact(sql => begun(ports, { ...asked, sql }))
  return { subclouds: await list(), operation_id: operationId }
}

async function begun({ site }: ApiPorts, { sql, ref, body, caller }: Call) {
  const group = await namedGroup(sql, ref)
  const { sysadmin_password: given } = checkedFields(migrateSchema, body)
  const password = decodedPassword('sysadmin_password', given)
  await refuseSecondBatch(sql, group)
  const members = await membersOf(sql, group.id)
  const problems = members.flatMap(problemsOf)
  if (problems.length > 0) throw new Refusal(500, `Cannot migrate the group: ${problems.join('; ')}`)
  const picked = members.filter(({ deployStatus }) => mayMigrate(deployStatus))
  if (picked.length === 0) throw new Refusal(400, `No subcloud of the group ${group.name} can be migrated`)
  const batch = await beginBatch(sql, {
    operationId: newUuid(site.random),
    group,
    subclouds: picked,
    requestedBy: caller.user,
    sysadminPassword: password,
  })
  // Of two at the same time the second one meets a changed group, and looks again.
  await updateGroup(sql, group, {})
  return { list: await shownList(sql, picked, caller), operationId: batch.operationId }
}

/** @throws Refusal 409 (H3) */
export async function refuseSecondBatch(sql: Sql, group: PeerGroup): Promise<void> {
  const running = await runningBatch(sql, group.id)
  if (running)
    throw new Refusal(409, `The group ${group.name} is being migrated already: operation ${running.operationId}`)
}

function problemsOf({ name, deployStatus, savedPayload }: Subcloud): string[] {
  if (savedPayload === undefined) return [`subcloud ${name} has no rehome_data`]
  const data = bootstrapData(savedPayload)
  if (data.kind === 'incomplete') return [`subcloud ${name} has no ${data.missing.join(' and no ')}`]
  return isInTransition(deployStatus) ? [`subcloud ${name} is ${deployStatus}`] : []
}
