/**
 * One leader at a time, by compare-and-swap on a Lease. A holder is passed over only after this process has seen its
 * record unchanged for as long as it was promised; a leader stops acting well before others may think so of it.
 */
import { type Cancel, type Clock, type Logger, type Random, silentLogger, sleep } from '@godwit/ports'
import type { KubeClient } from './client.ts'
import { isConflict, isNotFound, KubeError } from './errors.ts'
import { type Claim, claimed, epochOf, isHeldBy, type Lease, released, renewed } from './leader-lease.ts'
import { LeaderTerm, type Term } from './leader-term.ts'
import { LeaseObservation } from './lease-observation.ts'
import { LeaseWatch } from './lease-watch.ts'
import { resources } from './resource.ts'

export interface LeaderElectorOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace' | 'watch'>
  readonly namespace: string
  readonly name: string
  /** Different for every process, also for one that was restarted: else it waits for its predecessor's lease to expire. */
  readonly identity: string
  /** How long others wait for a leader that fell silent; whole seconds, rounded up. */
  readonly leaseDurationMs: number
  /** A leader that could not renew for this long stops acting. */
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** The highest epoch the world has seen; keeps epochs growing even when somebody deleted the Lease. */
  readonly epochFloor?: () => Promise<number>
}

interface Held {
  readonly lease: Lease
  readonly claim: Claim
  /** When the write that took or renewed it was sent: others count from then at the earliest. */
  readonly sentAt: number
}

export class LeaderElector {
  readonly #options: LeaderElectorOptions
  readonly #logger: Logger
  readonly #observation: LeaseObservation
  /** A claim whose answer was lost: the lease itself will tell. */
  #unanswered: { readonly lease: Lease; readonly claim: Claim; readonly sentAt: number } | undefined

  /** Throws a RangeError unless retryPeriodMs < renewDeadlineMs < leaseDurationMs. */
  constructor(options: LeaderElectorOptions) {
    const { retryPeriodMs, renewDeadlineMs, leaseDurationMs, clock, logger = silentLogger } = options
    if (!(0 < retryPeriodMs && retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs))
      throw new RangeError('an election needs 0 < retryPeriodMs < renewDeadlineMs < leaseDurationMs')
    this.#options = options
    this.#logger = logger
    this.#observation = new LeaseObservation(clock, leaseDurationMs)
  }

  /**
   * Leads whenever it can, until `signal` aborts; then lets `lead` come to its end and hands over, so that the next
   * leader need not wait. `lead` never runs twice at a time. Returning or throwing gives leadership up for a moment.
   */
  async run(signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const held = await this.#campaign(signal)
      if (!held) break
      await this.#serve(held, signal, lead)
      if (!signal.aborted) await sleep(this.#options.clock, this.#retryMs(), signal)
    }
    this.#observation.forget()
  }

  async #campaign(signal: AbortSignal): Promise<Held | undefined> {
    const { client, clock, namespace, name, retryPeriodMs } = this.#options
    const watch = new LeaseWatch({ client, clock, lease: { namespace, name }, pauseMs: retryPeriodMs })
    try {
      while (!signal.aborted) {
        const outcome = await this.#tryToTake(signal)
        if (outcome && 'claim' in outcome) return outcome
        await watch.wait(outcome, this.#retryMs(), signal)
      }
      return undefined
    } finally {
      await watch.stop()
    }
  }

  /** @returns what is held now; or the lease as it stands, when it was read and is somebody else's */
  async #tryToTake(signal: AbortSignal): Promise<Held | Lease | undefined> {
    const { client, clock, namespace, name, identity, leaseDurationMs, epochFloor } = this.#options
    try {
      const live = await client.get<Lease>(resources.leases, { namespace, name }, this.#bound(signal))
      const isFree = this.#observation.look(live)
      const unanswered = this.#unanswered
      this.#unanswered = undefined
      if (live && unanswered && isLanded(live, unanswered.lease)) return { ...unanswered, lease: live }
      if (!isFree) return live
      const floor = Math.max(this.#observation.highestEpoch, (await epochFloor?.()) ?? 0)
      const claim: Claim = { identity, leaseDurationMs, epoch: floor + 1 }
      return await this.#take(live, claim, clock.now(), signal)
    } catch (error) {
      if (!signal.aborted && !isRace(error)) this.#logger.warn({ lease: name, error }, 'the lease could not be taken')
      return undefined
    }
  }

  async #take(live: Lease | undefined, claim: Claim, sentAt: number, signal: AbortSignal): Promise<Held> {
    const { client, namespace, name } = this.#options
    const lease = claimed(live, { namespace, name }, claim, sentAt)
    try {
      const written = live
        ? await client.replace(resources.leases, lease, this.#bound(signal))
        : await client.create(resources.leases, lease, this.#bound(signal))
      return { lease: written, claim, sentAt }
    } catch (error) {
      if (error instanceof KubeError && error.isOutcomeUnknown()) this.#unanswered = { lease, claim, sentAt }
      throw error
    }
  }

  async #serve(held: Held, signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    const { clock, name, identity, renewDeadlineMs } = this.#options
    const { epoch } = held.claim
    const fields = { lease: name, identity, epoch }
    const term = new LeaderTerm(clock, epoch, held.sentAt + renewDeadlineMs)
    const stop = () => term.end('stopped')
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const settled = new AbortController()
    const renewing = this.#keep(held, term, settled.signal)
    this.#logger.info(fields, 'leading')
    const isSettled = await this.#lead(term, signal, lead)
    settled.abort()
    signal.removeEventListener('abort', stop)
    const last = await renewing
    // A leader that is still acting keeps the lease until it expires: nobody may start beside it.
    if (isSettled && last) await this.#release(last)
    term.lose('given up')
    this.#logger.info({ ...fields, reason: term.reason }, 'no longer leading')
  }

  /** @returns false when `lead` did not come to its end in time after everything was stopped */
  async #lead(term: LeaderTerm, signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<boolean> {
    const { clock, name, leaseDurationMs } = this.#options
    const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<false>()
    let cancel: Cancel = () => undefined
    const onStop = () => {
      cancel = clock.after(leaseDurationMs, () => giveUp(false))
    }
    if (signal.aborted) onStop()
    signal.addEventListener('abort', onStop, { once: true })
    const work = runSafely(term, lead).then(error => {
      if (error !== undefined) this.#logger.error({ lease: name, epoch: term.epoch, error }, 'the leader failed')
      return true
    })
    const isSettled = await Promise.race([work, gaveUp])
    cancel()
    signal.removeEventListener('abort', onStop)
    if (!isSettled)
      this.#logger.error({ lease: name, epoch: term.epoch }, 'the leader did not stop when it was told to')
    return isSettled
  }

