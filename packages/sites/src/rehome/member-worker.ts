/**
 * Takes one subcloud in: as far as rows go, then what must happen outside, again and again until somebody else must do
 * something. Everything it knows is in rows, so that whoever comes after a crash goes on.
 */
import { Retryable, Terminal } from '@godwit/core'
import type { Clock } from '@godwit/ports'
import type { Again } from '@godwit/store'
import type { Remote } from '../audit/member.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import type { AuditRequests } from './audit-requests.ts'
import type { Foresight } from './foresight.ts'
import { isYounger } from './freshness.ts'
import { askForAudit, attemptOf, releaseAtPeer } from './member-effects.ts'
import { LOOK_SELDOM_MS, stepMember } from './member-step.ts'
import type { EndedRun, News, SubcloudScene, Wish } from './member-wish.ts'
import { noted } from './noted.ts'
import type { RehomePorts } from './ports.ts'
import type { RunWatch } from './run-watch.ts'
import { lookAtPeer, type MemberScene, peerHealth } from './scene.ts'
import type { GroupRows, SharedRows } from './shared-rows.ts'
import type { RehomeStage } from './table.ts'

/** The host of a run that is not heard of has ended it by then. */
const HOST_GRACE_MS = 60_000
/**
 * What was asked so long ago at most is as good as a look. It was asked for after our claim was on the disk, and as long
 * as that stands the other site, which sees it, starts nothing of its own.
 */
const FRESH_MS = 500
/** Members of this process that queue are remembered, and batches that they are of. */
const MAX_QUEUEING = 1_024
const MAX_BATCHES = 16
/** Each is a transaction. */
const MAX_STEPS = 100

type Wanted<Kind extends Wish['kind']> = Extract<Wish, { kind: Kind }>
/** What happened, or when to look again; `done`: somebody wakes us. */
type Result = News | { readonly restMs: number } | 'done'

/** What is remembered from step to step, and may be forgotten. */
interface Pass {
  readonly signal: AbortSignal
  /** Whether the subcloud has come online: asked as soon as its playbook has ended, while that is written. */
  arrival: Promise<Result> | undefined
}

/** A member that queues for a slot, as this process saw it last. */
interface Queueing {
  readonly batchId: number
  readonly region: string
  /** What the other site says, asked as soon as a slot was passed to the member, or it was woken. */
  look?: LookAhead
}

interface LookAhead {
  readonly remote: Promise<Remote>
  readonly askedMs: number
  /** Nobody has answered yet: it is not asked once more meanwhile. */
  isOpen: boolean
}

interface SharedByMembers {
  readonly audits: AuditRequests
  readonly foresight: Foresight
}

export class MemberWorker {
  readonly #ports: RehomePorts
  readonly #watch: RunWatch
  readonly #audits: AuditRequests
  readonly #foresight: Foresight
  /** Ids of members whose run was discarded by this process; a process that does not know does it again. */
  readonly #discarded = new Set<number>()
  readonly #queueing = new Map<number, Queueing>()
  /** By id of the batch. */
  readonly #shared = new Map<number, SharedRows & { readonly readMs: number }>()

  constructor(ports: RehomePorts, watch: RunWatch, { audits, foresight }: SharedByMembers) {
    this.#ports = ports
    this.#watch = watch
    this.#audits = audits
    this.#foresight = foresight
  }

  async perform(id: number, signal: AbortSignal): Promise<Again> {
    const pass: Pass = { signal, arrival: undefined }
    let news = await this.#firstNews(id, signal)
    for (let step = 0; step < MAX_STEPS; step++) {
      if (signal.aborted) return 0
      const wish = await this.#step(id, news)
      const [result] = await Promise.all([
        this.#fulfil(wish, pass),
        // How it ended is written down: it need not be remembered elsewhere.
        news.endedRunId !== undefined && wish.kind !== 'discard' && this.#discard(news.endedRunId, id),
      ])
      this.#remember(id, wish)
      if (result === 'done') {
        this.#discarded.delete(id)
        return undefined
      }
      if ('restMs' in result) return result.restMs
      news = result
    }
    throw new Retryable(`member ${id} changes without end`)
  }

