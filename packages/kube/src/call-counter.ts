export interface CallCount {
  readonly verb: string
  /** `plural.group`, with `/subresource` when there is one. */
  readonly resource: string
  readonly count: number
}

/** Requests that were sent, retries and pages included; a watch counts once each time it is opened. */
export class CallCounter {
  readonly #counts = new Map<string, CallCount>()
  #total = 0

  get total(): number {
    return this.#total
  }

  add(verb: string, resource: string): void {
    const key = `${verb} ${resource}`
    this.#counts.set(key, { verb, resource, count: (this.#counts.get(key)?.count ?? 0) + 1 })
    this.#total += 1
  }

  /** @param resource default: all of them */
  of(verb: string, resource?: string): number {
    if (resource !== undefined) return this.#counts.get(`${verb} ${resource}`)?.count ?? 0
    return this.entries().reduce((sum, entry) => sum + (entry.verb === verb ? entry.count : 0), 0)
  }

  /** Most frequent first. */
  entries(): CallCount[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count)
  }
}
