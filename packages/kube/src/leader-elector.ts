/**
 * One leader at a time by compare-and-swap on a Lease. Whether another holder has let its lease expire is judged only
 * by how long this process has seen the record unchanged: clocks of two machines are never compared (law 12).
 */
import { type Clock, type Logger, type Random, rfc3339Micro, silentLogger, sleep } from '@godwit/ports'
import type { KubeClient } from './client.ts'
import { isAlreadyExists, isConflict } from './errors.ts'
import type { LeaderLease } from './lease.ts'
import { resources } from './resource.ts'

export interface LeaderElectorOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly name: string
  /** Different for every process, also for a restarted one. */
  readonly identity: string
  readonly leaseDurationMs: number
  /** A leader that could not renew for this long steps down; below `leaseDurationMs`. */
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
}

export interface Term {
  /** Grows with each change of holder, also after a hand-over: writes of lower epochs are refused. */
  readonly epoch: number
  /** Aborts when leadership is lost or given up. */
  readonly signal: AbortSignal
}

interface Observation {
  readonly version: string
  readonly seenAt: number
}

export class LeaderElector {
  readonly #options: LeaderElectorOptions
  #observed: Observation | undefined
  #renewedAt = 0

  constructor(options: LeaderElectorOptions) {
    const { retryPeriodMs, renewDeadlineMs, leaseDurationMs } = options
    if (!(retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs))
      throw new RangeError('leader election needs retryPeriodMs < renewDeadlineMs < leaseDurationMs')
    this.#options = options
  }

  /** Leads whenever it can, until `signal` aborts; then hands over, so that the next leader need not wait. */
  async run(signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const lease = await this.#tryAcquire()
      if (lease) await this.#term(lease, signal, lead)
      if (!signal.aborted) await this.#pause(signal)
    }
  }

  async #term(lease: LeaderLease, signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    const { logger = silentLogger, identity, name } = this.#options
    const epoch = lease.spec?.leaseTransitions ?? 0
    const lost = new AbortController()
    const stop = () => lost.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    logger.info({ lease: name, identity, epoch }, 'leading')
    const renewing = this.#keepRenewing(lease, lost)
    try {
      await lead({ epoch, signal: lost.signal })
    } finally {
      lost.abort()
      signal.removeEventListener('abort', stop)
      await this.#release(await renewing)
      logger.info({ lease: name, identity, epoch }, 'no longer leading')
    }
  }

  /** @returns the last state of the lease that this process wrote, or undefined when somebody else wrote it since. */
  async #keepRenewing(first: LeaderLease, lost: AbortController): Promise<LeaderLease | undefined> {
    const { clock, renewDeadlineMs } = this.#options
    let lease: LeaderLease = first
    let isLost = false
    // A stalled process finds out by its own timer, before anything else it does after waking up.
    let cancel = clock.after(renewDeadlineMs, () => lost.abort())
    while (!lost.signal.aborted) {
      await this.#pause(lost.signal)
      if (lost.signal.aborted) break
      const renewed = await this.#renew(lease)
      if (renewed === 'lost') {
        isLost = true
        lost.abort()
      } else if (renewed) {
        lease = renewed
        cancel()
        cancel = clock.after(renewDeadlineMs, () => lost.abort())
      } else if (clock.now() - this.#renewedAt >= renewDeadlineMs) lost.abort()
    }
    cancel()
    return isLost ? undefined : lease
  }

  async #tryAcquire(): Promise<LeaderLease | undefined> {
    const { client, namespace, name, clock, logger = silentLogger } = this.#options
    try {
      const live = await client.get<LeaderLease>(resources.leases, { name, namespace })
      const now = clock.now()
      if (!live) return this.#won(await client.create(resources.leases, this.#leaseOf(undefined, 1)), now)
      if (!this.#isFree(live)) return undefined
      const transitions = (live.spec?.leaseTransitions ?? 0) + 1
      return this.#won(await client.replace(resources.leases, this.#leaseOf(live, transitions)), now)
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error))
        logger.warn({ lease: name, error: String(error) }, 'cannot acquire the lease')
      return undefined
    }
  }

  #won(lease: LeaderLease, askedAt: number): LeaderLease {
    this.#renewedAt = askedAt
    return lease
  }

  #isFree(live: LeaderLease): boolean {
    const holder = live.spec?.holderIdentity ?? ''
    if (holder === '') return true
    const now = this.#options.clock.now()
    const version = live.metadata.resourceVersion ?? ''
    if (this.#observed?.version !== version) this.#observed = { version, seenAt: now }
    const durationMs = (live.spec?.leaseDurationSeconds ?? 0) * 1000 || this.#options.leaseDurationMs
    return now - this.#observed.seenAt >= durationMs
  }

  async #renew(lease: LeaderLease): Promise<LeaderLease | 'lost' | undefined> {
    const { client, clock, logger = silentLogger, name } = this.#options
    const askedAt = clock.now()
    try {
      const renewed = await client.replace(resources.leases, this.#leaseOf(lease, lease.spec?.leaseTransitions ?? 0))
      return this.#won(renewed, askedAt)
    } catch (error) {
      if (isConflict(error)) return this.#afterConflict(lease)
      logger.warn({ lease: name, error: String(error) }, 'cannot renew the lease')
      return undefined
    }
  }

  /** A renewal whose answer was lost looks like a conflict afterwards: the holder in the record decides. */
  async #afterConflict(lease: LeaderLease): Promise<LeaderLease | 'lost' | undefined> {
    const { client, namespace, name, identity } = this.#options
    const live = await client.get<LeaderLease>(resources.leases, { name, namespace }).catch(() => undefined)
    if (!live) return undefined
    const isMine = live.spec?.holderIdentity === identity && live.spec.leaseTransitions === lease.spec?.leaseTransitions
    return isMine ? live : 'lost'
  }

  async #release(lease: LeaderLease | undefined): Promise<void> {
    if (!lease) return
    const { client, logger = silentLogger, name } = this.#options
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
    try {
      await client.replace(resources.leases, { ...lease, spec })
    } catch (error) {
      logger.warn(
        { lease: name, error: String(error) },
        'cannot hand the lease over; the next leader has to wait for it',
      )
    }
  }

  #leaseOf(live: LeaderLease | undefined, leaseTransitions: number): LeaderLease {
    const { namespace, name, identity, leaseDurationMs, clock } = this.#options
    const now = rfc3339Micro(clock.now())
    const isRenewal = live?.spec?.holderIdentity === identity && live.spec.leaseTransitions === leaseTransitions
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: live?.metadata ?? { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
        acquireTime: isRenewal ? (live?.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions,
      },
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock, random, retryPeriodMs } = this.#options
    return sleep(clock, retryPeriodMs * (1 + 0.2 * random.next()), signal)
  }
}
