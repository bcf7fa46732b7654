/** The operator as a process of its own, which the demo kills and starts again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { NodesDemoWorld } from './world.ts'

const program = fileURLToPath(new URL('../../packages/cli/bin/godwit.mjs', import.meta.url))

export interface OperatorEvents {
  /** A process that took another's place says what it found. */
  onRecovered(): void
  onProblem(text: string): void
}

export class OperatorProcess {
  readonly #world: Pick<NodesDemoWorld, 'kubeconfigs' | 'registryBase'>
  readonly #events: OperatorEvents
  #child: ChildProcess | undefined
  #starts = 0
  #isStopping = false
  #restarting: Promise<void> = Promise.resolve()

  constructor(world: Pick<NodesDemoWorld, 'kubeconfigs' | 'registryBase'>, events: OperatorEvents) {
    this.#world = world
    this.#events = events
  }

  start(): void {
    const { kubeconfigs, registryBase } = this.#world
    const args = ['nodes', 'operator', '--kubeconfig', kubeconfigs.operator, '--registry', registryBase]
    // One process at a time: whoever was killed is dead, so nobody waits for a lease.
    const quiet = ['--leader-elect', 'false', '--metrics-bind-address', '0', '--health-probe-bind-address', '0']
    const child = spawn(process.execPath, [program, ...args, ...quiet], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const isFirst = this.#starts++ === 0
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', line => {
        if (!isFirst && /"msg":"recovered"/.test(line)) this.#events.onRecovered()
      })
    if (child.stderr) createInterface({ input: child.stderr }).on('line', line => this.#events.onProblem(line))
    child.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL' && !this.#isStopping) this.#events.onProblem(`the operator ended with ${code ?? signal}`)
    })
  }

  /** SIGKILL, and a new process at once; kills come one after another. */
  killAndRestart(): Promise<void> {
    this.#restarting = this.#restarting.then(async () => {
      const child = this.#child
      if (!child || this.#isStopping) return
      await end(child, 'SIGKILL')
      this.start()
    })
    return this.#restarting
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#restarting
    if (this.#child) await end(this.#child, 'SIGTERM')
  }
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