  /** Renews until `settled`. @returns what is held at the end; undefined when somebody else took it or deleted it */
  async #keep(held: Held, term: LeaderTerm, settled: AbortSignal): Promise<Held | undefined> {
    const { clock, renewDeadlineMs } = this.#options
    let current: Held | undefined = held
    let isFresh = true
    while (current && !settled.aborted && !term.lost.aborted) {
      if (isFresh) await pauseUnless(settled, term.lost, ending => sleep(clock, this.#retryMs(), ending))
      if (settled.aborted || term.lost.aborted) break
      const next = await this.#renew(current, term)
      isFresh = next.isRenewed || next.held === current
      current = next.held
      if (current && next.isRenewed) term.extend(current.sentAt + renewDeadlineMs)
    }
    if (!current) term.lose('the lease belongs to somebody else')
    return current
  }

  async #renew(held: Held, term: LeaderTerm): Promise<{ held: Held | undefined; isRenewed: boolean }> {
    const { client, clock, name } = this.#options
    const sentAt = clock.now()
    try {
      const lease = await client.replace(resources.leases, renewed(held.lease, sentAt), this.#bound(term.lost))
      return { held: { ...held, lease, sentAt }, isRenewed: true }
    } catch (error) {
      if (isNotFound(error)) return { held: undefined, isRenewed: false }
      if (isConflict(error)) return { held: await this.#lookAgain(held), isRenewed: false }
      if (!term.lost.aborted) this.#logger.warn({ lease: name, error }, 'the lease could not be renewed')
      return { held, isRenewed: false }
    }
  }

  /** A renewal whose answer was lost meets itself as a conflict: holder and epoch decide whose the lease is. */
  async #lookAgain(held: Held): Promise<Held | undefined> {
    const { client, namespace, name } = this.#options
    try {
      const options = { timeoutMs: this.#timeoutMs() }
      const live = await client.get<Lease>(resources.leases, { namespace, name }, options)
      return live && isHeldBy(live, held.claim) ? { ...held, lease: live } : undefined
    } catch {
      return held
    }
  }

  async #release(held: Held): Promise<void> {
    const { client, clock, name } = this.#options
    const options = { timeoutMs: this.#timeoutMs() }
    try {
      await client.replace(resources.leases, released(held.lease, clock.now()), options)
    } catch (error) {
      const live = isConflict(error) ? await this.#lookAgain(held) : undefined
      if (live && live !== held) {
        await client.replace(resources.leases, released(live.lease, clock.now()), options).catch(() => undefined)
      } else if (!isRace(error)) {
        this.#logger.warn({ lease: name, error }, 'the lease could not be handed over: the next leader has to wait')
      }
    }
  }

  #bound(signal: AbortSignal) {
    return { signal, timeoutMs: this.#timeoutMs() }
  }

  /** Short enough for another try before the deadline when one request hangs. */
  #timeoutMs(): number {
    const { renewDeadlineMs, retryPeriodMs } = this.#options
    return Math.max(retryPeriodMs, renewDeadlineMs / 3)
  }

  /** Up to a fifth earlier: candidates that started together must not stay in step. */
  #retryMs(): number {
    const { retryPeriodMs, random } = this.#options
    return retryPeriodMs * (1 - random.next() / 5)
  }
}

/** Somebody else was first. */
const isRace = (error: unknown) => error instanceof KubeError && (error.status === 409 || error.status === 404)

/** The write with the lost answer is the one that made the record what it is. */
const isLanded = (live: Lease, written: Lease) =>
  live.spec?.holderIdentity === written.spec?.holderIdentity &&
  live.spec?.acquireTime === written.spec?.acquireTime &&
  epochOf(live) === epochOf(written)

async function runSafely(term: LeaderTerm, lead: (term: Term) => Promise<void>): Promise<unknown> {
  if (term.signal.aborted) return undefined
  try {
    await lead({ epoch: term.epoch, signal: term.signal })
    return undefined
  } catch (error) {
    // What fails because the term ended has not failed.
    return term.signal.aborted ? undefined : (error ?? new Error('failed without an error'))
  }
}

async function pauseUnless(
  a: AbortSignal,
  b: AbortSignal,
  pause: (ending: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController()
  const end = () => ending.abort()
  for (const signal of [a, b]) signal.addEventListener('abort', end, { once: true })
  if (a.aborted || b.aborted) end()
  await pause(ending.signal)
  for (const signal of [a, b]) signal.removeEventListener('abort', end)
}
