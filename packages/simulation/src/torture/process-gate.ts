/** Whether one simulated process runs, stands still or is dead. Everything it does passes here first. */
export class ProcessGate {
  #state: 'running' | 'paused' | 'killed' = 'running'
  #held: (() => void)[] = []
  readonly #killed = new AbortController()

  /** Aborts when the process dies. Not for the process itself: a dead process notices nothing. */
  get killed(): AbortSignal {
    return this.#killed.signal
  }

  get isAlive(): boolean {
    return this.#state !== 'killed'
  }

  /** Acts now, when the process runs again, or never. */
  enter(act: () => void): void {
    if (this.#state === 'running') act()
    else if (this.#state === 'paused') this.#held.push(act)
  }

  /** Resolves when the process runs; never, when it is dead. */
  entered(): Promise<void> {
    return new Promise(resolve => this.enter(resolve))
  }

  /** As SIGSTOP does. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** As SIGCONT does: what was held happens in the order in which it came. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    for (const act of this.#held.splice(0)) this.enter(act)
  }

  /** As SIGKILL does. */
  kill(): void {
    this.#state = 'killed'
    this.#held = []
    this.#killed.abort('killed')
  }
}
