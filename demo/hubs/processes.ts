/** Controller and agents as processes of their own, which the demo kills and starts again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { World } from './world.ts'

export const PARTIES = ['controller', 'source', 'target'] as const
export type PartyName = (typeof PARTIES)[number]

const program = fileURLToPath(new URL('../../packages/cli/bin/godwit.mjs', import.meta.url))
/** Short, so that a killed leader is not waited for long. */
const LEASE_SECONDS = '2'

interface LogLine {
  readonly msg?: string
  readonly level?: string
  readonly [field: string]: unknown
}

export interface ProcessEvents {
  /** A line of a process that tells what a restart found. */
  onRecovered(party: PartyName, line: LogLine): void
  onProblem(party: PartyName, text: string): void
}

export class Parties {
  readonly #world: World
  readonly #events: ProcessEvents
  readonly #running = new Map<PartyName, ChildProcess>()
  readonly #starts = new Map<PartyName, number>()
  readonly #unrecovered = new Set<PartyName>()
  readonly #restarts = new Map<PartyName, Promise<void>>()
  #isStopping = false

  constructor(world: World, events: ProcessEvents) {
    this.#world = world
    this.#events = events
  }

  start(party: PartyName): void {
    const child = spawn(process.execPath, [program, 'hubs', ...this.#args(party), '--lease-seconds', LEASE_SECONDS], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#running.set(party, child)
    const starts = (this.#starts.get(party) ?? 0) + 1
    this.#starts.set(party, starts)
    if (child.stdout) createInterface({ input: child.stdout }).on('line', line => this.#read(party, starts, line))
    if (child.stderr) createInterface({ input: child.stderr }).on('line', line => this.#events.onProblem(party, line))
    child.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL' && !this.#isStopping) this.#events.onProblem(party, `ended with ${code ?? signal}`)
    })
  }

  /** Killed, and the process that took its place has not said yet what it found. */
  get unrecovered(): readonly PartyName[] {
    return [...this.#unrecovered]
  }

  /** SIGKILL: no line of the process runs any more. Started again at once; kills of one party come one after another. */
  killAndRestart(party: PartyName): Promise<void> {
    const before = this.#restarts.get(party) ?? Promise.resolve()
    const restart = before.then(() => this.#killAndRestart(party))
    this.#restarts.set(party, restart)
    return restart
  }

  async #killAndRestart(party: PartyName): Promise<void> {
    const child = this.#running.get(party)
    if (!child || this.#isStopping) return
    this.#unrecovered.add(party)
    const gone = once(child, 'exit')
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await gone
    }
    this.start(party)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(
      [...this.#running.values()].map(async child => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const gone = once(child, 'exit')
        child.kill('SIGTERM')
        await gone
      }),
    )
  }

  #args(party: PartyName): string[] {
    const { kubeconfig } = this.#world
    if (party === 'controller') return ['controller', '--kubeconfig', kubeconfig('global', 'controller')]
    const hub = party === 'source' ? 'hub1' : 'hub2'
    return [
      'agent',
      '--hub',
      hub,
      '--kubeconfig',
      kubeconfig(hub, hub),
      '--global-kubeconfig',
      kubeconfig('global', hub),
    ]
  }

  #read(party: PartyName, starts: number, text: string): void {
    const line = parse(text)
    if (!line || line.level === 'error') this.#events.onProblem(party, text)
    // One line sums a restart up; those before it speak of one task or one migration each.
    const isSum = line?.msg?.startsWith('recovered') && line['task'] === undefined && line['migration'] === undefined
    if (!line || !isSum || starts === 1) return
    if (starts === this.#starts.get(party)) this.#unrecovered.delete(party)
    this.#events.onRecovered(party, line)
  }
}

function parse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return undefined
  }
}
