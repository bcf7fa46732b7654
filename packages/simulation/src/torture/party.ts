/** A program that is run again whenever it dies: controllers and agents under torture. Knows no domain. */
import type { Transport, TransportRequest } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { ProcessClock } from './process-clock.ts'
import { ProcessGate } from './process-gate.ts'
import { type CrashTime, ProcessTransport } from './process-transport.ts'

/** What one process of a party may use of the world. */
export interface ProcessPorts {
  /** 1 for the first process of all parties, growing with every further one. */
  readonly epoch: number
  readonly clock: Clock
  /** Asks the process to end in good order. */
  readonly signal: AbortSignal
  wire(inner: Transport): Transport
}

export interface PartyOptions {
  readonly name: string
  readonly clock: Clock
  readonly nextEpoch: () => number
  readonly program: (ports: ProcessPorts) => Promise<void>
  /** From a crash to the next process. */
  readonly restartMs: number
  readonly onTraffic: () => void
  /** Told of each write of the party before it is sent. */
  readonly onWrite?: (party: string, request: TransportRequest) => void
}

interface Life {
  readonly gate: ProcessGate
  readonly stop: AbortController
}

export class Party {
  readonly #options: PartyOptions
  readonly #crashes = new Map<number, CrashTime>()
  #life: Life | undefined
  #writes = 0
  #crashCount = 0
  #isClosed = false

  constructor(options: PartyOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  /** Writes so far, of all processes of the party. */
  get writes(): number {
    return this.#writes
  }

  /** How often it died. */
  get crashes(): number {
    return this.#crashCount
  }

  /** Plans a death at the `write`-th write of the party, counted from 1 over all its processes. */
  crashAt(write: number, when: CrashTime): void {
    this.#crashes.set(write, when)
  }

  start(): void {
    if (this.#isClosed) return
    const { clock, program, nextEpoch } = this.#options
    const gate = new ProcessGate()
    const life = { gate, stop: new AbortController() }
    this.#life = life
    const ports = {
      epoch: nextEpoch(),
      clock: new ProcessClock(clock, gate),
      signal: life.stop.signal,
      wire: (inner: Transport) => this.#wire(inner, life),
    }
    // A program that ends or throws by itself is run again, as its supervisor would.
    const ended = () => this.#ended(life)
    program(ports).then(ended, ended)
  }

  /** Kills the running process; the next one starts later. */
  crash(): void {
    if (this.#life) this.#crash(this.#life)
  }

  /**
   * Stops the process for so long that its successor takes over, then wakes it up: it first does what it was about to,
   * and learns only `noticeMs` later that it was replaced.
   */
  replaceSleeping({ sleepMs, noticeMs }: { readonly sleepMs: number; readonly noticeMs: number }): void {
    const { clock } = this.#options
    const sleeper = this.#life
    if (!sleeper?.gate.isAlive) return
    sleeper.gate.pause()
    this.start()
    clock.after(sleepMs, () => {
      sleeper.gate.resume()
      clock.after(noticeMs, () => sleeper.stop.abort())
    })
  }

  /** Kills whatever runs; nothing starts any more. */
  close(): void {
    this.#isClosed = true
    this.#life?.gate.kill()
  }

  #wire(inner: Transport, life: Life): Transport {
    const { onTraffic, onWrite, name } = this.#options
    return new ProcessTransport(inner, {
      gate: life.gate,
      onTraffic,
      crash: () => this.#crash(life),
      onWrite: request => {
        onWrite?.(name, request)
        this.#writes += 1
        return this.#crashes.get(this.#writes)
      },
    })
  }

  #crash(life: Life): void {
    if (!life.gate.isAlive) return
    life.gate.kill()
    this.#crashCount += 1
    this.#ended(life)
  }

  #ended(life: Life): void {
    if (this.#life !== life) return
    this.#life = undefined
    this.#options.clock.after(this.#options.restartMs, () => {
      if (!this.#life) this.start()
    })
  }
}
