/**
 * As far as a batch gets in one transaction: marks the group, begins members as slots allow, leads, ends. It stops where
 * members do the next step, or where the other site is to be told, which is done after the commit.
 */
import { type Decision, decide } from '@godwit/core'
import { type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { groupLedByPeer } from '../alarms/definitions.ts'
import { clearAlarm } from '../alarms/store.ts'
import { updateGroup } from '../peer-group/rows.ts'
import type { SiteIdentity } from '../site.ts'
import { batchOf, cursorColumns, memberOf, notWaiting, waitingColumns } from './batch-rows.ts'
import { type BatchEffect, type BatchFacts, type BatchStage, batchTable } from './batch-table.ts'
import { enterStage } from './cursor.ts'
import type { Note } from './noted.ts'
import { batchOutcome } from './operation-view.ts'
import { type GroupScene, peerHealth } from './scene.ts'
import { readShared, type SharedRows } from './shared-rows.ts'
import { beginMembers, grantSlots, membersToBegin, READY_WITHIN_MS, wakeBeforeHome } from './slots.ts'

export interface BatchScene extends GroupScene, SharedRows {
  /** Members that have not ended. */
  readonly unfinished: number
}

export type BatchWish =
  | { readonly kind: 'report'; readonly scene: BatchScene }
  /** undefined: nothing is left to do. */
  | { readonly kind: 'rest'; readonly afterMs: number | undefined }
  /** Members have been begun; those that come next are named, in order. */
  | {
      readonly kind: 'foresee'
      readonly scene: BatchScene
      readonly next: readonly { readonly id: number; readonly region: string }[]
      readonly afterMs: number
    }

export interface BatchStepContext {
  readonly sql: Sql
  readonly site: SiteIdentity
  /** The other site has been told since the last step. */
  readonly hasReported: boolean
  /** So many of those that come next are of interest. */
  readonly foresees: number
  readonly note: Note
}

type Verdict<Kind> = Extract<Decision<BatchEffect, BatchStage>, { kind: Kind }>

/** For a wake that was lost; and the width of the group may have been changed. */
const LOOK_AGAIN_MS = 10_000
/** Far more than the table has stages and steps. */
const MAX_DECISIONS = 20

export async function stepBatch(id: number, context: BatchStepContext): Promise<BatchWish> {
  const read = await readBatch(context.sql, id)
  if (!read || read.batch.endedMs !== undefined) return DONE
  let scene = context.hasReported ? await write(context, read, { is_reported: 1 }) : read
  if (scene.batch.cancelledMs !== undefined) scene = await cancelMembers(context, scene)
  for (let count = 0; count < MAX_DECISIONS; count++) {
    const verdict = decide(batchTable, scene.batch.cursor, batchFacts(scene, context.site.uuid), scene.nowMs)
    switch (verdict.kind) {
      case 'act':
        scene = await act(context, scene, verdict)
        if (verdict.effects.some(({ kind }) => kind === 'report')) return { kind: 'report', scene }
        break
      case 'advance':
        scene = await advance(context, scene, verdict.to)
        break
      case 'wait':
        return await wait(context, scene, verdict)
      default:
        // Also when the report was not answered in time: the other site finds out by its own audit.
        return await end(context, scene)
    }
  }
  throw new Error(`batch ${id} changes without end`)
}

const DONE: BatchWish = { kind: 'rest', afterMs: undefined }

async function readBatch(sql: Sql, id: number): Promise<BatchScene | undefined> {
  const shared = await readShared(sql, id)
  return shared && { ...shared, unfinished: await countUnfinished(sql, id), nowMs: await sql.nowMs() }
}

async function countUnfinished(sql: Sql, id: number): Promise<number> {
  const [row] = await sql.all('select count(*) as n from batch_member where batch_id = ? and ended_ms is null', [id])
  return Number(row?.['n'] ?? 0)
}

/** Without a group there is nothing to mark and nothing to lead: its rows are as if they were written. */
function batchFacts(scene: BatchScene, siteId: string): BatchFacts {
  const { batch, group, unfinished } = scene
  const isEarly = batch.cursor.stage === 'Opening' || batch.cursor.stage === 'Moving'
  const alone = { leaderId: siteId, migrationStatus: isEarly ? 'migrating' : undefined } as const
  const { leaderId, migrationStatus } = group ?? alone
  return { siteId, leaderId, migrationStatus, unfinished, peer: peerHealth(scene), isReported: batch.isReported }
}

async function write({ sql }: BatchStepContext, scene: BatchScene, columns: Row): Promise<BatchScene> {
  if (Object.keys(columns).length === 0) return scene
  return { ...scene, batch: batchOf(await updateRow(sql, 'batch', scene.batch, columns)) }
}

/** A row of ours is written with the decision; the call to the other site follows it. */
async function act(
  context: BatchStepContext,
  scene: BatchScene,
  { effects, step }: Verdict<'act'>,
): Promise<BatchScene> {
  const { uuid, name } = context.site
  switch (effects[0]?.kind) {
    case 'open':
      return await writeGroup(context, scene, { migration_status: 'migrating' })
    case 'lead': {
      await clearAway(context.sql, scene)
      // Leader and status in one row: nobody sees one without the other.
      const columns = { system_leader_id: uuid, system_leader_name: name, migration_status: 'complete' }
      return await writeGroup(context, scene, columns)
    }
    default: {
      const waiting = waitingColumns(scene.batch, step, 'the other site', scene.nowMs)
      return await write(context, scene, { entered: 1, ...waiting })
    }
  }
}

async function writeGroup(context: BatchStepContext, scene: BatchScene, columns: Row): Promise<BatchScene> {
  const after = await write(context, scene, { entered: 1 })
  return scene.group ? { ...after, group: await updateGroup(context.sql, scene.group, columns) } : after
}

/** The group is led by this site: it is not away any more. */
async function clearAway(sql: Sql, { group, peer }: BatchScene): Promise<void> {
  if (!group || !peer) return
  const peerUuid = String(peer['peer_uuid'])
  await clearAlarm(sql, groupLedByPeer({ group: group.name, peerUuid, peerName: String(peer['peer_name']) }))
}

const advance = (context: BatchStepContext, scene: BatchScene, to: BatchStage): Promise<BatchScene> =>
  write(context, scene, {
    ...cursorColumns(enterStage(batchTable, to, 'Forward', scene.nowMs)),
    ...notWaiting(scene.nowMs),
    ...(scene.batch.startedMs === undefined && { started_ms: scene.nowMs }),
  })

async function wait(
  context: BatchStepContext,
  scene: BatchScene,
  { waitsFor, who }: Verdict<'wait'>,
): Promise<BatchWish> {
  const { batch, nowMs } = scene
  const after = await write(context, scene, waitingColumns(batch, waitsFor, who, nowMs))
  const isMoving = batch.cursor.stage === 'Moving' && batch.cancelledMs === undefined
  return isMoving ? await moveMembers(context, after) : { kind: 'rest', afterMs: LOOK_AGAIN_MS }
}

/** Slots first: whoever is ready goes before whoever gets ready. */
async function moveMembers({ sql, foresees }: BatchStepContext, scene: BatchScene): Promise<BatchWish> {
  const { id } = scene.batch
  const width = scene.group?.maxRehoming ?? 1
  const mayRest = await grantSlots(sql, id, width)
  const { count, hasMore } = await beginMembers(sql, id, width)
  // More members are begun when those that get ready are ready, or more are woken when they rest.
  const afterMs = hasMore || mayRest ? READY_WITHIN_MS : LOOK_AGAIN_MS
  if (count === 0) return { kind: 'rest', afterMs }
  return { kind: 'foresee', scene, next: await membersToBegin(sql, id, foresees), afterMs }
}

/** What has not begun ends; what has begun sees for itself. */
async function cancelMembers({ sql }: BatchStepContext, scene: BatchScene): Promise<BatchScene> {
  const { id } = scene.batch
  await sql.run(
    `update batch_member set ended_ms = ?, outcome = 'cancelled', code = 'Cancelled',
     message = 'the batch was cancelled', version = version + 1
     where batch_id = ? and started_ms is null and ended_ms is null`,
    [scene.nowMs, id],
  )
  await wakeBeforeHome(sql, id)
  return { ...scene, unfinished: await countUnfinished(sql, id) }
}

async function end(context: BatchStepContext, scene: BatchScene): Promise<BatchWish> {
  const { id, operationId, groupName } = scene.batch
  const rows = await selectRows(context.sql, 'batch_member', { batch_id: id })
  const outcome = batchOutcome(scene.batch, rows.map(memberOf))
  const { nowMs } = scene
  await write(context, scene, { ...notWaiting(nowMs), ended_ms: nowMs, outcome, sysadmin_password: null })
  context.note({ operation: operationId, group: groupName, outcome }, 'a batch has ended')
  return DONE
}
