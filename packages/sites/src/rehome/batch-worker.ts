/** The shared rows of a batch: marks the group, begins members as slots allow, leads, reports, ends. */
import { type Decision, decide, Retryable } from '@godwit/core'
import { type Again, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { groupLedByPeer } from '../alarms/definitions.ts'
import { clearAlarm } from '../alarms/store.ts'
import { updateGroup } from '../peer-group/rows.ts'
import type { AuditRequests } from './audit-requests.ts'
import { cursorColumns, memberOf, notWaiting, waitingColumns } from './batch-rows.ts'
import { type BatchEffect, type BatchFacts, type BatchStage, batchTable } from './batch-table.ts'
import { enterStage } from './cursor.ts'
import type { Foresight } from './foresight.ts'
import { askForAudit } from './member-effects.ts'
import { batchOutcome } from './operation-view.ts'
import type { RehomePorts } from './ports.ts'
import { type GroupScene, lookAtPeer, peerHealth } from './scene.ts'
import { readShared, type SharedRows } from './shared-rows.ts'
import { beginMembers, grantSlots, membersToBegin, READY_WITHIN_MS, wakeBeforeHome } from './slots.ts'

const REPORT_AGAIN_MS = 5_000
/** For a wake that was lost; and the width of the group may have been changed. */
const LOOK_AGAIN_MS = 10_000
const MAX_STEPS = 20
/** Members that the other site is asked about at the same time before they begin. */
const FORESEEN_AT_ONCE = 32

interface BatchScene extends GroupScene, SharedRows {
  readonly unfinished: number
}
interface Moved {
  /** More members are begun when those that get ready are ready, or more are woken when they rest. */
  readonly hasMore: boolean
  /** Those that come next, when some have been begun now. */
  readonly next: readonly { readonly id: number; readonly region: string }[]
}
type MovedScene = BatchScene & Moved

type Next = 'look' | number | undefined
type Verdict = Decision<BatchEffect, BatchStage>

export class BatchWorker {
  readonly #ports: RehomePorts
  readonly #audits: AuditRequests
  readonly #foresight: Foresight

  constructor(ports: RehomePorts, audits: AuditRequests, foresight: Foresight) {
    this.#ports = ports
    this.#audits = audits
    this.#foresight = foresight
  }

  async perform(id: number, signal: AbortSignal): Promise<Again> {
    for (let step = 0; step < MAX_STEPS; step++) {
      if (signal.aborted) return 0
      const next = await this.#step(id)
      if (next !== 'look') return next
    }
    throw new Retryable(`batch ${id} changes without end`)
  }

  async #step(id: number): Promise<Next> {
    const scene = await this.#ports.site.database.transaction(async sql => {
      const read = await readBatch(sql, id)
      return read && { ...read, ...(isMoving(read) ? await moveMembers(sql, read) : STILL) }
    })
    if (!scene || scene.batch.endedMs !== undefined) return undefined
    this.#foresee(scene)
    if (scene.batch.cancelledMs !== undefined) await this.#cancelMembers(scene)
    const { site } = this.#ports
    const verdict = decide(batchTable, scene.batch.cursor, batchFacts(scene, site.identity.uuid), scene.nowMs)
    switch (verdict.kind) {
      case 'act':
        return await this.#act(scene, verdict)
      case 'wait':
        return await this.#wait(scene, verdict)
      case 'advance':
        await this.#write(scene, {
          ...cursorColumns(enterStage(batchTable, verdict.to, 'Forward', scene.nowMs)),
          ...notWaiting(scene.nowMs),
          ...(scene.batch.startedMs === undefined && { started_ms: scene.nowMs }),
        })
        return 'look'
      default:
        // Also when the report was not answered in time: the other site finds out by its own audit.
        return await this.#end(scene)
    }
  }

  /** Whoever needs it sooner than it comes asks for himself. */
  #foresee({ peer, next, ...scene }: MovedScene): void {
    if (!peer || peerHealth({ peer, ...scene }) !== 'available') return
    const { peerSite, site } = this.#ports
    const askedMs = site.clock.now()
    const unknown = next.filter(({ id }) => !this.#foresight.knows(id)).slice(0, FORESEEN_AT_ONCE)
    for (const { id, region } of unknown)
      void lookAtPeer(peerSite(peer), region).then(remote => this.#foresight.note(id, remote, askedMs))
  }

  async #act(scene: BatchScene, { effects, step }: Extract<Verdict, { kind: 'act' }>): Promise<Next> {
    const [effect] = effects
    if (effect?.kind === 'open') return await this.#writeGroup(scene, { migration_status: 'migrating' })
    if (effect?.kind === 'lead') {
      const { uuid, name } = this.#ports.site.identity
      // Leader and status in one row: nobody sees one without the other.
      const columns = { system_leader_id: uuid, system_leader_name: name, migration_status: 'complete' }
      return await this.#writeGroup(scene, columns, sql => clearAway(sql, scene))
    }
    await this.#write(scene, { entered: 1, ...waitingColumns(scene.batch, step, 'the other site', scene.nowMs) })
    try {
      await askForAudit(this.#ports, this.#audits, scene)
    } catch (error) {
      this.#ports.site.logger.debug({ batch: scene.batch.id, error: String(error) }, 'the report is tried again')
      const leftMs = (scene.batch.cursor.deadlineMs ?? Number.POSITIVE_INFINITY) - scene.nowMs
      return Math.max(0, Math.min(REPORT_AGAIN_MS, leftMs))
    }
    await this.#rewrite(scene.batch.id, { is_reported: 1 })
    return 'look'
  }

  async #wait(scene: MovedScene, { waitsFor, who }: Extract<Verdict, { kind: 'wait' }>): Promise<Next> {
    const columns = waitingColumns(scene.batch, waitsFor, who, scene.nowMs)
    if (Object.keys(columns).length > 0) await this.#write(scene, columns)
    return scene.hasMore ? READY_WITHIN_MS : LOOK_AGAIN_MS
  }

  /** What has not begun ends; what has begun sees for itself. */
  async #cancelMembers({ batch }: BatchScene): Promise<void> {
    await this.#ports.site.database.transaction(async sql => {
      const nowMs = await sql.nowMs()
      await sql.run(
        `update batch_member set ended_ms = ?, outcome = 'cancelled', code = 'Cancelled',
         message = 'the batch was cancelled', version = version + 1
         where batch_id = ? and started_ms is null and ended_ms is null`,
        [nowMs, batch.id],
      )
      await wakeBeforeHome(sql, batch.id)
    })
  }

  async #end(scene: BatchScene): Promise<Next> {
    const { site } = this.#ports
    const outcome = await site.database.transaction(async sql => {
      const rows = await selectRows(sql, 'batch_member', { batch_id: scene.batch.id })
      const result = batchOutcome(scene.batch, rows.map(memberOf))
      await updateRow(sql, 'batch', scene.batch, {
        ...notWaiting(scene.nowMs),
        ended_ms: await sql.nowMs(),
        outcome: result,
        sysadmin_password: null,
      })
      return result
    })
    site.logger.info({ operation: scene.batch.operationId, group: scene.batch.groupName, outcome }, 'a batch has ended')
    return undefined
  }

  async #writeGroup(scene: BatchScene, columns: Row, also?: (sql: Sql) => Promise<unknown>): Promise<Next> {
    const { group } = scene
    await this.#write(scene, { entered: 1 }, async sql => {
      if (group) await updateGroup(sql, group, columns)
      await also?.(sql)
    })
    return 'look'
  }

  async #write({ batch }: BatchScene, columns: Row, also?: (sql: Sql) => Promise<unknown>): Promise<void> {
    await this.#ports.site.database.transaction(async sql => {
      await updateRow(sql, 'batch', batch, columns)
      await also?.(sql)
    })
  }

  /** After a call: a cancel may have come meanwhile. */
  async #rewrite(id: number, columns: Row): Promise<void> {
    await this.#ports.site.database.transaction(async sql => {
      const current = await readBatch(sql, id)
      if (current) await updateRow(sql, 'batch', current.batch, columns)
    })
  }
}

