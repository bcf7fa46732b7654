/** What goes wrong in the embedded registry, by rule. Drawn from a seeded random source, it strikes the same way every time. */
import type { Random } from '@godwit/ports'

/** What a request is about. */
export type RegistryPart = 'base' | 'token' | 'manifest' | 'blob' | 'upload' | 'tags'

export type RegistryFaultEffect =
  /** An error answer. `applied`: what was asked happens all the same. */
  | {
      readonly kind: 'status'
      readonly code: 401 | 403 | 404 | 405 | 429 | 500 | 502 | 503 | 504
      readonly retryAfterSeconds?: number
      readonly applied?: boolean
    }
  /** Never answers. `applied`: after doing what was asked. */
  | { readonly kind: 'silence'; readonly applied: boolean }
  /** Closes the connection without an answer. */
  | { readonly kind: 'cut'; readonly applied: boolean }
  /** Does what was asked and breaks off in the middle of the answer. */
  | { readonly kind: 'half' }
  /** Waits before doing anything. */
  | { readonly kind: 'delay'; readonly delayMs: number }

/** Which requests are struck; what is left out does not matter. */
export interface RegistryFaultRule {
  readonly methods?: readonly string[]
  readonly parts?: readonly RegistryPart[]
  readonly repositories?: readonly string[]
  /** Tags and digests. */
  readonly references?: readonly string[]
  readonly effect: RegistryFaultEffect
  /** Lets the first so many matching requests pass. */
  readonly skip?: number
  /** Strikes at most so often; default without limit. */
  readonly count?: number
  /** Chance of each strike; default 1. */
  readonly probability?: number
}

export interface RegistryFaultSubject {
  readonly method: string
  readonly part: RegistryPart
  readonly repository: string
  readonly reference: string
}

interface ActiveRule {
  readonly rule: RegistryFaultRule
  seen: number
  struck: number
}

export class RegistryFaults {
  readonly #random: Random
  readonly #rules = new Set<ActiveRule>()
  #strikes = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Switches a fault on; the returned function switches it off. */
  add(rule: RegistryFaultRule): () => void {
    const active = { rule, seen: 0, struck: 0 }
    this.#rules.add(active)
    return () => this.#rules.delete(active)
  }

  clear(): void {
    this.#rules.clear()
  }

  /** How often faults have struck since the registry was made. */
  get strikes(): number {
    return this.#strikes
  }

  /** The effects that strike this request, in the order they were switched on. */
  strike(subject: RegistryFaultSubject): readonly RegistryFaultEffect[] {
    const struck = [...this.#rules].filter(active => this.#strikesNow(active, subject))
    this.#strikes += struck.length
    return struck.map(({ rule }) => rule.effect)
  }

  #strikesNow(active: ActiveRule, subject: RegistryFaultSubject): boolean {
    const { rule } = active
    if (!isMeant(rule, subject)) return false
    active.seen++
    if (active.seen <= (rule.skip ?? 0) || active.struck >= (rule.count ?? Number.POSITIVE_INFINITY)) return false
    if (rule.probability !== undefined && this.#random.next() >= rule.probability) return false
    active.struck++
    return true
  }
}

const isMeant = (rule: RegistryFaultRule, { method, part, repository, reference }: RegistryFaultSubject) =>
  (rule.methods?.includes(method) ?? true) &&
  (rule.parts?.includes(part) ?? true) &&
  (rule.repositories?.includes(repository) ?? true) &&
  (rule.references?.includes(reference) ?? true)
