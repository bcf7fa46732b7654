/** Runs the CEL rules of a schema over a value, with the old value beside it. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import type { CompiledRule, RuleNode, RuleTree } from '../cel/index.ts'
import { isObject, own, sameJson } from '../patch/json-value.ts'
import { duplicate, forbidden, invalid, missing } from './causes.ts'
import type { PathPart } from './field-path.ts'
import { itemsByKey } from './list-correlation.ts'

/** Longer texts of a message expression give way to the message of the rule. */
const maxMessageBytes = 5 * 1024

/** Causes of rules that do not hold. `forgivesUnchanged`: what equals its old value is not held against an update. */
export function ruleCauses(tree: RuleTree, value: Json, old: Json | undefined, forgivesUnchanged = true): Cause[] {
  const causes = walkOnce(tree, { value, old, pair: undefined })
  if (causes.length === 0 || old === undefined || !forgivesUnchanged) return causes
  // Only for a value that breaks a rule is it worth finding out what each part was before.
  return walkOnce(tree, { value, old, pair: new Pair(value, old) })
}

function walkOnce(tree: RuleTree, at: Situation): Cause[] {
  const walk = new RuleWalk(tree)
  tree.start()
  if (tree.root) walk.node(tree.root, at)
  return walk.causes
}

/** A value and what it was before; compared at most once. */
class Pair {
  readonly #value: Json
  readonly #old: Json | undefined
  #isUnchanged: boolean | undefined

  constructor(value: Json, old: Json | undefined) {
    this.#value = value
    this.#old = old
  }

  get isUnchanged(): boolean {
    this.#isUnchanged ??= sameJson(this.#value, this.#old)
    return this.#isUnchanged
  }
}

class RuleWalk {
  readonly causes: Cause[] = []
  readonly #tree: RuleTree
  readonly #path: PathPart[] = []
  /** Set when the budget is used up: no further rule runs. */
  #isOver = false

  constructor(tree: RuleTree) {
    this.#tree = tree
  }

  node(node: RuleNode, at: Situation): void {
    const { value } = at
    // A rule on a nullable node speaks of its values; whether it may be null is for the rules above it.
    if (value === null || this.#isOver) return
    for (const rule of node.rules) {
      this.#rule(node, rule, at)
      if (this.#isOver) return
    }
    if (Array.isArray(value)) this.#list(node, value, at)
    else if (isObject(value)) this.#object(node, value, at)
  }

  #list(node: RuleNode, list: readonly Json[], { old, pair }: Situation): void {
    const { items } = node
    if (!items) return
    const isKeyed = node.node.listType === 'map' && (items.usesOldSelf || pair !== undefined)
    const oldItems = isKeyed && Array.isArray(old) ? itemsByKey(node.node.mapKeys, old) : undefined
    for (const [i, value] of list.entries()) {
      const oldItem = oldItems?.get(value)
      this.#path.push(i)
      this.node(items, { value, old: oldItem, pair: pair && isKeyed ? new Pair(value, oldItem) : pair })
      this.#path.pop()
    }
  }

  #object(node: RuleNode, object: JsonObject, { old, pair }: Situation): void {
    const oldObject = isObject(old) ? old : undefined
    for (const key of Object.keys(object)) {
      const value = object[key]
      const property = node.properties.get(key)
      const child = property ?? (node.node.properties.has(key) ? undefined : node.additional)
      if (!child || value === undefined) continue
      const oldValue = oldObject && own(oldObject, key)
      this.#path.push(property ? key : { key })
      this.node(child, { value, old: oldValue, pair: pair && oldObject ? new Pair(value, oldValue) : pair })
      this.#path.pop()
    }
  }

  #rule(node: RuleNode, rule: CompiledRule, at: Situation): void {
    const shown = node.node.intOrString ? '' : node.node.typeText
    const { compiled } = rule
    if (!('program' in compiled)) {
      this.causes.push(invalid(this.#path, shown, `rule compile error: ${compiled.error}`))
      return
    }
    const { usesOldSelf } = compiled.program
    if (usesOldSelf && (at.old ?? undefined) === undefined && !rule.rule.optionalOldSelf) return
    if (this.#tree.isExhausted) {
      this.#exhausted(shown)
      return
    }
    const outcome = this.#tree.run(compiled, at.value, at.old ?? undefined)
    if (outcome.kind === 'exhausted') this.#tooExpensive(shown, rule)
    else if (outcome.kind === 'error') this.#failed(shown, rule, outcome.message)
    else if (outcome.value !== true && (usesOldSelf || at.pair?.isUnchanged !== true)) this.#violated(shown, rule, at)
  }

  #violated(shown: string, rule: CompiledRule, at: Situation): void {
    const path = rule.path === '' ? this.#path : [...this.#path, rule.path]
    const text = this.#messageOf(rule, at)
    switch (rule.rule.reason) {
      case 'FieldValueForbidden':
        this.causes.push(forbidden(path, text))
        break
      case 'FieldValueRequired':
        this.causes.push(missing(path, text))
        break
      case 'FieldValueDuplicate':
        this.causes.push(duplicate(path, shown))
        break
      default:
        this.causes.push(invalid(path, shown, text))
    }
  }

  #messageOf({ rule, message }: CompiledRule, { value, old }: Situation): string {
    const outcome = message && this.#tree.run(message, value, old ?? undefined)
    if (outcome?.kind === 'value' && typeof outcome.value === 'string') {
      const text = outcome.value.trim()
      if (text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= maxMessageBytes) return text
    }
    return rule.message === '' ? `failed rule: ${rule.rule.trim()}` : rule.message.trim()
  }

  #failed(shown: string, rule: CompiledRule, message: string): void {
    const named = describe(rule)
    const text =
      message === 'no such overload'
        ? `'no such overload': call arguments did not match a supported operator, function or macro signature for rule: ${named}`
        : `${message} evaluating rule: ${named}`
    this.causes.push(invalid(this.#path, shown, text))
  }

  #tooExpensive(shown: string, rule: CompiledRule): void {
    const text = `'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${describe(rule)}`
    this.causes.push(invalid(this.#path, shown, text))
    this.#isOver = true
  }

  #exhausted(shown: string): void {
    const text = 'validation failed due to running out of cost budget, no further validation rules will be run'
    this.causes.push(invalid(this.#path, shown, text))
    this.#isOver = true
  }
}

interface Situation {
  readonly value: Json
  /** What `oldSelf` stands for. */
  readonly old: Json | undefined
  /** The nearest value, here or above, that has an old one; undefined where nothing is forgiven. */
  readonly pair: Pair | undefined
}

const describe = ({ rule }: CompiledRule) => (rule.message === '' ? rule.rule : rule.message).trim()
