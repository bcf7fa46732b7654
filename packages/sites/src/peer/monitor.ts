/**
 * Looks whether a peer site answers, and writes what follows in one transaction: its state, the alarm, the marks of the
 * associations, and which of them are to be audited. Only peers that a group is associated with are looked at.
 */
import { type Again, type Row, type Sql, selectRows, updateRow, Worker, wakeWork } from '@godwit/store'
import { groupLedByPeer, peerUnreachable } from '../alarms/definitions.ts'
import { clearAlarm, raiseAlarm } from '../alarms/store.ts'
import { type Association, associationsWhere, updateAssociation } from '../association/rows.ts'
import type { AssociationPorts } from '../association/scene.ts'
import { nextSyncState } from '../association/status.ts'
import { failoverOfPeer } from '../failover/rows.ts'
import type { PeerState } from '../model/states.ts'
import { allGroups, type PeerGroup } from '../peer-group/rows.ts'
import { QUEUES } from '../site.ts'
import { integer, optionalInteger, text } from '../state/column.ts'
import { seen } from '../state/row-time.ts'
import { type HealthStep, type Look, nextHealth } from './health.ts'
import type { RemoteGroup } from './peer-site.ts'

const UNREACHABLE = 'Peer site is unreachable'

type Seen = Look & { readonly groups: readonly RemoteGroup[] }

export class PeerMonitor {
  readonly #ports: AssociationPorts

  constructor(ports: AssociationPorts) {
    this.#ports = ports
  }

  /** @returns when to look again; undefined: nothing is associated with the peer */
  async perform(id: number): Promise<Again> {
    const { database } = this.#ports.site
    const peer = await database.transaction(sql => monitored(sql, id))
    if (!peer) return undefined
    const look = await this.#look(peer)
    return await database.transaction(sql => this.#conclude(sql, id, look))
  }

  async #look(peer: Row): Promise<Seen> {
    try {
      return { kind: 'answered', groups: await this.#ports.peerSite(peer).groups() }
    } catch (error) {
      return { kind: 'missed', reason: error instanceof Error ? error.message : String(error), groups: [] }
    }
  }

  async #conclude(sql: Sql, id: number, look: Seen): Promise<Again> {
    const peer = await monitored(sql, id)
    if (!peer) return undefined
    const intervalMs = integer(peer, 'heartbeat_interval') * 1000
    const nowMs = await sql.nowMs()
    const lookedMs = optionalInteger(peer, 'looked_ms')
    // Woken in between, a miss is no heartbeat: edits in a row do not make a site unavailable. A clock may be set back.
    const passedMs = lookedMs === undefined ? intervalMs : nowMs - lookedMs
    if (look.kind === 'missed' && passedMs >= 0 && passedMs < intervalMs / 2) return intervalMs - passedMs
    const before = { state: text(peer, 'availability_state') as PeerState, misses: integer(peer, 'misses') }
    const step = nextHealth(before, look, integer(peer, 'heartbeat_failure_threshold'))
    await updateRow(sql, 'system_peer', seen(peer), {
      availability_state: step.health.state,
      misses: step.health.misses,
      looked_ms: nowMs,
    })
    this.#log(peer, look, step)
    const groups = await allGroups(sql)
    await settleAlarm(sql, peer, groups, step)
    if (step.turned !== undefined || step.health.state === 'unavailable')
      await wakeWork(sql, QUEUES.failover, String(id))
    for (const association of await associationsWhere(sql, { system_peer_id: id }))
      await this.#follow(sql, {
        association,
        peer,
        step,
        look,
        group: groups.find(({ id: own }) => own === association.groupId),
      })
    return intervalMs
  }

  async #follow(sql: Sql, { association, group, peer, step, look }: Follow): Promise<void> {
    const remote = look.groups.find(({ name }) => name === group?.name)
    const mark = markOf(association, step)
    const asks = look.kind === 'answered' && isAuditDue(association, remote, step)
    if (mark || asks) {
      await updateAssociation(sql, association, { ...mark, ...(asks && { audited_ms: null }) })
      await wakeWork(sql, QUEUES.association, String(association.id))
    }
    if (group && remote) await this.#settleAway(sql, group, peer, remote)
  }

  /** Also when nothing is audited: an alarm ends with its cause. */
  async #settleAway(sql: Sql, group: PeerGroup, peer: Row, remote: RemoteGroup): Promise<void> {
    const peerUuid = text(peer, 'peer_uuid')
    const alarm = groupLedByPeer({ group: group.name, peerUuid, peerName: text(peer, 'peer_name') })
    const isLedThere = remote.leaderId === peerUuid && group.leaderId !== this.#ports.site.identity.uuid
    await (isLedThere && group.priority < remote.priority ? raiseAlarm(sql, alarm) : clearAlarm(sql, alarm))
  }

  #log(peer: Row, look: Look, { health, turned }: HealthStep): void {
    const { logger } = this.#ports.site
    const fields = { peer: text(peer, 'peer_name'), state: health.state, misses: health.misses }
    if (look.kind === 'missed') logger.info({ ...fields, reason: look.reason }, 'a peer site did not answer')
    if (turned) logger.warn(fields, 'the state of a peer site has changed')
  }
}

