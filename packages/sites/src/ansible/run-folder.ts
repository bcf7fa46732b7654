/**
 * One run of a playbook as a folder: what it reads, whether it was started, by which process, and how it ended. The
 * folder outlives whoever started the run, so that the next one finds it; its secrets go when the run is over, and how
 * it ended stays until it is discarded.
 */

import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const STARTED = 'started'
const REFUSED = 'refused'
const LEADER = 'leader'
const EXIT = 'exit'
const OUTCOME = 'outcome.json'
export const ASKED_AT = 'asked-at'
export const OUTPUT = 'output.log'

/** Ends the whole group, itself included, unless it is ended before. Its own sleep would outlive it by hours otherwise. */
const WATCH = [
  `trap 'kill $!; exit' TERM`,
  'sleep $limit & wait $! || exit',
  `trap '' TERM; kill -s TERM 0; sleep 5; kill -s KILL 0`,
].join('; ')

/** The process that leads the group of a run: its pid, and when the kernel started it, for pids are used again. */
export interface Leader {
  readonly pid: number
  readonly startTicks: string
}

export class RunFolder {
  readonly path: string

  constructor(base: string, runId: string) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(runId)) throw new RangeError(`${JSON.stringify(runId)} is no run id`)
    this.path = join(base, runId)
  }

  /** Writes the files a run reads, readable by their owner only. Can be repeated. */
  async prepare(files: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    await chmod(this.path, 0o700)
    for (const [name, content] of Object.entries(files)) {
      const temporary = join(this.path, `.${name}.${process.pid}`)
      await writeFile(temporary, content, { mode: 0o600 })
      await rename(temporary, join(this.path, name))
    }
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  openOutput() {
    return open(join(this.path, OUTPUT), 'a', 0o600)
  }

  /**
   * Shell text that runs its arguments at most once in this folder, whoever else tries, and leaves its exit status. It
   * says who it is before it looks whether it may: who refuses the run and finds no leader then knows that none will run.
   * The first argument is a limit in seconds, for the case that nobody who would end the run ever comes back.
   */
  static readonly LAUNCHER = [
    'limit=$1',
    'shift',
    `mkdir ${STARTED} 2>/dev/null || exit 0`,
    `ticks=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)`,
    `[ "$ticks" ] && echo "$$ $ticks" > .${LEADER} && mv .${LEADER} ${LEADER} || exit 0`,
    `[ -e ${ASKED_AT} ] && [ ! -e ${REFUSED} ] || exit 0`,
    `(${WATCH}) > /dev/null 2>&1 &`,
    '"$@"',
    'status=$?',
    'kill $! 2>/dev/null',
    `echo $status > .${EXIT} && mv .${EXIT} ${EXIT}`,
  ].join('\n')

  /** From now on no program begins in this folder; one whose leader can be read may have begun before. Can be repeated. */
  async refuse(): Promise<void> {
    try {
      await mkdir(join(this.path, REFUSED))
    } catch (error) {
      // In a folder that is gone nothing begins either.
      if (!['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }

  async leader(): Promise<Leader | undefined> {
    const [pid = '', startTicks = ''] = (await this.#read(LEADER))?.trim().split(' ') ?? []
    return pid && startTicks ? { pid: Number(pid), startTicks } : undefined
  }

  /** Exit status of the run; undefined while it goes on, and when it was killed. */
  async exitStatus(): Promise<number | undefined> {
    const text = (await this.#read(EXIT))?.trim()
    return text ? Number(text) : undefined
  }

  /** When the run was first asked for, in the clock of this machine. */
  async askedAt(): Promise<number | undefined> {
    const text = await this.#read(ASKED_AT)
    return text === undefined ? undefined : Number(text)
  }

  async output(): Promise<string> {
    return (await this.#read(OUTPUT)) ?? ''
  }

  /** As it was settled; the text of JSON. */
  outcome(): Promise<string | undefined> {
    return this.#read(OUTCOME)
  }

  /**
   * How it ended is left, and the marks that hold back a launcher that comes late. One that was discarded meanwhile stays
   * gone.
   */
  async settle(outcome: string): Promise<void> {
    try {
      const temporary = join(this.path, `.${OUTCOME}.${process.pid}`)
      await writeFile(temporary, outcome, { mode: 0o600 })
      await rename(temporary, join(this.path, OUTCOME))
      for (const name of await readdir(this.path))
        if (![OUTCOME, STARTED, REFUSED].includes(name))
          await rm(join(this.path, name), { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Nothing of it is left: neither secrets nor what a program may have written beside them. */
  async remove(): Promise<void> {
    // Before the marks go: a launcher that comes between would find neither of them.
    await rm(join(this.path, ASKED_AT), { force: true })
    await rm(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  }

  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

/** Whether the very process is alive; one that took its pid since is somebody else, and a zombie is dead. */
export async function isAlive(leader: Leader): Promise<boolean> {
  const found = await look(leader.pid)
  return found !== undefined && found.state !== 'Z' && found.startTicks === leader.startTicks
}

/** Whether anybody of its group is left. No process is given a pid that a group still has: who has it is no stranger. */
export async function hasGroup(leader: Leader): Promise<boolean> {
  const found = await look(leader.pid)
  return (found === undefined || found.startTicks === leader.startTicks) && signalGroup(leader, 0)
}

/** @returns false: there is no such group */
export function signalGroup({ pid }: Leader, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    return false
  }
}

async function look(pid: number): Promise<{ readonly state: string; readonly startTicks: string } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state, startTicks: rest[18] ?? '' }
  } catch {
    return undefined
  }
}
