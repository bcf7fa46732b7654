/**
 * What is to be done for one association, found by looking at its row: a deletion, a sync, an audit, and at last what
 * the other site has to be told. One at a time for each association, whoever asked (H12).
 */
import { Retryable } from '@godwit/core'
import { type Again, type Row, type Sql, Worker } from '@godwit/store'
import { runAudit } from '../audit/run.ts'
import { PeerRefused, PeerUnreachable } from '../peer/peer-site.ts'
import { QUEUES } from '../site.ts'
import { deleteAssociation } from './delete.ts'
import { remoteAssociation, tellStatus } from './peer-copy.ts'
import { associationById, updateAssociation } from './rows.ts'
import { type AssociationPorts, type AssociationScene, readAssociation } from './scene.ts'
import { nextSyncState } from './status.ts'
import { syncCopy } from './sync.ts'

/** A batch of this site is under way: the group is synced when it has ended. */
const AFTER_BATCH_MS = 5_000
const TELL_AGAIN_MS = 10_000
const MAX_STEPS = 20

/** `look`: something has changed, decide anew; a number: look again after so many milliseconds; undefined: when woken. */
type Next = 'look' | Again

export class AssociationWorker {
  readonly #ports: AssociationPorts

  constructor(ports: AssociationPorts) {
    this.#ports = ports
  }

  async perform(id: number, signal: AbortSignal): Promise<Again> {
    for (let step = 0; step < MAX_STEPS; step++) {
      if (signal.aborted) return 0
      const scene = await this.#ports.site.database.transaction(sql => readAssociation(sql, id))
      if (!scene) return undefined
      const next = await this.#step(scene, signal)
      if (next !== 'look') return next
    }
    throw new Retryable(`association ${id} changes without end`)
  }

  async #step(scene: AssociationScene, signal: AbortSignal): Promise<Next> {
    const { association } = scene
    if (association.deleting !== undefined) {
      await deleteAssociation(this.#ports, scene, signal)
      return undefined
    }
    if (association.wanted !== undefined) return await this.#sync(scene, signal)
    if (association.syncStatus === 'syncing' && association.type === 'primary')
      return await this.#write(scene, {
        sync_status: nextSyncState('syncing', 'interrupted'),
        sync_message: 'The sync was interrupted: sync again',
      })
    const again = await this.#audit(scene, signal)
    return again ?? (await this.#tell(scene))
  }

  /** Written as `syncing` before it begins. A change of the row meanwhile has it done again. */
  async #sync(scene: AssociationScene, signal: AbortSignal): Promise<Next> {
    const { association } = scene
    if (scene.isMoving) return AFTER_BATCH_MS
    const begun = nextSyncState(association.syncStatus, 'sync-started')
    if (association.wanted === 'sync' && association.syncStatus !== begun)
      return await this.#write(scene, { sync_status: begun, sync_message: null })
    const { message } = await syncCopy(this.#ports, scene, signal)
    const isWhole = association.wanted === 'sync'
    const event = message === undefined ? 'sync-succeeded' : 'sync-failed'
    // A change of the group alone makes no members equal (H9).
    const status = isWhole || message !== undefined ? nextSyncState(association.syncStatus, event) : undefined
    return await this.#write(scene, {
      wanted: null,
      ...(status !== undefined && { sync_status: status, sync_message: message ?? null, told_status: null }),
      // An edit over there that stood in the way is fetched by an audit.
      ...(message !== undefined && { audited_ms: null }),
    })
  }

  /** @returns undefined when there is nothing to audit now */
  async #audit(scene: AssociationScene, signal: AbortSignal): Promise<Next> {
    if (scene.association.auditedMs !== undefined || !scene.isPeerThere || scene.isMoving) return undefined
    try {
      await runAudit(this.#ports, scene, signal)
      return 'look'
    } catch (error) {
      // The monitor wakes those that were not audited, as soon as the other site answers.
      return this.#passedOver(scene, error, 'the audit of a group waits for the other site')
    }
  }

  /** Level, not edge: what was told last is in the row, so that a crash between two writes loses nothing. */
  async #tell(scene: AssociationScene): Promise<Next> {
    const { association, toldStatus, group, peer, isPeerThere } = scene
    const { syncStatus, type } = association
    if (type !== 'primary' || syncStatus === 'unknown' || syncStatus === toldStatus || !isPeerThere) return undefined
    try {
      const site = this.#ports.peerSite(peer)
      const remoteGroup = await site.group(group.name)
      const remote = remoteGroup && (await remoteAssociation(site, this.#ports.site.identity.uuid, remoteGroup))
      if (remote) await tellStatus(site, remote, syncStatus)
    } catch (error) {
      if (!(error instanceof PeerRefused)) {
        this.#passedOver(scene, error, 'the other site could not be told a sync status')
        return TELL_AGAIN_MS
      }
      this.#passedOver(scene, error, 'the other site takes no sync status')
    }
    return await this.#write(scene, { told_status: syncStatus })
  }

  #passedOver({ association, group }: AssociationScene, error: unknown, what: string): undefined {
    if (!(error instanceof PeerUnreachable || error instanceof PeerRefused)) throw error
    this.#ports.site.logger.info({ association: association.id, group: group.name, reason: error.message }, what)
  }

  async #write({ association }: AssociationScene, columns: Row): Promise<Next> {
    await this.#ports.site.database.transaction((sql: Sql) => write(sql, association.id, association.version, columns))
    return 'look'
  }
}

/** One that changed meanwhile is looked at anew, without having been written. */
async function write(sql: Sql, id: number, version: number, columns: Row): Promise<void> {
  const current = await associationById(sql, id)
  if (current?.version === version) await updateAssociation(sql, current, columns)
}

export interface AssociationWorkerOptions extends AssociationPorts {
  /** Unique for each life of the process. */
  readonly holder: string
  readonly leaseMs?: number
  readonly pollMs?: number
}

const AT_ONCE = 16

/** To be started and stopped by the caller. */
export function associationWorker({ holder, leaseMs, pollMs, ...ports }: AssociationWorkerOptions): Worker {
  const { database, clock, logger } = ports.site
  const associations = new AssociationWorker(ports)
  return new Worker({
    database,
    clock,
    logger,
    holder,
    ...(leaseMs !== undefined && { leaseMs }),
    ...(pollMs !== undefined && { pollMs }),
    queue: QUEUES.association,
    concurrency: AT_ONCE,
    perform: ({ key }, signal) => associations.perform(Number(key), signal),
  })
}
