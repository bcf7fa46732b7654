/** The rules of a schema, compiled once, in a tree that holds only the branches where there are any. */
import type { Json } from '../api/object.ts'
import { joinPath } from '../schema/field-path.ts'
import { ruleFieldPath } from '../schema/rule-field-path.ts'
import type { SchemaNode, ValidationRule } from '../schema/schema-node.ts'
import { type DeclaredType, DeclaredTypes } from './declared-types.ts'
import { type RuleEnvironment, ruleEnvironment } from './environment.ts'
import { Meter, maxObjectCost, maxRuleCost } from './meter.ts'
import { type Compiled, compileProgram, type Outcome, programScope } from './program.ts'
import { cardinality, cardinalityBelow } from './rule-work.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  readonly compiled: Compiled
  /** Undefined when the rule has none. */
  readonly message: Compiled | undefined
  /** Where its cause points, below the node; empty for the node itself. */
  readonly path: string
  /** Steps on all values that the largest object can have here, at least. */
  readonly work: number
}

export interface RuleNode {
  readonly node: SchemaNode
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly additional: RuleNode | undefined
  readonly items: RuleNode | undefined
  /** The node has rules but no type that they could see. */
  readonly isOpaque: boolean
  /** A rule here or below looks at the old value. */
  readonly usesOldSelf: boolean
}

/** All rules of one schema, with the budget that one object may use. */
export class RuleTree {
  readonly root: RuleNode | undefined
  readonly #meter = new Meter()
  #remaining = 0

  constructor(schema: SchemaNode) {
    const environment = ruleEnvironment(this.#meter)
    const types = new DeclaredTypes(environment)
    const scopes = new Map<SchemaNode, DeclaredType | undefined>()
    // The environment takes no more types once the first rule was compiled.
    declareScopes(schema, true, types, scopes)
    this.root = buildNode(schema, { environment, scopes }, 1)
  }

  /** Begins the rules of one object. */
  start(): void {
    this.#remaining = maxObjectCost
  }

  get isExhausted(): boolean {
    return this.#remaining <= 0
  }

  /** Runs one program on the account of the object. */
  run(compiled: Compiled, self: Json, old: Json | undefined): Outcome {
    if (!('program' in compiled)) return { kind: 'error', message: compiled.error }
    const outcome = compiled.program.run(self, old, Math.min(maxRuleCost, this.#remaining))
    this.#remaining -= this.#meter.spent
    return outcome
  }
}

function declareScopes(
  node: SchemaNode,
  isResource: boolean,
  types: DeclaredTypes,
  scopes: Map<SchemaNode, DeclaredType | undefined>,
): void {
  if (!node.below.rules) return
  if (node.rules.length > 0) scopes.set(node, types.typeOf(node, isResource))
  for (const child of [...node.properties.values(), node.items, node.additional])
    if (typeof child === 'object') declareScopes(child, child.embedded, types, scopes)
}

interface Builder {
  readonly environment: RuleEnvironment
  readonly scopes: ReadonlyMap<SchemaNode, DeclaredType | undefined>
}

/** `count` is how many values there can be, as far as the schema above limits it. */
function buildNode(
  node: SchemaNode | boolean | undefined,
  builder: Builder,
  count: number | undefined,
): RuleNode | undefined {
  if (typeof node !== 'object' || !node.below.rules) return undefined
  const countBelow = cardinalityBelow(node, count)
  const properties = new Map<string, RuleNode>()
  for (const [name, child] of node.properties) {
    const built = buildNode(child, builder, countBelow)
    if (built) properties.set(name, built)
  }
  const rules = compileRules(node, builder, cardinality(node, count))
  const additional = buildNode(node.additional, builder, countBelow)
  const items = buildNode(node.items, builder, countBelow)
  const usesOldSelf =
    rules.some(({ compiled }) => 'program' in compiled && compiled.program.usesOldSelf) ||
    [...properties.values(), additional, items].some(child => child?.usesOldSelf)
  const isOpaque = node.rules.length > 0 && !builder.scopes.get(node)
  return { node, rules, properties, additional, items, isOpaque, usesOldSelf }
}

function compileRules(node: SchemaNode, { environment, scopes }: Builder, count: number): CompiledRule[] {
  const type = scopes.get(node)
  if (node.rules.length === 0) return []
  if (!type) {
    const compiled = { error: 'failed to convert to declType for CEL validation rules' }
    return node.rules.map(rule => ({ rule, compiled, message: undefined, path: '', work: 0 }))
  }
  const plain = programScope(environment, node, type, false)
  const withOptional = node.rules.some(rule => rule.optionalOldSelf)
    ? programScope(environment, node, type, true)
    : plain
  return node.rules.map(rule => {
    const scope = rule.optionalOldSelf ? withOptional : plain
    const message = rule.messageExpression.trim()
    const path = ruleFieldPath(node, rule.fieldPath)
    const compiled = compileProgram(rule.rule, 'bool', scope)
    return {
      rule,
      compiled,
      message: message === '' ? undefined : compileProgram(rule.messageExpression, 'string', scope),
      path: 'parts' in path ? joinPath(path.parts) : '',
      work: 'program' in compiled ? compiled.program.work * count : 0,
    }
  })
}
