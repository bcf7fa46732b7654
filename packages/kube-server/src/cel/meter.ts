/**
 * Counts the work of one evaluation and ends it when it costs too much. One meter serves all rules of a schema:
 * evaluation is synchronous, so there is never more than one under way.
 */
import { RuleError } from './rule-error.ts'

/** Cost of one rule on one value. One unit is about one step of an expression or ten characters of text. */
export const maxRuleCost = 1_000_000

/** Cost of all rules of one object together. */
export const maxObjectCost = 4 * maxRuleCost

/** Longest text, and largest list, that a function of a rule may produce. */
export const maxTextLength = 1 << 22
export const maxListLength = 1 << 20

export class Meter {
  /** Thrown, and thrown again at every further step: `||` and `exists` go on after an error. */
  readonly #exhausted = new RuleError('operation cancelled: actual cost limit exceeded')
  #limit = 0
  #spent = 0

  /** Starts an evaluation that may cost `limit`. */
  start(limit: number): void {
    this.#limit = limit
    this.#spent = 0
  }

  get spent(): number {
    return this.#spent
  }

  /** True once the limit was passed; the outcome of the evaluation then means nothing. */
  get isExhausted(): boolean {
    return this.#spent > this.#limit
  }

  charge(cost: number): void {
    this.#spent += cost
    if (this.#spent > this.#limit) throw this.#exhausted
  }

  /** Charges for text that is read or made; refuses to make too much. */
  chargeText(length: number): void {
    if (length > maxTextLength) throw new RuleError(`text longer than ${maxTextLength} characters`)
    this.charge(1 + length / 10)
  }

  chargeList(length: number): void {
    if (length > maxListLength) throw new RuleError(`list longer than ${maxListLength} items`)
    this.charge(1 + length)
  }
}
