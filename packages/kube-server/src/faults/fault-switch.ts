import type { Random } from '@godwit/ports'
import { type FaultEffect, type FaultRule, type FaultSubject, isStruck } from './fault.ts'

interface ActiveRule {
  readonly rule: FaultRule
  seen: number
  struck: number
}

/** The faults of one server. Drawn from a seeded random source, they strike the same way every time. */
export class FaultSwitch {
  readonly #random: Random
  readonly #rules = new Set<ActiveRule>()

  constructor(random: Random, rules: readonly FaultRule[] = []) {
    this.#random = random
    for (const rule of rules) this.add(rule)
  }

  /** Switches a fault on; the returned function switches it off. */
  add(rule: FaultRule): () => void {
    const active: ActiveRule = { rule, seen: 0, struck: 0 }
    this.#rules.add(active)
    return () => this.#rules.delete(active)
  }

  /** Switches all faults off. */
  clear(): void {
    this.#rules.clear()
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0
  }

  /** How often faults have struck since they were switched on. */
  get strikes(): number {
    let sum = 0
    for (const { struck } of this.#rules) sum += struck
    return sum
  }

  /** The effects that strike this request, in the order they were switched on. */
  strike(subject: FaultSubject): FaultEffect[] {
    const effects: FaultEffect[] = []
    for (const active of this.#rules) {
      const { rule } = active
      if (!isStruck(rule, subject)) continue
      active.seen++
      if (active.seen <= (rule.skip ?? 0) || active.struck >= (rule.count ?? Number.POSITIVE_INFINITY)) continue
      if (rule.probability !== undefined && this.#random.next() >= rule.probability) continue
      active.struck++
      effects.push(rule.effect)
    }
    return effects
  }
}
