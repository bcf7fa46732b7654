/** The shared rows of a batch, as far as they go, and what must happen outside between two steps. */
import { Retryable } from '@godwit/core'
import type { Again } from '@godwit/store'
import type { AuditRequests } from './audit-requests.ts'
import { type BatchScene, type BatchWish, stepBatch } from './batch-step.ts'
import type { Foresight } from './foresight.ts'
import { askForAudit } from './member-effects.ts'
import { noted } from './noted.ts'
import type { RehomePorts } from './ports.ts'
import { lookAtPeer, peerHealth } from './scene.ts'

const REPORT_AGAIN_MS = 5_000
/** Reports of one pass. */
const MAX_STEPS = 20
/** Members that the other site is asked about at the same time before they begin. */
const FORESEEN_AT_ONCE = 32

type Foreseen = Extract<BatchWish, { kind: 'foresee' }>

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
    let hasReported = false
    for (let step = 0; step < MAX_STEPS; step++) {
      // What was told is written down also by whoever stops.
      if (signal.aborted && !hasReported) return 0
      const wish = await this.#step(id, hasReported)
      if (wish.kind === 'rest') return wish.afterMs
      if (wish.kind === 'foresee') {
        this.#foresee(wish)
        return wish.afterMs
      }
      hasReported = await this.#report(wish.scene)
      if (!hasReported) return reportAgainMs(wish.scene)
    }
    throw new Retryable(`batch ${id} changes without end`)
  }

  #step(id: number, hasReported: boolean): Promise<BatchWish> {
    const { site } = this.#ports
    const given = { site: site.identity, hasReported, foresees: 2 * FORESEEN_AT_ONCE }
    return noted(site, (sql, note) => stepBatch(id, { ...given, sql, note }))
  }

  /** Whoever needs it sooner than it comes asks for himself. */
  #foresee({ scene, next }: Foreseen): void {
    const { peer } = scene
    if (!peer || peerHealth(scene) !== 'available') return
    const askedMs = this.#ports.site.clock.now()
    const unknown = next.filter(({ id }) => !this.#foresight.knows(id)).slice(0, FORESEEN_AT_ONCE)
    for (const { id, region } of unknown)
      void lookAtPeer(this.#ports, peer, region).then(remote => this.#foresight.note(id, remote, askedMs))
  }

  async #report(scene: BatchScene): Promise<boolean> {
    try {
      await askForAudit(this.#ports, this.#audits, scene)
      return true
    } catch (error) {
      this.#ports.site.logger.debug({ batch: scene.batch.id, error: String(error) }, 'the report is tried again')
      return false
    }
  }
}

/** Not later than the deadline, which is a decision of its own. */
function reportAgainMs({ batch, nowMs }: BatchScene): number {
  const leftMs = (batch.cursor.deadlineMs ?? Number.POSITIVE_INFINITY) - nowMs
  return Math.max(0, Math.min(REPORT_AGAIN_MS, leftMs))
}
