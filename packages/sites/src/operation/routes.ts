/** `/operations`: batches as operators follow them. */
import { type Row, type Sql, selectRows } from '@godwit/store'
import { z } from 'zod'
import { Refusal } from '../http/refusal.ts'
import type { Route } from '../http/route.ts'
import { type Batch, batchOf, memberOf } from '../rehome/batch-rows.ts'
import { cancelBatch } from '../rehome/new-batch.ts'
import { operationView } from '../rehome/operation-view.ts'

const COLLECTION = 'operations'
/** Of those that have ended. */
const MAX_LISTED = 20

const text = z.string()
const memberSchema = z.object({
  name: text,
  stage: text,
  direction: text,
  waits_for: text.nullable(),
  waits_on: text.nullable(),
  since: text,
  outcome: text.nullable(),
  code: text.nullable(),
  message: text.nullable(),
})
const operationSchema = z.object({
  operation_id: text,
  peer_group_name: text,
  requested_by: text,
  stage: text,
  outcome: text.nullable(),
  waits_for: text.nullable(),
  waits_on: text.nullable(),
  since: text,
  created_at: text,
  ended_at: text.nullable(),
  is_cancelled: z.boolean(),
  progress: z.object({
    total: z.int(),
    complete: z.int(),
    failed: z.int(),
    cancelled: z.int(),
    under_way: z.int(),
    not_begun: z.int(),
    percent: z.int(),
  }),
  eta: text.nullable(),
  subclouds: z.array(memberSchema),
})

export const operationRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: `Lists the operations that run and the last ${MAX_LISTED}, the newest first`,
    answer: z.object({ operations: z.array(operationSchema) }),
    handle: async ({ sql }) => ({ operations: await newest(sql) }),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows how an operation goes on: stages, what is waited for, progress, when it will end',
    answer: operationSchema,
    handle: async ({ sql, ref }) => await shown(sql, await named(sql, ref)),
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref', 'cancel'],
    policy: 'change',
    summary: 'Ends what has not begun and interrupts what runs; what has its new home already is finished',
    answer: operationSchema,
    handle: async ({ sql, ref }) => {
      const batch = await named(sql, ref)
      if (batch.endedMs !== undefined) throw new Refusal(409, 'The operation has ended already')
      await cancelBatch(sql, batch)
      return await shown(sql, await named(sql, ref))
    },
  },
]

async function newest(sql: Sql) {
  const rows = await sql.all(
    `select * from batch where ended_ms is null or id in (select id from batch order by id desc limit ?) order by id desc`,
    [MAX_LISTED],
  )
  const operations = []
  for (const row of rows) operations.push(await shown(sql, batchOf(row)))
  return operations
}

async function named(sql: Sql, ref: string): Promise<Batch> {
  const [row] = await selectRows(sql, 'batch', { operation_id: ref })
  if (!row) throw new Refusal(404, 'Operation not found')
  return batchOf(row)
}

async function shown(sql: Sql, batch: Batch) {
  const members: readonly Row[] = await selectRows(sql, 'batch_member', { batch_id: batch.id })
  return operationView(batch, members.map(memberOf), await sql.nowMs())
}
