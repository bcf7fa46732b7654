/**
 * Runs rehome playbooks. A run belongs to its folder, not to this process: who comes after a crash asks for the same run
 * id and is given the run that goes on, how it ended when it has, or a start if there was none.
 */
import { spawn } from 'node:child_process'
import { type Clock, sleep } from '@godwit/ports'
import { argumentsOf, INVENTORY, overridesFile, type RehomeCommand } from './command.ts'
import { failureOf } from './failure-text.ts'
import { ASKED_AT, hasGroup, isAlive, RunFolder, signalGroup } from './run-folder.ts'
import { masked } from './secret-text.ts'

export interface RehomeRun {
  /** Of one attempt at one subcloud; kept by the caller before the run is asked for. */
  readonly runId: string
  readonly command: RehomeCommand
  readonly inventory: string
  readonly overrides: string
  /** Values that must not be read anywhere. */
  readonly secrets: readonly string[]
}

export type RunOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly task: string | undefined; readonly text: string }
  /** It was ended, by its time limit, by a cancel or by somebody's kill: it may have changed the subcloud already. */
  | { readonly kind: 'interrupted'; readonly reason: string }

export interface PlaybookRunnerOptions {
  /** Folder for runs under way; on a disk that survives a restart of the service, not of the machine. */
  readonly base: string
  readonly clock: Clock
  /** A run that takes longer is ended. */
  readonly totalLimitMs: number
}

const LOOK_MS = 250
const KILL_LOOK_MS = 20
// Counted, for a clock that is set back would make them hours: 10 s and 5 s.
const START_GRACE_LOOKS = 40
const KILL_GRACE_LOOKS = 250
/** A run is ended so much after its limit when nobody has come back to do it. */
const ABANDONED_S = 60

export class PlaybookRunner {
  readonly #options: PlaybookRunnerOptions

  constructor(options: PlaybookRunnerOptions) {
    this.#options = options
  }

  /**
   * Starts the run, or joins it when it was started before; resolves when it is over. How it ended is told again to
   * whoever asks, until the run is discarded.
   * @param cancel ends the run; one that was not started will not be
   * @param leave the caller goes, and the run goes on: undefined. One that was not started is left to the next caller
   */
  async run(run: RehomeRun, cancel: AbortSignal, leave?: AbortSignal): Promise<RunOutcome | undefined> {
    const folder = new RunFolder(this.#options.base, run.runId)
    const args = argumentsOf(run.command, folder.path)
    const isStarted = (await folder.exitStatus()) !== undefined || (await folder.leader()) !== undefined
    // Read after them: they go when it is written.
    const known = await settled(folder)
    if (known) return known
    if (!isStarted) {
      if (leave?.aborted) return undefined
      await this.#start(folder, run, args, leave ? AbortSignal.any([cancel, leave]) : cancel)
    }
    const outcome = await this.#await(folder, run, cancel, leave)
    if (outcome) await folder.settle(JSON.stringify(outcome))
    return outcome
  }

  /** Ends a run that nobody wants any more, and forgets it. */
  async discard(runId: string): Promise<void> {
    const folder = new RunFolder(this.#options.base, runId)
    await this.#kill(folder)
    await folder.remove()
  }

  /** Not when `stop` comes first: then there is a folder for the outcome, and no program in it. */
  async #start(folder: RunFolder, run: RehomeRun, args: readonly string[], stop: AbortSignal): Promise<void> {
    const { command, inventory, overrides, secrets } = run
    const files = { [INVENTORY]: inventory, [overridesFile(command.name)]: overrides }
    await folder.prepare({ [ASKED_AT]: String(this.#options.clock.now()), ...(stop.aborted ? {} : files) })
    await this.#launch(folder, [command.program, ...args], secrets, stop)
  }

  /** In a session of its own: it outlives us, and can be ended with everything it started. */
  async #launch(
    folder: RunFolder,
    words: readonly string[],
    secrets: readonly string[],
    stop: AbortSignal,
  ): Promise<void> {
    const output = await folder.openOutput()
    try {
      await output.write(`${masked(words.join(' '), secrets)}\n`)
      if (stop.aborted) return
      const limitS = String(Math.ceil(this.#options.totalLimitMs / 1000) + ABANDONED_S)
      const child = spawn('/bin/sh', ['-c', RunFolder.LAUNCHER, 'rehome', limitS, ...words], {
        cwd: folder.path,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        env: { ...process.env, ANSIBLE_LOG_PATH: '/dev/null', LC_ALL: 'C.UTF-8', LANG: 'C.UTF-8' },
      })
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
      child.unref()
    } finally {
      await output.close()
    }
  }

  async #await(
    folder: RunFolder,
    { secrets }: RehomeRun,
    cancel: AbortSignal,
    leave: AbortSignal | undefined,
  ): Promise<RunOutcome | undefined> {
    const { clock, totalLimitMs } = this.#options
    // The limit counts for the run, however often it changes hands.
    const startedAt = (await folder.askedAt()) ?? clock.now()
    const wakes = leave ? AbortSignal.any([cancel, leave]) : cancel
    for (let look = 0; ; look++) {
      const leader = await folder.leader()
      const isKilled = leader !== undefined && !(await isAlive(leader))
      // Read after the look at the process: it writes its status as the last thing it does.
      const status = await folder.exitStatus()
      const known = await settled(folder)
      if (known) return known
      if (status !== undefined) return await ended(folder, status, secrets)
      if (!folder.exists) return { kind: 'interrupted', reason: 'the run was discarded' }
      if (leave?.aborted) return undefined
      // What it had started may go on without it.
      if (isKilled) return await this.#interrupt(folder, 'the playbook was killed')
      if (cancel.aborted) return await this.#interrupt(folder, 'the run was cancelled')
      if (!leader && look >= START_GRACE_LOOKS)
        return await this.#interrupt(folder, 'the playbook did not start in time')
      if (clock.now() - startedAt > totalLimitMs)
        return await this.#interrupt(folder, `the playbook took longer than ${totalLimitMs / 1000} s`)
      await sleep(clock, LOOK_MS, wakes)
    }
  }

  async #interrupt(folder: RunFolder, reason: string): Promise<RunOutcome> {
    await this.#kill(folder)
    return { kind: 'interrupted', reason }
  }

  /** The whole group: ansible starts a process for each host, and ssh beside them. */
  async #kill(folder: RunFolder): Promise<void> {
    const { clock } = this.#options
    let leader = await folder.leader()
    if (!leader) {
      // Its launcher may be on its way: it stops at this, or can be read now.
      await folder.refuse()
      leader = await folder.leader()
    }
    if (!leader) return
    if (!(await hasGroup(leader))) return
    signalGroup(leader, 'SIGTERM')
    for (let look = 0; look < KILL_GRACE_LOOKS && (await hasGroup(leader)); look++) await sleep(clock, KILL_LOOK_MS)
    if (!(await hasGroup(leader))) return
    signalGroup(leader, 'SIGKILL')
    while (await isAlive(leader)) await sleep(clock, KILL_LOOK_MS)
  }
}

/** How a run ended, as somebody has seen it before. */
async function settled(folder: RunFolder): Promise<RunOutcome | undefined> {
  const outcome = await folder.outcome()
  return outcome === undefined ? undefined : (JSON.parse(outcome) as RunOutcome)
}

async function ended(folder: RunFolder, status: number, secrets: readonly string[]): Promise<RunOutcome> {
  if (status === 0) return { kind: 'succeeded' }
  const { task, text } = failureOf(masked(await folder.output(), secrets))
  return { kind: 'failed', task, text: text || `ansible-playbook ended with status ${status}` }
}
