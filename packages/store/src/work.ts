/**
 * Who works on what: keys of a queue, each leased to one worker for a while. The lease carries an epoch that grows with
 * each change of hands, so that a worker that slept through its lease can be refused. Entries are keys, never payloads.
 */
import { Retryable } from '@godwit/core'
import type { Row, Sql } from './database.ts'
import type { SchemaStep } from './schema.ts'

export interface Lease {
  readonly queue: string
  readonly key: string
  readonly holder: string
  readonly epoch: number
  /** How often the key had been woken when it was taken: a later wake is not swallowed by `finishWork`. */
  readonly wakes: number
  readonly untilMs: number
}

export interface Taking {
  readonly queue: string
  /** Unique for each worker and each of its lives. */
  readonly holder: string
  readonly leaseMs: number
  readonly limit: number
}

/** Somebody else has taken the key since: whatever its former holder still does has no effect here. */
export class LeaseLost extends Retryable {}

/** When a key can be taken: it is due, and nobody has it. The index is of this very expression. */
const READY = '(case when due_ms > until_ms then due_ms else until_ms end)'

/**
 * To be put among the steps of a schema that uses these functions. `noted_ms` is when `due_ms` was written, `renewed_ms`
 * when `until_ms` was: once the clock was set back, nothing else tells how long was meant.
 */
export const workSchema: SchemaStep = {
  name: 'work',
  statements: [
    `create table work (
      queue text not null, item text not null, due_ms bigint not null, wakes bigint not null,
      noted_ms bigint not null, holder text, epoch bigint not null, until_ms bigint not null, renewed_ms bigint not null,
      is_open integer not null, primary key (queue, item))`,
    // One for each question below: none of them looks at a whole queue.
    'create index work_due on work (queue, is_open, due_ms, until_ms)',
    'create index work_until on work (queue, is_open, until_ms, due_ms)',
    'create index work_noted on work (queue, is_open, noted_ms)',
    'create index work_renewed on work (queue, is_open, renewed_ms)',
  ],
}

/** After `workSchema`: one index answers what two of them did. */
export const workReadySchema: SchemaStep = {
  name: 'work-ready',
  statements: [
    'drop index work_due',
    'drop index work_until',
    `create index work_ready on work (queue, is_open, ${READY})`,
  ],
}

/** Makes the key due `afterMs` from now at the latest; also while somebody works on it: it is then taken once more. */
export async function wakeWork(sql: Sql, queue: string, key: string, afterMs = 0): Promise<void> {
  const nowMs = await sql.nowMs()
  const isDueSooner = 'work.is_open = 1 and work.due_ms < excluded.due_ms'
  await sql.run(
    `insert into work (queue, item, due_ms, noted_ms, wakes, holder, epoch, until_ms, renewed_ms, is_open)
     values (?, ?, ?, ?, 1, null, 0, 0, 0, 1)
     on conflict (queue, item) do update set wakes = work.wakes + 1, is_open = 1,
       due_ms = case when ${isDueSooner} then work.due_ms else excluded.due_ms end,
       noted_ms = case when ${isDueSooner} then work.noted_ms else excluded.noted_ms end`,
    [queue, key, nowMs + afterMs, nowMs],
  )
  sql.woke?.(queue)
}

/**
 * Condition on rows that have a key: it is open, and neither due nor in anybody's hands. Its values: the queue, the time.
 * @param item the key, as an expression over the row
 */
export const isAtRest = (item: string): string =>
  `exists (select 1 from work where work.queue = ? and work.item = ${item} and work.is_open = 1
   and work.holder is null and work.due_ms > ?)`

/** As `isAtRest`: somebody has it, and may have looked already. Its value: the queue. */
export const isHeld = (item: string): string =>
  `exists (select 1 from work where work.queue = ? and work.item = ${item} and work.is_open = 1
   and work.holder is not null)`

/**
 * When the first key can be taken; undefined: nothing is open. After `takeWork` in one transaction: that is what learns
 * that the clock was set back.
 */
export async function nextDueMs(sql: Sql, queue: string): Promise<number | undefined> {
  const [first] = await sql.all(
    `select ${READY} as ready from work where queue = ? and is_open = 1 order by ${READY} limit 1`,
    [queue],
  )
  return first && Number(first['ready'])
}