interface Follow {
  readonly association: Association
  readonly group: PeerGroup | undefined
  readonly peer: Row
  readonly step: HealthStep
  readonly look: Seen
}

/** undefined: gone, or associated with no group; its alarm ends then. */
async function monitored(sql: Sql, id: number): Promise<Row | undefined> {
  const [peer] = await selectRows(sql, 'system_peer', { id })
  if (!peer) return undefined
  if ((await associationsWhere(sql, { system_peer_id: id })).length > 0) return peer
  await clearAlarm(sql, lostPeer(peer, []))
  return undefined
}

const lostPeer = (peer: Row, ledGroups: readonly string[]) =>
  peerUnreachable({ uuid: text(peer, 'peer_uuid'), name: text(peer, 'peer_name'), ledGroups })

async function settleAlarm(sql: Sql, peer: Row, groups: readonly PeerGroup[], { health }: HealthStep): Promise<void> {
  const uuid = text(peer, 'peer_uuid')
  const alarm = lostPeer(
    peer,
    groups.filter(({ leaderId }) => leaderId === uuid).map(({ name }) => name),
  )
  if (health.state === 'unavailable') {
    const proposal = (await failoverOfPeer(sql, integer(peer, 'id')))?.message
    await raiseAlarm(sql, proposal === undefined ? alarm : { ...alarm, repair: `${alarm.repair} ${proposal}.` })
  } else if (health.state === 'available') await clearAlarm(sql, alarm)
}

/** Of the primary site only: the other one's mark is what the primary one says. */
function markOf({ syncStatus, type }: Association, { turned }: HealthStep): Row | undefined {
  if (turned === undefined || type !== 'primary') return undefined
  const status = nextSyncState(syncStatus, turned === 'reachable' ? 'peer-back' : 'peer-lost')
  if (status === syncStatus) return undefined
  return { sync_status: status, sync_message: turned === 'unreachable' ? UNREACHABLE : null }
}

/** A batch there that goes on or has ended, a site that is back, an audit that is owed, copies that are not equal. */
function isAuditDue(association: Association, remote: RemoteGroup | undefined, { turned }: HealthStep): boolean {
  if (association.auditedMs === undefined || turned === 'reachable') return true
  if (remote?.migrationStatus !== undefined) return true
  return association.syncStatus !== 'in-sync' && association.syncStatus !== 'syncing'
}

export interface PeerMonitorOptions extends AssociationPorts {
  /** Unique for each life of the process. */
  readonly holder: string
  readonly leaseMs?: number
  readonly pollMs?: number
}

const AT_ONCE = 16

/** To be started and stopped by the caller. */
export function peerMonitor({ holder, leaseMs, pollMs, ...ports }: PeerMonitorOptions): Worker {
  const { database, clock, logger } = ports.site
  const monitor = new PeerMonitor(ports)
  return new Worker({
    database,
    clock,
    logger,
    holder,
    ...(leaseMs !== undefined && { leaseMs }),
    ...(pollMs !== undefined && { pollMs }),
    queue: QUEUES.peer,
    concurrency: AT_ONCE,
    perform: ({ key }) => monitor.perform(Number(key)),
  })
}
