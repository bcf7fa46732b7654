/** Nobody may ask without end, whatever it does not see yet: an API server has other clients too. */

/** Requests of one process, its start with all its questions about rights included. */
const MOST = 1_000
const WINDOW_MS = 5_000

interface Window {
  readonly sinceMs: number
  readonly requests: number
}

export class Storms {
  readonly #windows = new Map<string, Window>()
  readonly #violations = new Map<string, string>()

  get violations(): readonly string[] {
    return [...this.#violations.values()]
  }

  /** @param nowMs virtual time */
  note(process: string, nowMs: number, { method, path }: { readonly method: string; readonly path: string }): void {
    const open = this.#windows.get(process)
    const window = open && nowMs < open.sinceMs + WINDOW_MS ? open : { sinceMs: nowMs, requests: 0 }
    const requests = window.requests + 1
    this.#windows.set(process, { ...window, requests })
    if (requests > MOST)
      this.#violations.set(process, `${process} sent ${requests} requests within 5 s, the last one ${method} ${path}`)
  }
}