  /** What was asked ahead, when it is answered in time: the member asks for itself otherwise, once it has its slot. */
  async #firstNews(id: number, signal: AbortSignal): Promise<News> {
    const foreseen = this.#foresight.take(id)
    if (foreseen) return { foreseen }
    const { clock } = this.#ports.site
    const look = this.#lookAhead(id)
    const remote = look && (await inTime(clock, look.remote, look.askedMs + FRESH_MS - clock.now(), signal))
    return remote ? { remote, remoteFor: 'Running' } : {}
  }

  /** Who queues, and is woken, goes on mostly: it is looked at before it takes its slot. */
  #lookAhead(id: number): LookAhead | undefined {
    const queued = this.#queueing.get(id)
    const shared = queued && this.#shared.get(queued.batchId)
    // Of a process that has not worked on the batch for a while nobody knows what the other site is by now.
    if (!shared || !this.#isFresh(shared.readMs) || peerHealth(shared) !== 'available') return undefined
    if (queued.look && this.#isFresh(queued.look.askedMs)) return queued.look
    if (queued.look?.isOpen) return undefined
    const remote = this.#look(shared, queued)
    const look = { remote, askedMs: this.#ports.site.clock.now(), isOpen: true }
    void remote.then(() => {
      look.isOpen = false
    })
    queued.look = look
    return look
  }

  #isFresh(sinceMs: number): boolean {
    return isYounger(this.#ports.site.clock, sinceMs, FRESH_MS)
  }

  #remember(id: number, wish: Wish): void {
    const look = this.#queueing.get(id)?.look
    this.#queueing.delete(id)
    if (wish.kind !== 'rest' || !wish.queues) return
    const { scene, subcloud } = wish.queues
    const queued = { batchId: scene.batch.id, region: subcloud.region, ...(look?.isOpen && { look }) }
    keep(this.#queueing, id, queued, MAX_QUEUEING)
  }

  async #discard(runId: string, id: number): Promise<void> {
    await this.#ports.executor.discard(runId)
    this.#discarded.add(id)
  }

  async #step(id: number, news: News): Promise<Wish> {
    const { site, executor } = this.#ports
    const given = { news, known: this.#shared, isDiscarded: this.#discarded.has(id), host: executor.host }
    const { wish, next, shared } = await noted(site, (sql, note) => stepMember(id, { ...given, sql, note }))
    if (shared) keep(this.#shared, shared.batch.id, { ...shared, readMs: site.clock.now() }, MAX_BATCHES)
    if (next !== undefined) this.#lookAhead(next)
    return wish
  }

  async #fulfil(wish: Wish, pass: Pass): Promise<Result> {
    switch (wish.kind) {
      case 'rest':
        return wish.afterMs === undefined ? 'done' : { restMs: wish.afterMs }
      case 'look at peer':
        return { remote: await this.#look(wish.scene, wish.subcloud) }
      case 'ask subcloud':
        return await (pass.arrival ?? this.#arrival(wish, pass.signal))
      case 'perform':
        return await this.#perform(wish, pass)
      case 'join':
        return await this.#join(wish, pass)
      case 'discard':
        await this.#discard(wish.runId, wish.memberId)
        return wish.failure ? { failure: wish.failure } : {}
    }
  }

  async #look({ peer }: GroupRows, { region }: Pick<Subcloud, 'region'>): Promise<Remote> {
    return peer ? await lookAtPeer(this.#ports, peer, region) : { kind: 'unread' }
  }

  /** Nobody waits for it yet. */
  #greet(pass: Pass, followed: SubcloudScene): void {
    pass.arrival = this.#arrival(followed, pass.signal)
    // Whoever waits for it is told; nobody may come to wait for it.
    pass.arrival.catch(() => undefined)
  }

  /** Both at the same time, as mostly it is online at once; a look that was too early is no proof, and made again. */
  async #arrival({ scene, subcloud }: SubcloudScene, signal: AbortSignal): Promise<Result> {
    const { name, region, managementStart: address } = subcloud
    const [presence, ahead] = await Promise.all([
      this.#ports.probe.presence({ name, region, address }, signal),
      this.#ahead(scene, subcloud, 'Managing'),
    ])
    if (signal.aborted) return { restMs: 0 }
    return { presence, ...(presence === 'online' && ahead) }
  }

  /** Where the next stage begins with a look: it is made while something else is waited for, or right after it. */
  async #ahead(scene: MemberScene, subcloud: Subcloud, remoteFor: RehomeStage): Promise<News> {
    if (peerHealth(scene) !== 'available') return {}
    return { remote: await this.#look(scene, subcloud), remoteFor }
  }

  async #perform({ effect, scene, subcloud }: Wanted<'perform'>, pass: Pass): Promise<Result> {
    const { executor, site } = this.#ports
    try {
      switch (effect.kind) {
        case 'prepare': {
          await executor.prepare(attemptOf(scene, subcloud))
          return { ...(await this.#ahead(scene, subcloud, 'Running')), columns: prepared }
        }
        case 'report-failure':
          await askForAudit(this.#ports, this.#audits, scene)
          return { columns: () => ({ is_failure_reported: 1 }) }
        case 'release': {
          const askedMs = site.clock.now()
          const [remote, isPrepared] = await Promise.all([
            releaseAtPeer(this.#ports, scene, subcloud, effect.ownerEpoch),
            scene.member.isPrepared || this.#canPrepare(scene, subcloud),
          ])
          return {
            remote,
            hasAsked: true,
            ...(this.#isFresh(askedMs) && { remoteFor: 'Running' }),
            ...(isPrepared && !scene.member.isPrepared && { columns: prepared }),
          }
        }
      }
    } catch (error) {
      if (pass.signal.aborted) return { restMs: 0 }
      // Whatever stands in the way of a word to the other site, as a password that cannot be opened, may pass.
      if (error instanceof Terminal && effect.kind === 'prepare')
        return { failure: { code: error.code, message: error.message } }
      const text = error instanceof Error ? error.message : String(error)
      site.logger.debug({ subcloud: subcloud.name, error: text }, 'an effect is tried again')
      return { error: text }
    }
  }

  /** Nothing is left of it: the next stage need not do it again. Why it cannot be done is said in its own stage. */
  async #canPrepare(scene: MemberScene, subcloud: Subcloud): Promise<boolean> {
    try {
      await this.#ports.executor.prepare(attemptOf(scene, subcloud))
      return true
    } catch (error) {
      this.#ports.site.logger.debug({ subcloud: subcloud.name, error: String(error) }, 'cannot be prepared ahead')
      return false
    }
  }

  /** The run of this attempt, whoever started it. Another host's cannot be joined: it is waited for, and given up. */
  async #join({ run, scene, subcloud }: Wanted<'join'>, pass: Pass): Promise<Result> {
    const { executor, site } = this.#ports
    if (run.host !== executor.host) {
      if (scene.nowMs < run.startedMs + executor.totalLimitMs + HOST_GRACE_MS) return { restMs: LOOK_SELDOM_MS }
      return ended(scene.member.runId, run.startedMs, {
        kind: 'interrupted',
        reason: `${run.host}, which ran it, is gone`,
      })
    }
    const watched = this.#watch.open(scene.batch.id, scene.batch.cancelledMs !== undefined)
    const overdue = new AbortController()
    const leftMs = (scene.member.cursor.deadlineMs ?? Number.POSITIVE_INFINITY) - scene.nowMs
    const stopTimer = Number.isFinite(leftMs) ? site.clock.after(leftMs, () => overdue.abort()) : undefined
    try {
      const cancel = AbortSignal.any([watched.cancelled, overdue.signal])
      const outcome = await executor.run(attemptOf(scene, subcloud), { cancel, leave: pass.signal })
      if (!outcome) return { restMs: 0 }
      if (outcome.kind === 'succeeded' && scene.batch.groupId !== 0) this.#greet(pass, { scene, subcloud })
      return ended(scene.member.runId, run.startedMs, outcome)
    } catch (error) {
      if (error instanceof Terminal) return { failure: { code: error.code, message: error.message } }
      throw error
    } finally {
      stopTimer?.()
      watched.close()
    }
  }
}

/** @param value never rejects @returns undefined: it takes longer, or nobody waits for it any more */
const inTime = <Value>(clock: Clock, value: Promise<Value>, limitMs: number, signal: AbortSignal) =>
  new Promise<Value | undefined>(resolve => {
    const end = (result?: Value) => {
      cancel()
      signal.removeEventListener('abort', giveUp)
      resolve(result)
    }
    const giveUp = () => end()
    const cancel = clock.after(limitMs, giveUp)
    signal.addEventListener('abort', giveUp)
    void value.then(end)
  })

/** The oldest are forgotten: one that another process has taken since is not heard of again. */
function keep<Value>(known: Map<number, Value>, id: number, value: Value, most: number): void {
  known.set(id, value)
  const [oldest] = known.size > most ? known.keys() : []
  if (oldest !== undefined) known.delete(oldest)
}

const prepared = () => ({ is_prepared: 1 })

const ended = (endedRunId: string, startedMs: number, outcome: EndedRun): News => ({
  endedRunId,
  columns: endedMs => ({ run: JSON.stringify({ ...outcome, startedMs, endedMs }) }),
})
