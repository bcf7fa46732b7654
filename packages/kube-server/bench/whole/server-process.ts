/** The parent's hold on a server process. One question at a time. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Figures, Question, Ready } from './server-program.ts'

export class ServerProcess {
  readonly port: number
  readonly ready: Ready
  /** From the call that makes the process to the server's word that it answers. */
  readonly launchMs: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: Ready, launchMs: number) {
    this.#child = child
    this.ready = ready
    this.launchMs = launchMs
    this.port = Number(new URL(ready.url).port)
  }

  /** In memory without a folder. `v8Flags` are options of its node. */
  static async start(v8Flags: readonly string[], folder?: string): Promise<ServerProcess> {
    const began = performance.now()
    const args = folder === undefined ? [] : [folder]
    const child = fork(join(import.meta.dirname, 'server-program.ts'), args, { execArgv: [...v8Flags] })
    const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)))
    failed.catch(() => undefined)
    const [ready] = (await Promise.race([once(child, 'message'), failed])) as [Ready]
    return new ServerProcess(child, ready, performance.now() - began)
  }

  resetFigures(): Promise<unknown> {
    return this.#ask({ ask: 'reset' })
  }

  async figures(): Promise<Figures> {
    return (await this.#ask({ ask: 'figures' })) as Figures
  }

  startProfile(): Promise<unknown> {
    return this.#ask({ ask: 'profile' })
  }

  /** Writes what was recorded since `startProfile`. */
  endProfile(file: string): Promise<unknown> {
    return this.#ask({ ask: 'profiled', file })
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }

  async #ask(question: Question): Promise<unknown> {
    const answered = once(this.#child, 'message')
    this.#child.send(question)
    return (await answered)[0]
  }
}
