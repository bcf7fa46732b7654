/**
 * How many members of a batch act at once. Several workers, of several replicas, ask at the same time: whoever begins
 * members, or takes a slot, has locked the row of the batch before.
 */
import { isAtRest, isHeld, type Row, type Sql, wakeWork } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { HOLDS_SLOT, type RehomeStage, rehomeTable } from './table.ts'

/** Stages in which a member gets ready for its slot. */
const GETS_READY: readonly RehomeStage[] = ['Claiming', 'Releasing', 'Preparing']
/**
 * More of them at the same time get ready hardly sooner: each waits longer for its turn, and is without an owner. While
 * all slots are taken it is a part of it, as many have to get ready still: whoever has a slot goes first.
 */
export const READY_AT_ONCE = 8
/** More than ever queue. */
const MAX_QUEUE = 10_000
/** Whoever needs longer is held up by somebody, and holds up nobody. */
export const READY_WITHIN_MS = 1_000

/** Stages before the home has changed. */
const BEFORE_HOME: readonly RehomeStage[] = ['Claiming', 'Releasing', 'Preparing', 'Queueing', 'Running']
const marks = BEFORE_HOME.map(() => '?').join(', ')
const OPEN = 'ended_ms is null and started_ms is not null'

interface Begun {
  readonly count: number
  readonly hasMore: boolean
}

/** Held until the transaction ends. */
const lockBatch = (sql: Sql, batchId: number) =>
  sql.run('update batch set is_reported = is_reported where id = ?', [batchId])

/**
 * Begins members, as many as are needed to have one ready for each slot that becomes free, a few at a time: a subcloud
 * that is not begun stays managed where it is.
 * @returns how many, and whether there may be more to begin when those that get ready now are ready, or are held up
 */
export async function beginMembers(sql: Sql, batchId: number, width: number): Promise<Begun> {
  await lockBatch(sql, batchId)
  const wanted = 2 * width - (await countIn(sql, batchId, BEFORE_HOME))
  if (wanted <= 0) return { count: 0, hasMore: false }
  const atOnce =
    (await countIn(sql, batchId, HOLDS_SLOT)) < width ? READY_AT_ONCE : Math.ceil((READY_AT_ONCE * wanted) / width)
  const free = Math.min(wanted, atOnce - (await countGettingReady(sql, batchId)))
  if (free <= 0) return { count: 0, hasMore: true }
  const rows = await sql.all(
    'select id from batch_member where batch_id = ? and ended_ms is null and started_ms is null order by id limit ?',
    [batchId, free],
  )
  const nowMs = await sql.nowMs()
  const deadlineMs = nowMs + (rehomeTable.stages[0]?.deadlineMs ?? 0)
  for (const { id } of rows) {
    await sql.run(
      'update batch_member set started_ms = ?, since_ms = ?, deadline_ms = ?, version = version + 1 where id = ?',
      [nowMs, nowMs, deadlineMs, Number(id)],
    )
    await wakeWork(sql, QUEUES.member, String(id))
  }
  return { count: rows.length, hasMore: rows.length === free && free < wanted }
}

/** Members that `beginMembers` begins next, in order. */
export async function membersToBegin(sql: Sql, batchId: number, limit: number) {
  const rows = await sql.all(
    `select member.id, subcloud.region_name from batch_member member join subcloud on subcloud.id = member.subcloud_id
     where member.batch_id = ? and member.ended_ms is null and member.started_ms is null order by member.id limit ?`,
    [batchId, limit],
  )
  return rows.map(row => ({ id: Number(row['id']), region: String(row['region_name']) }))
}

/** In the transaction that writes the stage that holds the slot. @returns false: all are taken */
export async function takeSlot(sql: Sql, batchId: number, width: number): Promise<boolean> {
  await lockBatch(sql, batchId)
  return (await countIn(sql, batchId, HOLDS_SLOT)) < width
}

/**
 * Wakes members that queue, as many as there are slots that nobody was woken for; each takes its own. Without a lock:
 * nobody is harmed by a member that finds none.
 * @returns whether somebody who works on a member may rest it without having seen a slot that is free: to be asked again
 */
export async function grantSlots(sql: Sql, batchId: number, width: number): Promise<boolean> {
  const free = width - (await countIn(sql, batchId, HOLDS_SLOT))
  if (free <= 0) return false
  const resting = await restingMembers(sql, batchId, MAX_QUEUE)
  const busy = (await countIn(sql, batchId, ['Queueing'])) - resting.length
  for (const id of resting.slice(0, Math.max(0, free - busy))) await wakeWork(sql, QUEUES.member, id)
  return busy > 0
}

/** By whoever leaves his slot: it is taken as soon as that is written. @returns id of the member that was at rest, and takes it */
export async function passSlot(sql: Sql, batchId: number): Promise<number | undefined> {
  const [next] = await restingMembers(sql, batchId, 1)
  // Whoever has looked already, and is about to rest, looks once more.
  for (const id of next === undefined ? await heldMembers(sql, batchId) : [next]) await wakeWork(sql, QUEUES.member, id)
  return next === undefined ? undefined : Number(next)
}

const KEY = 'cast(batch_member.id as text)'
const QUEUEING = `select id from batch_member where batch_id = ? and ${OPEN} and direction = 'Forward' and stage = 'Queueing'`

/** Of those that queue: whom nobody has woken yet. */
const restingMembers = async (sql: Sql, batchId: number, limit: number): Promise<readonly string[]> =>
  idsOf(
    await sql.all(`${QUEUEING} and ${isAtRest(KEY)} order by id limit ?`, [
      batchId,
      QUEUES.member,
      await sql.nowMs(),
      limit,
    ]),
  )

const heldMembers = async (sql: Sql, batchId: number): Promise<readonly string[]> =>
  idsOf(await sql.all(`${QUEUEING} and ${isHeld(KEY)}`, [batchId, QUEUES.member]))

const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => String(id))

/** Those that a cancel concerns: what has its new home is finished. */
export async function wakeBeforeHome(sql: Sql, batchId: number): Promise<void> {
  const rows = await sql.all(
    `select id from batch_member where batch_id = ? and ${OPEN} and direction = 'Forward' and stage in (${marks})`,
    [batchId, ...BEFORE_HOME],
  )
  for (const { id } of rows) await wakeWork(sql, QUEUES.member, String(id))
}

async function countIn(sql: Sql, batchId: number, stages: readonly RehomeStage[]): Promise<number> {
  const [row] = await sql.all(
    `select count(*) as n from batch_member where batch_id = ? and ${OPEN} and direction = 'Forward'
     and stage in (${stages.map(() => '?').join(', ')})`,
    [batchId, ...stages],
  )
  return Number(row?.['n'] ?? 0)
}

/** A clock that was set back holds nobody up either: what is begun later than now does not count. */
async function countGettingReady(sql: Sql, batchId: number): Promise<number> {
  const nowMs = await sql.nowMs()
  const [row] = await sql.all(
    `select count(*) as n from batch_member where batch_id = ? and ${OPEN} and direction = 'Forward'
     and stage in (${GETS_READY.map(() => '?').join(', ')}) and started_ms > ? and started_ms <= ?`,
    [batchId, ...GETS_READY, nowMs - READY_WITHIN_MS, nowMs],
  )
  return Number(row?.['n'] ?? 0)
}
