/** A process that runs for leadership: with a link that can fail and a clock that can stall, be set, or run on. */

import { type Cancel, type Clock, seededRandom, sleep } from '@godwit/ports'
import {
  KubeClient,
  LeaderElector,
  type LeaderElectorOptions,
  type Term,
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '../src/index.ts'

/** `lossy`: the server does what is asked, and the answer never arrives. `dead`: nothing is ever heard. */
export type LinkState = 'up' | 'down' | 'lossy' | 'dead'

export class Link implements Transport {
  state: LinkState = 'up'
  /** Requests with another method than GET that reached the server. */
  writes = 0
  readonly #transport: Transport

  readonly #clock: Clock

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    if (this.state === 'down') throw new TransportError('ConnectionError', 'the link is down', { wasSent: false })
    if (this.state === 'dead') return await unheard(request, this.#clock)
    if (request.method !== 'GET') this.writes += 1
    const response = await this.#transport.request(request)
    if ((this.state as LinkState) !== 'lossy') return response
    throw new TransportError('ConnectionError', 'the answer was lost', { wasSent: true })
  }

  async close(): Promise<void> {}
}

function unheard({ signal, timeoutMs }: TransportRequest, clock: Clock): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(new TransportError('Aborted', 'aborted', { wasSent: true }))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const timeOut = () => reject(new TransportError('Timeout', 'no answer in time', { wasSent: true }))
  const cancel = clock.after(timeoutMs ?? 30_000, timeOut)
  return promise.finally(() => {
    cancel()
    signal?.removeEventListener('abort', abort)
  })
}

/** The clock of one machine: set wrong by `offsetMs`, and with timers that do not fire while the process is stalled. */
export class MachineClock implements Clock {
  offsetMs = 0
  readonly #time: Clock
  #isStalled = false
  readonly #late: (() => void)[] = []
  #timers = 0

  constructor(time: Clock) {
    this.#time = time
  }

  /** Timers that are set and have not fired. */
  get timers(): number {
    return this.#timers
  }

  now(): number {
    return this.#time.now() + this.offsetMs
  }

  after(delayMs: number, run: () => void): Cancel {
    let isOver = false
    const finish = () => {
      if (!isOver) this.#timers -= 1
      isOver = true
    }
    const fire = () => {
      if (isOver) return
      if (this.#isStalled) this.#late.push(fire)
      else {
        finish()
        run()
      }
    }
    this.#timers += 1
    const cancel = this.#time.after(delayMs, fire)
    return () => {
      cancel()
      finish()
    }
  }

  stall(): void {
    this.#isStalled = true
  }

  /** What became due while it was stalled fires now. */
  resume(): void {
    this.#isStalled = false
    for (const fire of this.#late.splice(0)) fire()
  }
}

export const TIMING = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }

export class Candidate {
  readonly link: Link
  readonly clock: MachineClock
  readonly identity: string
  readonly terms: Term[] = []
  /** Epochs and ends, in order. */
  readonly diary: string[] = []
  #stop = new AbortController()
  #running: Promise<void> | undefined
  readonly #options: LeaderElectorOptions

  constructor(identity: string, transport: Transport, time: Clock, options: Partial<LeaderElectorOptions> = {}) {
    this.identity = identity
    this.clock = new MachineClock(time)
    this.link = new Link(transport, this.clock)
    const random = seededRandom(identity.charCodeAt(identity.length - 1))
    const client = new KubeClient({ transport: this.link, clock: this.clock, random })
    const place = { namespace: 'default', name: 'election' }
    this.#options = { client, ...place, identity, ...TIMING, clock: this.clock, random, ...options }
  }

  /** Whether it may act now, as it would ask itself. */
  get isLeading(): boolean {
    const term = this.terms.at(-1)
    return term !== undefined && !this.hasFinished && !term.signal.aborted
  }

  hasFinished = true

  start(lead: (term: Term) => Promise<void> = term => this.#work(term)): void {
    this.#stop = new AbortController()
    this.#running = new LeaderElector(this.#options).run(this.#stop.signal, async term => {
      this.terms.push(term)
      this.hasFinished = false
      this.diary.push(`leads ${term.epoch}`)
      try {
        await lead(term)
      } finally {
        this.hasFinished = true
        this.diary.push(`ends ${term.epoch}`)
      }
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #work(term: Term): Promise<void> {
    while (!term.signal.aborted) await sleep(this.clock, 60_000, term.signal)
  }
}
