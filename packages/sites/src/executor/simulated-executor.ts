/** Runs playbooks on simulated subclouds, over their HTTP service: for demos, benches and tests of whole sites. */
import { type Clock, sleep } from '@godwit/ports'
import type { RunOutcome } from '../ansible/playbook-runner.ts'
import type { HttpExchange } from '../http/exchange.ts'
import type { Executor, RehomeAttempt, RunSignals } from './executor.ts'

export interface SimulatedExecutorOptions {
  readonly exchange: HttpExchange
  /** Of the service, without a slash at the end. */
  readonly url: string
  readonly clock: Clock
  /** By which the subcloud knows its home from then on. */
  readonly site: { readonly uuid: string; readonly credentials: string; readonly softwareVersion: string }
  /** A run that takes longer is ended. One hour unless told. */
  readonly totalLimitMs?: number
}

/** One question is held open so long. */
const POLL_MS = 10_000
const RETRY_MS = 500
/** Their ids are in one address. */
const MAX_DISCARDS = 100

type State = RunOutcome | { readonly kind: 'running' }

export class SimulatedExecutor implements Executor {
  /** Every process reaches the same runs. */
  readonly host = 'simulator'
  readonly totalLimitMs: number
  readonly #options: SimulatedExecutorOptions
  #discarding: { readonly runIds: string[]; readonly done: Promise<void> } | undefined

  constructor(options: SimulatedExecutorOptions) {
    this.#options = options
    this.totalLimitMs = options.totalLimitMs ?? 3_600_000
  }

  async prepare(_attempt: RehomeAttempt): Promise<void> {}

  async run(attempt: RehomeAttempt, { cancel, leave }: RunSignals): Promise<RunOutcome | undefined> {
    const { clock } = this.#options
    const limit = new AbortController()
    const stopTimer = clock.after(this.totalLimitMs, () => limit.abort())
    const ending = AbortSignal.any([cancel, limit.signal])
    const interrupting = AbortSignal.any([ending, leave])
    try {
      let state = await this.#begin(attempt, ending, leave)
      while (state.kind === 'running') {
        if (leave.aborted) return undefined
        if (ending.aborted) await this.#ask('POST', `/runs/${attempt.runId}/cancel`)
        const waitMs = ending.aborted ? 0 : POLL_MS
        state = await this.#poll(attempt.runId, waitMs, ending.aborted ? leave : interrupting)
      }
      return state
    } finally {
      stopTimer()
    }
  }

  /** Those that end at the same time are discarded together. */
  discard(runId: string): Promise<void> {
    if ((this.#discarding?.runIds.length ?? 0) >= MAX_DISCARDS) this.#discarding = undefined
    this.#discarding ??= this.#discardSoon()
    this.#discarding.runIds.push(runId)
    return this.#discarding.done
  }

  #discardSoon() {
    const runIds: string[] = []
    const send = async () => {
      // Whoever goes on for the same reason comes in the same moment.
      await undefined
      if (this.#discarding?.runIds === runIds) this.#discarding = undefined
      await this.#ask('DELETE', `/runs?${runIds.map(id => `run=${encodeURIComponent(id)}`).join('&')}`)
    }
    return { runIds, done: send() }
  }

  /**
   * The answer is the end, when that comes soon enough. Nothing but the answer says that the order has arrived: a cancel
   * that came before it is repeated until then.
   */
  async #begin(attempt: RehomeAttempt, ending: AbortSignal, leave: AbortSignal): Promise<State> {
    const answered = new AbortController()
    this.#cancelUntil(answered.signal, attempt.runId, ending)
    try {
      return await this.#state('POST', `/runs?wait_ms=${POLL_MS}`, this.#order(attempt), leave)
    } catch (error) {
      if (leave.aborted) return { kind: 'running' }
      throw error
    } finally {
      // With a reason: to make one costs more than all the rest.
      answered.abort('answered')
    }
  }

  #cancelUntil(answered: AbortSignal, runId: string, ending: AbortSignal): void {
    const cancel = async () => {
      while (!answered.aborted) {
        await this.#ask('POST', `/runs/${runId}/cancel`, undefined, answered).catch(() => undefined)
        await sleep(this.#options.clock, RETRY_MS, answered)
      }
    }
    if (ending.aborted) void cancel()
    else ending.addEventListener('abort', () => void cancel(), { once: true, signal: answered })
  }

  /** A question that nobody answered is asked again: the run goes on meanwhile. */
  async #poll(runId: string, waitMs: number, signal: AbortSignal): Promise<State> {
    try {
      return await this.#state('GET', `/runs/${runId}?wait_ms=${waitMs}`, undefined, signal)
    } catch (error) {
      if (!signal.aborted) await sleep(this.#options.clock, RETRY_MS, signal)
      if (error instanceof RunLost) throw error
      return { kind: 'running' }
    }
  }

  async #state(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<State> {
    const { status, value } = await this.#ask(method, path, body, signal)
    if (status === 404) throw new RunLost(`the simulator does not know ${path}`)
    if (status !== 200) throw new Error(`the simulator answered ${status} to ${method} ${path}`)
    return value as State
  }

  async #ask(method: string, path: string, body?: unknown, signal?: AbortSignal) {
    const { exchange, url } = this.#options
    const request = {
      method,
      url: `${url}${path}`,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    }
    const answer = await exchange(request, signal)
    return { status: answer.status, value: JSON.parse(Buffer.from(answer.body).toString()) as unknown }
  }

  #order({ runId, region, bootstrapAddress, sysadminPassword }: RehomeAttempt) {
    const { uuid: site, credentials, softwareVersion: destinationRelease } = this.#options.site
    return { runId, region, bootstrapAddress, sysadminPassword, site, credentials, destinationRelease }
  }
}

/** The simulator was started anew: whoever wants the run asks for it again. */
class RunLost extends Error {
  override readonly name = 'RunLost'
}