/**
 * Keys that can be taken, the longest so first. However far the clock is set back, a rest or the lease
 * of a dead holder lasts at most twice its length. To be called before anything else asks for the time in its transaction.
 */
export async function takeWork(sql: Sql, { queue, holder, leaseMs, limit }: Taking): Promise<readonly Lease[]> {
  const nowMs = await timeForQueue(sql, queue)
  const untilMs = nowMs + leaseMs
  const rows = await sql.all(
    `select item, epoch, wakes from work where queue = ? and is_open = 1 and ${READY} <= ?
     order by ${READY}, item limit ? ${sql.claiming}`,
    [queue, nowMs, limit],
  )
  const leases = rows.map(row => leaseOf(row, { queue, holder, untilMs }))
  for (const { key, epoch } of leases)
    await sql.run('update work set holder = ?, epoch = ?, until_ms = ?, renewed_ms = ? where queue = ? and item = ?', [
      holder,
      epoch,
      untilMs,
      nowMs,
      queue,
      key,
    ])
  return leases
}

/**
 * What was noted at a time that is still to come was noted before the clock was set back: it begins anew, at its full
 * length. A lease is not ended by that: its holder may be alive, and has as long as ever to renew it.
 * @returns the time now
 */
async function timeForQueue(sql: Sql, queue: string): Promise<number> {
  // Before the time is read: what another transaction notes meanwhile is later without any clock having been set back.
  const lasts = []
  for (const column of ['noted_ms', 'renewed_ms']) {
    const latest = `select max(${column}) as last from work where queue = ? and is_open = 1`
    lasts.push(Number((await sql.all(latest, [queue]))[0]?.['last'] ?? 0))
  }
  const nowMs = await sql.nowMs()
  if (Math.max(...lasts) <= nowMs) return nowMs
  for (const [end, begin] of [
    ['due_ms', 'noted_ms'],
    ['until_ms', 'renewed_ms'],
  ] as const)
    await sql.run(
      `update work set ${end} = ${end} - ${begin} + ?, ${begin} = ? where queue = ? and item in
         (select item from work where queue = ? and is_open = 1 and ${begin} > ? ${sql.claiming})`,
      [nowMs, nowMs, queue, queue, nowMs],
    )
  return nowMs
}

const leaseOf = (row: Row, rest: Pick<Lease, 'queue' | 'holder' | 'untilMs'>): Lease => ({
  ...rest,
  key: String(row['item']),
  epoch: Number(row['epoch']) + 1,
  wakes: Number(row['wakes']),
})

/** @returns the lease with its new end @throws LeaseLost */
export async function renewWork(sql: Sql, lease: Lease, leaseMs: number): Promise<Lease> {
  const nowMs = await sql.nowMs()
  const untilMs = nowMs + leaseMs
  await held(sql, lease, 'until_ms = ?, renewed_ms = ?', [untilMs, nowMs])
  return { ...lease, untilMs }
}

/**
 * Gives the key back, due again after `againAfterMs`, or done when that is left out; done with a wake that came
 * meanwhile is due at once. Call it in the transaction that writes the result: it is the fence of a deposed worker.
 * @throws LeaseLost
 */
export async function finishWork(sql: Sql, lease: Lease, againAfterMs?: number): Promise<void> {
  const nowMs = await sql.nowMs()
  const isOpen = againAfterMs === undefined ? 0 : 1
  await held(
    sql,
    lease,
    `holder = null, until_ms = 0, renewed_ms = 0, is_open = case when wakes = ? then ${isOpen} else 1 end,
     due_ms = case when wakes = ? then ? else due_ms end, noted_ms = case when wakes = ? then ? else noted_ms end`,
    [lease.wakes, lease.wakes, nowMs + (againAfterMs ?? 0), lease.wakes, nowMs],
  )
}

/** The epoch is unique to one taking: whoever has it still, has not been replaced, even when the time is over. */
async function held(sql: Sql, lease: Lease, changes: string, values: readonly number[]): Promise<void> {
  const { queue, key, holder, epoch } = lease
  const text = `update work set ${changes} where queue = ? and item = ? and holder = ? and epoch = ?`
  const count = await sql.run(text, [...values, queue, key, holder, epoch])
  if (count === 0) throw new LeaseLost(`${queue} ${key} is no longer held by ${holder} (epoch ${epoch})`)
}
