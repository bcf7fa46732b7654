/**
 * What becomes of the groups of a peer that is lost, as its policy says: suspected by the monitor, confirmed on a second
 * path, held down, limited, then begun; or proposed to a person. What is begun once in an outage is not begun again.
 */
import { type Again, type Row, type Sql, selectRows, Worker } from '@godwit/store'
import { QUEUES, type Site } from '../site.ts'
import { integer, text } from '../state/column.ts'
import { beginBatches, type LostGroup, lostGroups } from './begin.ts'
import { decideFailover, type FailoverDecision, type FailoverPolicy, type SecondView } from './decide.ts'
import { type Failover, failoverOfPeer, forgetFailover, writeFailover } from './rows.ts'
import { type SecondPath, secondView } from './second-path.ts'

export interface FailoverPorts {
  readonly site: Site
  /** Ways to see a peer that are not the link between the sites. @param peer a row of `system_peer` */
  readonly secondPaths?: (peer: Row) => readonly SecondPath[]
  /** Of the subclouds, in clear; without it nothing is begun without a person. */
  readonly sysadminPassword?: string
  /** How long a loss has to be confirmed without a break; 5 minutes unless told. */
  readonly holdDownMs?: number
  /** That may be taken over without a person; 1 group and 100 subclouds unless told. */
  readonly most?: { readonly groups: number; readonly subclouds: number }
}

const HOLD_DOWN_MS = 5 * 60_000
const MOST = { groups: 1, subclouds: 100 }
const LOOK_AGAIN_MS = 15_000
/** Nobody looked for so long: what was between is not known. */
const LOOKS_APART_MS = 3 * LOOK_AGAIN_MS
const POLICIES: Readonly<Record<string, FailoverPolicy>> = { propose: 'propose', rehome: 'rehome' }

export class FailoverWorker {
  readonly #ports: FailoverPorts

  constructor(ports: FailoverPorts) {
    this.#ports = ports
  }

  async perform(peerId: number): Promise<Again> {
    const { database } = this.#ports.site
    const peer = await database.transaction(sql => peerRow(sql, peerId))
    const isOpen = peer && text(peer, 'availability_state') === 'unavailable' && policyOf(peer) !== 'alarm'
    const view = isOpen ? await secondView(this.#ports.secondPaths?.(peer) ?? []) : 'unknown'
    return await database.transaction(sql => this.#conclude(sql, peerId, view))
  }

  async #conclude(sql: Sql, peerId: number, view: SecondView): Promise<Again> {
    const peer = await peerRow(sql, peerId)
    const before = await failoverOfPeer(sql, peerId)
    if (!peer) return void (await forgetFailover(sql, before))
    const nowMs = await sql.nowMs()
    const lost = await lostGroups(sql, peerId, text(peer, 'peer_uuid'))
    const lostSinceMs = view === 'lost' ? lostSince(before, nowMs) : undefined
    const { holdDownMs = HOLD_DOWN_MS, most = MOST, sysadminPassword } = this.#ports
    const decision = decideFailover({
      policy: policyOf(peer),
      isPeerUnavailable: text(peer, 'availability_state') === 'unavailable',
      groups: lost.map(({ group, subclouds }) => ({ name: group.name, subclouds: subclouds.length })),
      hasStarted: before?.stage === 'started',
      secondView: view,
      lostSinceMs,
      nowMs,
      holdDownMs,
      most,
      hasPassword: sysadminPassword !== undefined,
    })
    await this.#write(sql, { peer, before, lost, lostSinceMs, nowMs, decision })
    if (decision.kind === 'rest' || decision.kind === 'done') return undefined
    return decision.kind === 'wait' ? Math.min(LOOK_AGAIN_MS, Math.max(0, decision.untilMs - nowMs)) : LOOK_AGAIN_MS
  }

  async #write(sql: Sql, { peer, before, lost, lostSinceMs, nowMs, decision }: Written): Promise<void> {
    const peerId = integer(peer, 'id')
    const write = (stage: Failover['stage'], message: string, operations: readonly string[] = []) =>
      writeFailover(sql, peerId, before, { stage, lostSinceMs, lookedMs: nowMs, message, operations })
    switch (decision.kind) {
      case 'rest':
        return await forgetFailover(sql, before)
      case 'done':
        return
      case 'hold-back':
        return await write(
          'held-back',
          `Peer site ${text(peer, 'peer_name')} is not taken over from: ${decision.reason}`,
        )
      case 'wait':
        return await write('waiting', `${planOf(lost)} will be migrated when the hold-down is over`)
      case 'propose':
        return await write('proposed', `Proposal: migrate ${planOf(lost)}; ${decision.reason}`)
      case 'start': {
        const sysadminPassword = this.#ports.sysadminPassword ?? ''
        const beginning = { requestedBy: 'failover', sysadminPassword }
        const operations = await beginBatches(this.#ports.site, sql, lost, beginning)
        this.#ports.site.logger.warn(
          { peer: text(peer, 'peer_name'), operations },
          'the groups of a lost peer are taken over',
        )
        return await write('started', `${planOf(lost)} are being migrated`, operations)
      }
    }
  }
}

interface Written {
  readonly peer: Row
  readonly before: Failover | undefined
  readonly lost: readonly LostGroup[]
  readonly lostSinceMs: number | undefined
  readonly nowMs: number
  readonly decision: FailoverDecision
}

/**
 * Of a peer that is seen lost now: time in which nobody looked, or that only a clock has skipped, does not count; after a
 * clock was set back nobody knows how much that was.
 */
function lostSince(before: Failover | undefined, nowMs: number): number {
  if (before?.lostSinceMs === undefined || before.lookedMs === undefined) return nowMs
  const apartMs = nowMs - before.lookedMs
  return apartMs >= 0 && apartMs <= LOOKS_APART_MS ? before.lostSinceMs : nowMs
}

const peerRow = async (sql: Sql, id: number): Promise<Row | undefined> =>
  (await selectRows(sql, 'system_peer', { id }))[0]

/** `delegate`: somebody else decides, so that this site only raises its alarm. */
const policyOf = (peer: Row): FailoverPolicy => POLICIES[text(peer, 'heartbeat_failure_policy')] ?? 'alarm'

const planOf = (lost: readonly LostGroup[]) =>
  lost
    .filter(({ subclouds }) => subclouds.length > 0)
    .map(({ group, subclouds }) => `${group.name} (${subclouds.length} subclouds)`)
    .join(', ')

export interface FailoverWorkerOptions extends FailoverPorts {
  /** Unique for each life of the process. */
  readonly holder: string
  readonly leaseMs?: number
  readonly pollMs?: number
}

/** To be started and stopped by the caller. */
export function failoverWorker({ holder, leaseMs, pollMs, ...ports }: FailoverWorkerOptions): Worker {
  const { database, clock, logger } = ports.site
  const failover = new FailoverWorker(ports)
  return new Worker({
    database,
    clock,
    logger,
    holder,
    ...(leaseMs !== undefined && { leaseMs }),
    ...(pollMs !== undefined && { pollMs }),
    queue: QUEUES.failover,
    concurrency: 4,
    perform: ({ key }) => failover.perform(Number(key)),
  })
}