const isMoving = ({ batch, unfinished }: BatchScene) =>
  batch.cursor.stage === 'Moving' && batch.cancelledMs === undefined && batch.endedMs === undefined && unfinished > 0

const STILL: Moved = { hasMore: false, next: [] }

/** Slots first: whoever is ready goes before whoever gets ready. */
async function moveMembers(sql: Sql, { batch, group }: BatchScene): Promise<Moved> {
  const width = group?.maxRehoming ?? 1
  const mayRest = await grantSlots(sql, batch.id, width)
  const { count, hasMore } = await beginMembers(sql, batch.id, width)
  return {
    hasMore: hasMore || mayRest,
    next: count > 0 ? await membersToBegin(sql, batch.id, 2 * FORESEEN_AT_ONCE) : [],
  }
}

/** The group is led by this site: it is not away any more. */
async function clearAway(sql: Sql, { group, peer }: BatchScene): Promise<void> {
  if (!group || !peer) return
  const peerUuid = String(peer['peer_uuid'])
  await clearAlarm(sql, groupLedByPeer({ group: group.name, peerUuid, peerName: String(peer['peer_name']) }))
}

async function readBatch(sql: Sql, id: number): Promise<BatchScene | undefined> {
  const shared = await readShared(sql, id)
  if (!shared) return undefined
  const [open] = await sql.all('select count(*) as n from batch_member where batch_id = ? and ended_ms is null', [id])
  return { ...shared, unfinished: Number(open?.['n'] ?? 0), nowMs: await sql.nowMs() }
}

/** Without a group there is nothing to mark and nothing to lead: its rows are as if they were written. */
function batchFacts(scene: BatchScene, siteId: string): BatchFacts {
  const { batch, group, unfinished } = scene
  const isEarly = batch.cursor.stage === 'Opening' || batch.cursor.stage === 'Moving'
  const alone = { leaderId: siteId, migrationStatus: isEarly ? 'migrating' : undefined } as const
  const { leaderId, migrationStatus } = group ?? alone
  return { siteId, leaderId, migrationStatus, unfinished, peer: peerHealth(scene), isReported: batch.isReported }
}
