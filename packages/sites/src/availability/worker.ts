/**
 * Asks subclouds whether they are online, writes what changed, raises and clears the alarm of an outage, and tells
 * whoever waits for a subcloud to come online. One that came too late for its batch is managed still (H4).
 */
import { type Again, type Row, type Sql, Worker, wakeWork } from '@godwit/store'
import { subcloudOffline } from '../alarms/definitions.ts'
import { clearAlarm, raiseAlarm } from '../alarms/store.ts'
import { isAudited } from '../model/states.ts'
import { type BatchMember, memberOf } from '../rehome/batch-rows.ts'
import { adoptLate, givenUp, isLate } from '../rehome/late.ts'
import type { RehomePorts } from '../rehome/ports.ts'
import { AUDIT_MS, AUDIT_SOON_MS, QUEUES } from '../site.ts'
import { type Subcloud, subcloudById, updateSubcloud } from '../subcloud/rows.ts'
import { type Availability, isAlarming, nextAvailability, unseen } from './availability.ts'
import type { Presence } from './probe.ts'

export interface AvailabilityOptions extends RehomePorts {
  /** Unique for each life of the process. */
  readonly holder: string
  /** Between two looks at a subcloud; 40 seconds unless told. */
  readonly auditMs?: number
  /** Between two looks at one that somebody waits for; 2 seconds unless told. */
  readonly adoptionMs?: number
  readonly leaseMs?: number
  readonly pollMs?: number
}

const ADOPTION_MS = 2_000
/** An answer that a rehome has had is as good as one that is asked for, while it is younger. */
const HEARD_MS = 2 * AUDIT_SOON_MS
const SUBCLOUDS_AT_ONCE = 150

/** To be started and stopped by the caller. */
export function availabilityWorker(options: AvailabilityOptions): Worker {
  const { site, holder, leaseMs, pollMs } = options
  const audit = new AvailabilityAudit(options)
  return new Worker({
    database: site.database,
    clock: site.clock,
    logger: site.logger,
    queue: QUEUES.availability,
    holder,
    concurrency: SUBCLOUDS_AT_ONCE,
    ...(leaseMs !== undefined && { leaseMs }),
    ...(pollMs !== undefined && { pollMs }),
    perform: ({ key }, signal) => audit.perform(Number(key), signal),
  })
}

/** When a site starts: whatever was to be looked at is looked at, whoever forgot to say so. */
export async function wakeAllSubclouds(sql: Sql): Promise<void> {
  for (const { id } of await sql.all('select id from subcloud')) await wakeWork(sql, QUEUES.availability, String(id))
}

interface Look {
  readonly subcloud: Subcloud
  /** The last one that it was a member of. */
  readonly member: BatchMember | undefined
  readonly isAdopted: boolean
  readonly isLate: boolean
  readonly nowMs: number
}

export class AvailabilityAudit {
  readonly #options: AvailabilityOptions

  constructor(options: AvailabilityOptions) {
    this.#options = options
  }

  async perform(id: number, signal: AbortSignal): Promise<Again> {
    const { site, probe, auditMs = AUDIT_MS, adoptionMs = ADOPTION_MS } = this.#options
    const look = await site.database.transaction(sql => readLook(sql, id))
    if (!look) return undefined
    if (!isLookedAt(look)) {
      await this.#write(id, () => unseen)
      return undefined
    }
    const { name, region, managementStart: address } = look.subcloud
    const presence = wasHeard(look, Math.min(HEARD_MS, auditMs))
      ? 'online'
      : await probe.presence({ name, region, address }, signal)
    if (signal.aborted) return 0
    const after = await this.#write(id, current => nextAvailability(current, presence), presence)
    if (after?.isLate && presence === 'online') await adoptLate(this.#options, id)
    return after?.isAdopted ? adoptionMs : auditMs
  }

  /** In one transaction with what follows from it. @returns what was looked at; undefined when it is not any more */
  async #write(
    id: number,
    next: (current: Availability) => Availability,
    presence?: Presence,
  ): Promise<Look | undefined> {
    return await this.#options.site.database.transaction(async sql => {
      const look = await readLook(sql, id)
      // Handed over while it was asked: the answer is of a time that is over.
      if (!look || isLookedAt(look) !== (presence !== undefined)) return undefined
      const { subcloud } = look
      const after = next(subcloud)
      const answers = presence === 'online' && (look.isAdopted || look.isLate)
      const columns = {
        ...changed(subcloud, after),
        ...(answers && { answered_ms: await sql.nowMs() }),
        ...(look.isLate && presence !== 'online' && givenUp(subcloud)),
      }
      if (Object.keys(columns).length > 0) await updateSubcloud(sql, subcloud, columns)
      await this.#follow(sql, subcloud, after)
      if (answers && look.isAdopted && look.member) await wakeWork(sql, QUEUES.member, String(look.member.id))
      return look
    })
  }

  async #follow(sql: Sql, subcloud: Subcloud, after: Availability): Promise<void> {
    const { id, name, deployStatus, managementState, availability } = subcloud
    if (isAlarming(deployStatus, after)) await raiseAlarm(sql, subcloudOffline(name))
    else await clearAlarm(sql, subcloudOffline(name))
    const status = managementState === 'managed' && after.availability === 'online' ? 'in-sync' : 'unknown'
    await sql.run('update subcloud_status set sync_status = ? where subcloud_id = ? and sync_status <> ?', [
      status,
      id,
      status,
    ])
    if (after.availability !== availability)
      this.#options.site.logger.info({ subcloud: name, availability: after.availability }, 'a subcloud has changed')
  }
}

const isLookedAt = ({ subcloud, isAdopted, isLate: late }: Look) =>
  isAdopted || late || isAudited(subcloud.deployStatus, subcloud.availability)

async function readLook(sql: Sql, id: number): Promise<Look | undefined> {
  const subcloud = await subcloudById(sql, id)
  if (!subcloud) return undefined
  const [row] = await sql.all('select * from batch_member where subcloud_id = ? order by id desc limit 1', [id])
  const member = row && memberOf(row)
  const isAdopted = member?.endedMs === undefined && member?.cursor.stage === 'Adopting'
  return { subcloud, member, isAdopted, isLate: isLate(subcloud, member), nowMs: await sql.nowMs() }
}

function wasHeard({ subcloud: { answeredMs, deployStatus }, isLate: late, nowMs }: Look, withinMs: number): boolean {
  if (answeredMs === undefined || late || deployStatus !== 'complete') return false
  return answeredMs <= nowMs && nowMs < answeredMs + withinMs
}

const changed = (before: Availability, after: Availability): Row => ({
  ...(before.availability !== after.availability && { availability_status: after.availability }),
  ...(before.auditFailCount !== after.auditFailCount && { audit_fail_count: after.auditFailCount }),
})
